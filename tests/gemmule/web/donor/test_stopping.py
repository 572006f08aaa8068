"""Saying no, withdrawing, pausing and going on: one click each, done once."""

import re
import uuid

import pytest
from django.test import Client

from consent import selectors
from consent.models import Act, Consent, Donor
from gemmule.accounts.models import User
from gemmule.notices.models import Notice
from gemmule.releases.models import (
    Download,
    Release,
    ReleaseState,
)
from tests.gemmule.web.donor.pages import EVENT, standing, text

pytestmark = pytest.mark.django_db


def test_withdrawing_takes_at_most_three_clicks_and_no_typing(
    client: Client, donor: Donor, given: Consent
) -> None:
    home = client.get("/donor/").content.decode()
    link = re.search(r'<a class="button button-danger" href="([^"]+)"', home)
    assert link is not None
    page = client.get(link[1]).content.decode()  # The first click.
    fields = re.findall(r"<(?:input|select|textarea)[^>]*>", page.partition("<main")[2])
    assert all('type="hidden"' in field for field in fields)
    answer = client.post(link[1])  # The second.

    assert answer.headers["Location"].startswith("/donor/receipts/")
    assert standing(donor).act == Act.WITHDRAWN


def test_withdrawal_revokes_what_holds_the_donor_and_tells_its_recipient(
    client: Client, donor: Donor, release: Release, rosa: User
) -> None:
    client.post("/donor/withdraw/", {"event": str(uuid.uuid4())})

    release.refresh_from_db()
    assert release.state == ReleaseState.REVOKED
    assert Notice.objects.filter(user=rosa, kind="release.revoked").exists()
    assert "Stopped" in text(client.get("/donor/uses/"))


def test_withdrawal_says_first_what_it_does_in_numbers(
    client: Client, fetched: Download
) -> None:
    page = text(client.get("/donor/withdraw/"))
    assert "The 1 live file that holds it is locked at once." in page
    assert "1 file with your data was sent out before." in page
    assert "We ask Harbour Institute of Genomics to delete" in page


def test_withdrawal_without_any_release_says_so(client: Client, given: Consent) -> None:
    page = text(client.get("/donor/withdraw/"))
    assert "No file with your data was ever sent out" in page
    assert "no one has to be asked" in page


@pytest.mark.parametrize(
    ("path", "act"), [("/donor/withdraw/", "withdrawn"), ("/donor/pause/", "paused")]
)
@pytest.mark.parametrize("same_event", [True, False])
def test_a_second_click_is_one_act(
    path: str,
    act: str,
    same_event: bool,
    client: Client,
    donor: Donor,
    given: Consent,
) -> None:
    event = str(uuid.uuid4())
    first = client.post(path, {"event": event})
    second = client.post(path, {"event": event if same_event else str(uuid.uuid4())})

    assert first.headers["Location"] == f"/donor/receipts/{event}/"
    assert second.headers["Location"] == first.headers["Location"]
    assert [row.act for row in selectors.history(donor)] == [act, "given"]


@pytest.mark.parametrize("event", ["", "not-an-id"])
def test_damaged_form_does_not_stand_in_the_way_of_stopping(
    event: str, client: Client, donor: Donor, given: Consent
) -> None:
    assert client.post("/donor/withdraw/", {"event": event}).status_code == 302
    assert standing(donor).act == Act.WITHDRAWN


def test_event_of_another_act_is_refused(
    client: Client, donor: Donor, given: Consent
) -> None:
    answer = client.post("/donor/withdraw/", {"event": str(EVENT)})
    assert answer.status_code == 409
    assert standing(donor).act == Act.GIVEN


def test_pause_and_end_of_it(client: Client, donor: Donor, release: Release) -> None:
    client.post("/donor/pause/")
    release.refresh_from_db()
    assert release.state == ReleaseState.SUSPENDED
    assert "Locked: a donor paused" in text(client.get("/donor/uses/"))
    client.post("/donor/resume/")
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    assert [row.act for row in selectors.history(donor)] == [
        "resumed",
        "paused",
        "given",
    ]


def test_withdrawal_from_a_pause(client: Client, donor: Donor, given: Consent) -> None:
    client.post("/donor/pause/")
    client.post("/donor/withdraw/")
    assert standing(donor).act == Act.WITHDRAWN


@pytest.mark.parametrize(
    "path", ["/donor/withdraw/", "/donor/pause/", "/donor/resume/"]
)
def test_nothing_can_be_stopped_before_it_was_given(
    path: str, client: Client, donor: Donor
) -> None:
    assert client.post(path).status_code == 409
    assert selectors.current(donor) is None


def test_what_stands_is_withdrawn_and_not_refused(
    client: Client, donor: Donor, given: Consent
) -> None:
    for answer in (client.get("/donor/refuse/"), client.post("/donor/refuse/")):
        assert answer.status_code == 409
        assert "withdraw it" in text(answer)
    assert standing(donor).act == Act.GIVEN


def test_end_of_no_pause_is_refused(
    client: Client, donor: Donor, given: Consent
) -> None:
    assert client.post("/donor/resume/").status_code == 409
    assert standing(donor).act == Act.GIVEN


def test_saying_no_is_recorded_once(client: Client, donor: Donor) -> None:
    assert client.get("/donor/refuse/").status_code == 200
    first, second = (client.post("/donor/refuse/") for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert standing(donor).act == Act.REFUSED
    assert "You said no" in text(client.get(first.headers["Location"]))


def test_acts_need_the_forms_own_token(ada: User, donor: Donor, given: Consent) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada)
    for path in ("/donor/withdraw/", "/donor/pause/", "/donor/refuse/"):
        assert client.post(path).status_code == 403
    assert standing(donor).act == Act.GIVEN
