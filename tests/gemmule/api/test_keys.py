"""/api/v1/keys/: the caller's keys; registering one takes a person, not a token."""

from collections.abc import Callable
from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from gemmule.accounts import services
from gemmule.accounts.models import ResearcherKey, User
from tests.gemmule.accounts.conftest import KeyPair, new_pair, pair  # noqa: F401
from tests.gemmule.api.callers import Caller, assert_problem
from tests.gemmule.releases.conftest import Keyring

pytestmark = pytest.mark.django_db


def begin(user: User, pair: KeyPair, now: datetime) -> ResearcherKey:  # noqa: F811
    """Return a key that waits for its proof, as the pages make it."""
    return services.begin_key(
        user=user, name="laptop", public_key_text=pair.public_text, now=now
    )


def test_a_key_is_neither_registered_nor_proved_by_token(
    as_rosa: Caller,
    rosa: User,
    pair: KeyPair,  # noqa: F811
    now: datetime,
) -> None:
    body = {"name": "laptop", "public_key": pair.public_text}
    refused = as_rosa.post("/keys/", body, key="once")
    assert_problem(
        refused,
        403,
        says="Sign in at http://localhost:8000/account/keys/new/",
        code="sign-in-needed",
    )
    assert not ResearcherKey.objects.exists()

    key = begin(rosa, pair, now)
    right = pair.decrypt(as_rosa.get(f"/keys/{key.pk}/challenge/").content)
    answer = {"answer": right.stdout.decode()}
    assert_problem(
        as_rosa.post(f"/keys/{key.pk}/prove/", answer), 403, code="sign-in-needed"
    )
    key.refresh_from_db()
    assert key.state == ResearcherKey.State.PENDING


def test_the_challenge_of_a_pending_key_is_downloaded(
    as_rosa: Caller,
    rosa: User,
    pair: KeyPair,  # noqa: F811
    keyring: Keyring,
    now: datetime,
) -> None:
    key = begin(rosa, pair, now)
    listed = as_rosa.get("/keys/").json()["results"]
    assert ("pending", None) in [(one["state"], one["registered_at"]) for one in listed]
    challenge = as_rosa.get(f"/keys/{key.pk}/challenge/")
    assert challenge.headers["Content-Type"] == "application/octet-stream"
    assert challenge.headers["Cache-Control"] == "no-store"
    opened = pair.decrypt(challenge.content)
    assert opened.returncode == 0, opened.stderr
    active = as_rosa.get(f"/keys/{keyring.key.pk}/challenge/")
    assert_problem(active, 409, says="waits for no proof", code="state")


def test_a_rival_finds_no_key(
    as_rosa: Caller,
    as_rival: Caller,
    rosa: User,
    pair: KeyPair,  # noqa: F811
    now: datetime,
) -> None:
    key = begin(rosa, pair, now)
    nowhere = "/keys/00000000-0000-4000-8000-000000000000/"
    assert as_rival.get("/keys/").json()["results"] == []
    for path, status in (("challenge/", 404), ("prove/", 403)):
        ask = as_rival.get if status == 404 else as_rival.post
        first, second = ask(f"/keys/{key.pk}/{path}"), ask(f"{nowhere}{path}")
        assert assert_problem(first, status) == assert_problem(second, status)


@pytest.mark.parametrize("who", ["ira", "ingrid", "sven", "aud"])
def test_only_researchers_have_keys(
    as_someone: Callable[[str], Caller],
    rosa: User,
    pair: KeyPair,  # noqa: F811
    now: datetime,
    who: str,
) -> None:
    other, key = as_someone(who), begin(rosa, pair, now)
    for answer in (
        other.get("/keys/"),
        other.post("/keys/", {"name": "laptop", "public_key": pair.public_text}),
        other.get(f"/keys/{key.pk}/challenge/"),
        other.post(f"/keys/{key.pk}/prove/", {"answer": "x"}),
    ):
        assert_problem(answer, 403, says="Researcher", code="not-allowed")
    assert ResearcherKey.objects.count() == 1


def test_keys_are_listed_newest_first_page_by_page(
    as_rosa: Caller,
    rosa: User,
    new_pair: Callable[..., KeyPair],  # noqa: F811
    django_assert_num_queries: DjangoAssertNumQueries,
    now: datetime,
) -> None:
    made = []
    for _ in range(4):
        key = begin(rosa, new_pair(), now)
        made.append((key.created_at, str(key.pk)))
    with django_assert_num_queries(3):  # Token, role, page.
        first = as_rosa.get("/keys/?page_size=3").json()
    second = as_rosa.get(first["next"].partition("/api/v1")[2]).json()
    listed = [one["id"] for one in first["results"] + second["results"]]
    assert listed == [pk for _, pk in sorted(made, reverse=True)]


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
