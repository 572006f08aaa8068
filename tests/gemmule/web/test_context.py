"""The frame: who is here, where they may go, what waits to be read, the ledger."""

from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client, RequestFactory

import gemmule.notices.services
import ledger.services
from gemmule.accounts.models import User
from gemmule.web import context

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


def places(request_factory: RequestFactory, user: User, path: str = "/") -> list[str]:
    """Return the labels of the navigation that a person sees."""
    request = request_factory.get(path)
    request.user = user
    return [item.label for item in context.frame(request)["nav"]]


@pytest.mark.parametrize(
    ("who", "first"),
    [
        ("ada", "My choices"),
        ("rosa", "Research"),
        ("ira", "Review"),
        ("ingrid", "Review"),
        ("sven", "Stewardship"),
        ("aud", "Releases"),
        ("alma", "People"),
        ("sam", "Datasets"),
    ],
)
def test_everyone_starts_at_their_own_work(
    who: str, first: str, request: pytest.FixtureRequest, rf: RequestFactory
) -> None:
    found = places(rf, request.getfixturevalue(who))
    assert found[0] == first
    assert found[-3:] == ["Datasets", "How it works", "Ledger"]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("who", ["ada", "rosa", "ira", "sven", "aud", "alma", "sam"])
def test_every_place_in_the_navigation_opens(
    who: str, request: pytest.FixtureRequest, signed_in: SignIn, rf: RequestFactory
) -> None:
    user = request.getfixturevalue(who)
    asked = rf.get("/")
    asked.user = user
    client = signed_in(user)
    for item in context.frame(asked)["nav"]:
        assert client.get(item.url, follow=True).status_code == 200, item.url


def test_the_place_one_is_at_is_marked(rosa: User, signed_in: SignIn) -> None:
    page = signed_in(rosa).get("/datasets/").content.decode()
    assert page.count('aria-current="page"') == 1
    assert '<a href="/datasets/" aria-current="page">' in page


def test_the_inbox_says_how_many_wait(
    rosa: User, signed_in: SignIn, now: datetime
) -> None:
    client = signed_in(rosa)
    assert "Inbox</a>" in client.get("/ledger/").content.decode()
    with transaction.atomic():
        gemmule.notices.services.notify(
            user=rosa, kind="release.revoked", subject="s", body="b", url="/", now=now
        )
    assert "Inbox (1" in client.get("/ledger/").content.decode()


def test_signing_out_takes_a_post(rosa: User, signed_in: SignIn) -> None:
    page = signed_in(rosa).get("/ledger/").content.decode()
    assert '<form method="post" action="/account/logout/">' in page


def test_the_foot_tells_the_ledgers_head(client: Client, now: datetime) -> None:
    assert (
        "The ledger has no entry yet." in client.get("/how-it-works/").content.decode()
    )
    with transaction.atomic():
        ledger.services.append(
            type="data.registered",
            pub={"dataset": "GMD000001"},
            body={},
            event=uuid4(),
            now=now,
        )
    ledger.services.settle(now=now)
    page = client.get("/how-it-works/").content.decode()
    assert "entries, sealed" in page
    assert "2 March 2026, 09:30 UTC" in page
    assert 'class="band"' in page


def test_a_page_costs_few_queries_for_its_frame(
    rosa: User, signed_in: SignIn, django_assert_max_num_queries: Callable[..., object]
) -> None:
    client = signed_in(rosa)
    # Session, user, roles, checkpoint, unread.
    with django_assert_max_num_queries(5):  # type: ignore[attr-defined]  # pytest-django's own
        client.get("/how-it-works/")
