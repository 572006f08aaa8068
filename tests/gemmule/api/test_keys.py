"""/api/v1/keys/: registering a public key and proving that its secret is held."""

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries

from gemmule.accounts.models import ResearcherKey
from gemmule.api.models import IdempotentAnswer
from tests.gemmule.accounts.conftest import KeyPair, new_pair, pair  # noqa: F401
from tests.gemmule.api.callers import Caller, assert_problem
from tests.gemmule.releases.conftest import Keyring

pytestmark = pytest.mark.django_db


def register(caller: Caller, pair: KeyPair) -> str:  # noqa: F811
    """Return the path of a key that now waits for its proof."""
    body = {"name": "laptop", "public_key": pair.public_text}
    answer = caller.post("/keys/", body)
    assert answer.status_code == 201, answer.content
    return f"/keys/{answer.json()['id']}/"


def test_a_key_is_registered_challenged_and_proved(
    as_rosa: Caller,
    pair: KeyPair,  # noqa: F811
) -> None:
    path = register(as_rosa, pair)
    (listed,) = as_rosa.get("/keys/").json()["results"]
    assert (listed["state"], listed["registered_at"]) == ("pending", None)
    challenge = as_rosa.get(f"{path}challenge/")
    assert challenge.headers["Content-Type"] == "application/octet-stream"
    assert challenge.headers["Cache-Control"] == "no-store"
    opened = pair.decrypt(challenge.content)
    assert opened.returncode == 0, opened.stderr
    proved = as_rosa.post(f"{path}prove/", {"answer": opened.stdout.decode()})
    assert proved.status_code == 200
    assert proved.json()["state"] == "active"
    assert proved.json() == as_rosa.get("/keys/").json()["results"][0]
    for again in (
        as_rosa.post(f"{path}prove/", {"answer": opened.stdout.decode()}),
        as_rosa.get(f"{path}challenge/"),
    ):
        assert_problem(again, 409, says="waits for no proof", code="state")


@pytest.mark.parametrize("key", ["", "once"])
def test_a_secret_key_is_refused_and_kept_nowhere(
    as_rosa: Caller,
    pair: KeyPair,  # noqa: F811
    key: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = {"name": "laptop", "public_key": pair.secret_text}
    answer = as_rosa.post("/keys/", body, key=key)
    assert_problem(answer, 400, says="new pair", code="secret-key", field="public_key")
    secret = pair.secret_text.splitlines()[1]
    assert secret not in answer.content.decode() + caplog.text
    assert not ResearcherKey.objects.exists()
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "laptop"}, "public_key"),
        ({"public_key": "x"}, "name"),
        ({"name": " ", "public_key": "x"}, "name"),
        ({"name": "laptop", "public_key": "no key"}, "public_key"),
        ({"name": "laptop", "public_key": "x" * 4001}, "public_key"),
        ({"name": "laptop", "public_key": "x", "state": "active"}, "state"),
        ({"name": "laptop", "public_key": "x", "fingerprint": "ab"}, "fingerprint"),
    ],
)
def test_what_is_no_public_key_is_refused(
    as_rosa: Caller, body: dict[str, str], field: str
) -> None:
    assert_problem(as_rosa.post("/keys/", body), 400, field=field)
    assert not ResearcherKey.objects.exists()


def test_wrong_answers_are_counted_until_a_new_challenge_is_needed(
    as_rosa: Caller,
    pair: KeyPair,  # noqa: F811
) -> None:
    path = register(as_rosa, pair)
    right = pair.decrypt(as_rosa.get(f"{path}challenge/").content).stdout.decode()
    for count in range(1, 6):
        wrong = as_rosa.post(f"{path}prove/", {"answer": "wrong"})
        assert_problem(wrong, 400, says="not the text inside", field="answer")
        assert ResearcherKey.objects.get().challenge_tries == count
    late = as_rosa.post(f"{path}prove/", {"answer": right})
    assert_problem(late, 400, says="make a new challenge", field="answer")
    assert register(as_rosa, pair) == path
    right = pair.decrypt(as_rosa.get(f"{path}challenge/").content).stdout.decode()
    assert as_rosa.post(f"{path}prove/", {"answer": right}).status_code == 200


def test_a_secret_key_as_the_answer_is_refused_too(
    as_rosa: Caller,
    pair: KeyPair,  # noqa: F811
) -> None:
    path = register(as_rosa, pair)
    answer = as_rosa.post(f"{path}prove/", {"answer": pair.secret_text})
    assert_problem(answer, 400, says="SECRET", code="secret-key", field="answer")
    assert ResearcherKey.objects.get().state == ResearcherKey.State.PENDING


@pytest.mark.parametrize("body", [{}, {"answer": ""}, {"answer": "x", "state": "y"}])
def test_a_proof_is_one_answer(
    as_rosa: Caller,
    pair: KeyPair,  # noqa: F811
    body: dict[str, str],
) -> None:
    assert_problem(as_rosa.post(f"{register(as_rosa, pair)}prove/", body), 400)
    assert ResearcherKey.objects.get().challenge_tries == 0


def test_a_rival_finds_no_key(
    as_rosa: Caller,
    as_rival: Caller,
    pair: KeyPair,  # noqa: F811
) -> None:
    path = register(as_rosa, pair)
    nowhere = "/keys/00000000-0000-4000-8000-000000000000/"
    assert as_rival.get("/keys/").json()["results"] == []
    for first, second in (
        (as_rival.get(f"{path}challenge/"), as_rival.get(f"{nowhere}challenge/")),
        (
            as_rival.post(f"{path}prove/", {"answer": "x"}),
            as_rival.post(f"{nowhere}prove/", {"answer": "x"}),
        ),
    ):
        assert assert_problem(first, 404) == assert_problem(second, 404)
    assert ResearcherKey.objects.get().challenge_tries == 0


@pytest.mark.parametrize("who", ["ira", "ingrid", "sven", "aud"])
def test_only_researchers_have_keys(
    as_someone: Callable[[str], Caller],
    as_rosa: Caller,
    pair: KeyPair,  # noqa: F811
    who: str,
) -> None:
    other, path = as_someone(who), register(as_rosa, pair)
    body = {"name": "laptop", "public_key": pair.public_text}
    for answer in (
        other.get("/keys/"),
        other.post("/keys/", body),
        other.get(f"{path}challenge/"),
        other.post(f"{path}prove/", {"answer": "x"}),
    ):
        assert_problem(answer, 403, says="Researcher", code="not-allowed")
    assert ResearcherKey.objects.count() == 1


def test_keys_are_listed_newest_first_page_by_page(
    as_rosa: Caller,
    new_pair: Callable[..., KeyPair],  # noqa: F811
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    paths = [register(as_rosa, new_pair()) for _ in range(4)]
    with django_assert_num_queries(3):  # Token, role, page.
        first = as_rosa.get("/keys/?page_size=3").json()
    second = as_rosa.get(first["next"].partition("/api/v1")[2]).json()
    listed = [f"/keys/{one['id']}/" for one in first["results"] + second["results"]]
    assert listed == paths[::-1]


def test_a_key_shows_its_fingerprint_alone(as_rosa: Caller, keyring: Keyring) -> None:
    (listed,) = as_rosa.get("/keys/").json()["results"]
    assert set(listed) == {
        "id",
        "name",
        "fingerprint",
        "state",
        "created_at",
        "registered_at",
    }
