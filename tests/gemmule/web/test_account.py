"""Where a person starts, who they are here, and what they should know."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.accounts.models import Role, User
from gemmule.notices import selectors
from gemmule.notices.models import Notice
from tests import factories
from tests.gemmule.web import looks

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(confirmed: SignedIn, rosa: User) -> Client:
    return confirmed(rosa)


def a_notice(user: User, now: datetime, subject: str, url: str = "") -> Notice:
    return Notice.objects.create(
        user=user,
        kind="request.approved",
        subject=subject,
        body="The reason stands here.",
        url=url,
        created_at=now,
    )


@pytest.mark.parametrize(
    ("roles", "page"),
    [
        ([Role.DONOR], "/donor/"),
        ([Role.RESEARCHER], "/research/"),
        ([Role.IRB_REVIEWER], "/irb/"),
        ([Role.IRB_CHAIR], "/irb/"),
        ([Role.STEWARD], "/steward/"),
        ([Role.AUDITOR], "/audit/"),
        ([Role.ADMINISTRATOR], "/people/"),
        ([Role.DONOR, Role.RESEARCHER], "/research/"),
        ([], "/account/"),
    ],
)
def test_each_role_starts_where_its_work_is(
    db: None, signed_in: SignedIn, roles: list[Role], page: str
) -> None:
    client = signed_in(factories.person(*roles))

    assert client.get(reverse("home")).headers["Location"] == page


def test_person_changes_their_name(client: Client, rosa: User) -> None:
    page = client.get(reverse("profile")).content.decode()
    assert rosa.email in page
    assert "Researcher" in page
    assert "Harbour Institute of Genomics" in page

    answer = client.post(reverse("profile"), {"name": " Rosa M. Marin "})

    assert answer.headers["Location"] == reverse("profile")
    rosa.refresh_from_db()
    assert rosa.name == "Rosa M. Marin"


@pytest.mark.parametrize("name", ["", "   ", "x" * 151])
def test_name_that_does_not_fit_is_refused(
    client: Client, rosa: User, name: str
) -> None:
    assert client.post(reverse("profile"), {"name": name}).status_code == 200

    rosa.refresh_from_db()
    assert rosa.name == "Rosa Marin"


def test_nothing_but_the_name_can_be_written(client: Client, rosa: User) -> None:
    client.post(
        reverse("profile"),
        {
            "name": "Rosa",
            "email": "evil@example.org",
            "institution": "",
            "is_active": 0,
        },
    )

    rosa.refresh_from_db()
    assert rosa.email == "rosa@example.org"
    assert rosa.institution is not None


def test_inbox_shows_ones_own_notices_and_what_is_unread(
    client: Client, rosa: User, ira: User, now: datetime
) -> None:
    a_notice(rosa, now, "Request GMQ000001 was approved")
    a_notice(ira, now, "Request GMQ000002 waits for review")

    page = client.get(reverse("inbox")).content.decode()

    assert "GMQ000001" in page
    assert "The reason stands here." in page
    assert "GMQ000002" not in page


def test_empty_inbox_says_so(client: Client) -> None:
    assert "Nothing" in client.get(reverse("inbox")).content.decode()


def test_inbox_has_pages(client: Client, rosa: User, now: datetime) -> None:
    for number in range(25):
        a_notice(rosa, now - timedelta(hours=number), f"Notice-{number:02d}.")

    first = client.get(reverse("inbox")).content.decode()
    second = client.get(reverse("inbox"), {"page": "2"}).content.decode()

    assert ("Notice-00." in first, "Notice-24." in first) == (True, False)
    assert ("Notice-00." in second, "Notice-24." in second) == (False, True)
    beyond = client.get(reverse("inbox"), {"page": "x'9"})
    assert beyond.status_code == 200


def test_markup_in_a_notice_is_text(client: Client, rosa: User, now: datetime) -> None:
    a_notice(rosa, now, "<b>bold</b>")

    assert "<b>bold</b>" not in client.get(reverse("inbox")).content.decode()


def test_opening_a_notice_reads_it_and_leads_on(
    client: Client, rosa: User, now: datetime
) -> None:
    notice = a_notice(rosa, now, "Approved", "/research/requests/GMQ000001/")

    answer = client.post(reverse("notice_open", args=[notice.pk]))

    assert answer.headers["Location"] == "/research/requests/GMQ000001/"
    notice.refresh_from_db()
    assert notice.is_read()


def test_notice_without_a_page_leads_back(
    client: Client, rosa: User, now: datetime
) -> None:
    notice = a_notice(rosa, now, "Approved")

    answer = client.post(reverse("notice_open", args=[notice.pk]))

    assert answer.headers["Location"] == reverse("inbox")


def test_looking_at_the_inbox_reads_nothing(
    client: Client, rosa: User, now: datetime
) -> None:
    a_notice(rosa, now, "Approved")
    client.get(reverse("inbox"))

    assert selectors.unread_count(rosa) == 1
    client.post(reverse("inbox_read"))
    assert selectors.unread_count(rosa) == 0


def test_notice_of_another_looks_like_none(
    client: Client, ira: User, now: datetime
) -> None:
    notice = a_notice(ira, now, "Waits")

    theirs = client.post(reverse("notice_open", args=[notice.pk]))
    nobodys = client.post(reverse("notice_open", args=[notice.pk + 1]))

    assert theirs.status_code == nobodys.status_code == 404
    assert looks.alike(theirs.content, nobodys.content)
    notice.refresh_from_db()
    assert not notice.is_read()


def test_stranger_is_sent_to_sign_in(db: None) -> None:
    stranger = Client()
    for answer in (
        stranger.get(reverse("home")),
        stranger.get(reverse("profile")),
        stranger.post(reverse("profile"), {"name": "x"}),
        stranger.get(reverse("inbox")),
        stranger.post(reverse("inbox_read")),
        stranger.post(reverse("notice_open", args=[1])),
    ):
        assert answer.headers["Location"].startswith("/account/login/")


def test_other_methods_are_refused(client: Client) -> None:
    assert client.post(reverse("home")).status_code == 405
    assert client.delete(reverse("profile")).status_code == 405
    assert client.post(reverse("inbox")).status_code == 405
    assert client.get(reverse("inbox_read")).status_code == 405
    assert client.get(reverse("notice_open", args=[1])).status_code == 405
