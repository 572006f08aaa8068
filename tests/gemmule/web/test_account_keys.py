"""Pages on which a researcher registers, proves and retires a Crypt4GH key."""

import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from crypt4gh.keys import c4gh
from django.test import Client
from django.urls import reverse

from gemmule.accounts import selectors, services
from gemmule.accounts.models import ResearcherKey, Role, User
from tests import factories
from tests.gemmule.web import looks

SignedIn = Callable[[User], Client]


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """Return the secret half of a new pair; the public one lies beside it."""
    secret = tmp_path / "rosa.sec"
    c4gh.generate(str(secret), str(secret.with_suffix(".pub")), None, None)
    return secret


@pytest.fixture
def public_text(secret_file: Path) -> str:
    return secret_file.with_suffix(".pub").read_text()


@pytest.fixture
def client(confirmed: SignedIn, rosa: User) -> Client:
    return confirmed(rosa)


@pytest.fixture
def key(client: Client, rosa: User, public_text: str) -> ResearcherKey:
    client.post(reverse("key_new"), {"name": "laptop", "public_key": public_text})
    return rosa.researcher_keys.get()


def key_urls(key_id: uuid.UUID) -> dict[str, str]:
    names = ("key_detail", "key_challenge", "key_renew", "key_retire")
    return {name: reverse(name, args=[key_id]) for name in names}


def decrypt(challenge: bytes, secret: Path) -> str:
    opened = subprocess.run(
        [Path(sys.executable).with_name("crypt4gh"), "decrypt", "--sk", secret],
        input=challenge,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return opened.stdout.decode()


def test_researcher_registers_and_proves_a_key(
    client: Client, rosa: User, public_text: str, secret_file: Path
) -> None:
    assert client.get(reverse("key_new")).status_code == 200
    answer = client.post(
        reverse("key_new"), {"name": "laptop", "public_key": public_text}
    )
    key = rosa.researcher_keys.get()
    urls = key_urls(key.pk)
    assert answer.headers["Location"] == urls["key_detail"]
    page = client.get(urls["key_detail"]).content.decode()
    assert urls["key_challenge"] in page
    assert "crypt4gh decrypt --sk" in page

    challenge = client.get(urls["key_challenge"])
    assert challenge.headers["Content-Disposition"] == (
        'attachment; filename="challenge.c4gh"'
    )
    assert challenge.headers["Cache-Control"] == "no-store"
    answer = client.post(
        urls["key_detail"], {"answer": decrypt(challenge.content, secret_file)}
    )

    assert answer.headers["Location"] == urls["key_detail"]
    assert selectors.active_keys(rosa).get() == key
    assert "laptop" in client.get(reverse("key_list")).content.decode()
    assert key.fingerprint in client.get(urls["key_detail"]).content.decode()


def test_secret_key_is_refused_and_not_repeated(
    client: Client, rosa: User, secret_file: Path
) -> None:
    secret = secret_file.read_text()

    answer = client.post(reverse("key_new"), {"name": "laptop", "public_key": secret})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "SECRET key" in page
    assert secret.splitlines()[1][:12] not in page
    assert "laptop" in page  # what else was typed is kept
    assert not rosa.researcher_keys.exists()


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"public_key": ""}, "This field is required"),
        ({"public_key": "x" * 5000}, "at most 4096"),
        ({"public_key": "rubbish"}, "whole text of a public key file"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 101}, "at most 100"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    client: Client,
    rosa: User,
    public_text: str,
    fields: dict[str, str],
    reason: str,
) -> None:
    answer = client.post(
        reverse("key_new"), {"name": "laptop", "public_key": public_text} | fields
    )

    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert "x" * 4000 not in answer.content.decode()
    assert not rosa.researcher_keys.exists()


def test_key_registered_before_is_told_to_be(
    client: Client, key: ResearcherKey, public_text: str, secret_file: Path
) -> None:
    services.prove_key(
        user=key.user,
        key_id=key.pk,
        answer=decrypt(services.challenge_file(key), secret_file),
        now=key.created_at,
    )

    answer = client.post(
        reverse("key_new"), {"name": "again", "public_key": public_text}
    )

    assert "already registered" in answer.content.decode()


@pytest.mark.parametrize("wrong", ["0" * 64, "rubbish", "x" * 5000, ""])
def test_wrong_answer_is_told_and_not_repeated(
    client: Client, key: ResearcherKey, wrong: str
) -> None:
    answer = client.post(key_urls(key.pk)["key_detail"], {"answer": wrong})

    assert answer.status_code == 200
    assert not wrong or wrong not in answer.content.decode()
    key.refresh_from_db()
    assert key.state == ResearcherKey.State.PENDING


def test_secret_key_as_answer_is_not_repeated(
    client: Client, key: ResearcherKey, secret_file: Path
) -> None:
    secret = secret_file.read_text()

    answer = client.post(key_urls(key.pk)["key_detail"], {"answer": secret})

    assert "SECRET key" in answer.content.decode()
    assert secret.splitlines()[1][:12] not in answer.content.decode()


def test_used_up_challenge_offers_a_new_one(
    client: Client, key: ResearcherKey, secret_file: Path
) -> None:
    urls = key_urls(key.pk)
    for _ in range(services.CHALLENGE_MAX_TRIES):
        page = client.post(urls["key_detail"], {"answer": "0" * 64})
    assert urls["key_renew"] in page.content.decode()

    answer = client.post(urls["key_renew"])

    assert answer.headers["Location"] == urls["key_detail"]
    challenge = client.get(urls["key_challenge"]).content
    client.post(urls["key_detail"], {"answer": decrypt(challenge, secret_file)})
    key.refresh_from_db()
    assert key.is_active()


def test_key_is_retired_after_a_question(
    client: Client, key: ResearcherKey, rosa: User, secret_file: Path
) -> None:
    urls = key_urls(key.pk)
    challenge = client.get(urls["key_challenge"]).content
    client.post(urls["key_detail"], {"answer": decrypt(challenge, secret_file)})

    assert client.get(urls["key_retire"]).status_code == 200
    key.refresh_from_db()
    assert key.is_active()
    answer = client.post(urls["key_retire"])

    assert answer.headers["Location"] == reverse("key_list")
    assert not selectors.active_keys(rosa).exists()
    assert "Retired" in client.get(reverse("key_list")).content.decode()
    assert client.get(urls["key_challenge"]).status_code == 404
    assert client.post(urls["key_renew"]).status_code == 400
    assert client.post(urls["key_retire"]).status_code == 400


def test_markup_in_a_name_is_text_wherever_it_stands(
    client: Client, key: ResearcherKey
) -> None:
    key.name = "<i id='x'>\"{{ key.pk }}\"</i>"
    key.save()

    urls = key_urls(key.pk)
    for url in (reverse("key_list"), urls["key_detail"], urls["key_retire"]):
        page = client.get(url).content.decode()
        assert "<i id=" not in page
        assert "&lt;i id=&#x27;x&#x27;&gt;&quot;{{ key.pk }}&quot;&lt;/i&gt;" in page


def test_stranger_is_sent_to_sign_in(key: ResearcherKey) -> None:
    stranger = Client()

    for url in (reverse("key_list"), reverse("key_new"), *key_urls(key.pk).values()):
        for answer in (stranger.get(url), stranger.post(url)):
            assert answer.status_code in {302, 405}
            if answer.status_code == 302:
                assert answer.headers["Location"].startswith("/account/login/")


def test_key_of_another_looks_like_none(
    confirmed: SignedIn, key: ResearcherKey
) -> None:
    other = confirmed(factories.person(Role.RESEARCHER))

    for name, url in key_urls(key.pk).items():
        missing = reverse(name, args=[uuid.uuid4()])
        for method in (other.get, other.post):
            theirs, nobodys = method(url), method(missing)
            assert theirs.status_code == nobodys.status_code
            assert theirs.status_code in {404, 405}
            assert looks.alike(theirs.content, nobodys.content)


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["ada", "ira", "ingrid", "sven", "aud", "alma", "sam"])
def test_other_roles_have_no_keys(
    request: pytest.FixtureRequest, confirmed: SignedIn, public_text: str, who: str
) -> None:
    client = confirmed(request.getfixturevalue(who))

    assert client.get(reverse("key_list")).status_code == 403
    assert client.get(reverse("key_new")).status_code == 403
    answer = client.post(reverse("key_new"), {"name": "x", "public_key": public_text})
    assert answer.status_code == 403
    assert not ResearcherKey.objects.exists()


def test_other_methods_are_refused(client: Client, key: ResearcherKey) -> None:
    urls = key_urls(key.pk)
    assert client.post(reverse("key_list")).status_code == 405
    assert client.put(reverse("key_new")).status_code == 405
    assert client.delete(urls["key_detail"]).status_code == 405
    assert client.post(urls["key_challenge"]).status_code == 405
    assert client.get(urls["key_renew"]).status_code == 405
    assert client.put(urls["key_retire"]).status_code == 405
