"""The donor's pages but for the journey: who may see them, stopping, uses, receipts."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

import consent.services
import gemmule.access.services
import gemmule.web.urls.donor
from consent import selectors
from consent.forms import shipped
from consent.models import Act, Consent, Donor, FormVersion
from consent.terms import Terms
from gemmule.access import reviews
from gemmule.accounts.models import ResearcherKey, Role, User
from gemmule.accounts.selectors import donor_of
from gemmule.demo.cast import PASSWORD
from gemmule.notices.models import Notice
from gemmule.releases.models import (
    Download,
    Release,
    ReleaseDonor,
    ReleaseFile,
    ReleaseState,
)
from tests import cohorts, factories

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
EVENT = uuid.UUID("3b0d4a3e-54d1-4a0f-9e06-1a2b3c4d5e6f")
# Each address, and the methods that it answers.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "donor_home": ("/donor/", ("get",)),
    "donor_consent": ("/donor/consent/", ("get", "post")),
    "donor_consent_check": ("/donor/consent/check/", ("get", "post")),
    "donor_consent_question": (
        "/donor/consent/questions/research/",
        ("get", "post"),
    ),
    "donor_consent_review": ("/donor/consent/review/", ("get", "post")),
    "donor_refuse": ("/donor/refuse/", ("get", "post")),
    "donor_withdraw": ("/donor/withdraw/", ("get", "post")),
    "donor_pause": ("/donor/pause/", ("post",)),
    "donor_resume": ("/donor/resume/", ("post",)),
    "donor_history": ("/donor/history/", ("get",)),
    "donor_uses": ("/donor/uses/", ("get",)),
    "donor_receipt": (f"/donor/receipts/{EVENT}/", ("get",)),
}
CALLS = [(path, method) for path, methods in PAGES.values() for method in methods]


@pytest.fixture
def version(db: None, now: datetime) -> FormVersion:
    return consent.services.publish_form(
        name="general",
        version="1.0",
        language="en",
        content=shipped.content(),
        now=now,
    )


@pytest.fixture
def donor(ada: User, version: FormVersion) -> Donor:
    found = donor_of(ada)
    assert found is not None
    return found


@pytest.fixture
def client(ada: User, donor: Donor, signed_in: SignedIn) -> Client:
    return signed_in(ada)


@pytest.fixture
def given(donor: Donor, version: FormVersion, now: datetime) -> Consent:
    return consent.services.give(
        donor=donor,
        form=version,
        terms=Terms.from_json(
            {"permission": "GRU", "modifiers": {"PUB": True, "TS": 12, "RTN": True}}
        ),
        withheld={"genes": ["APOE"]},
        discovery=True,
        event=EVENT,
        now=now,
    )


@pytest.fixture
def release(
    donor: Donor,
    given: Consent,
    rosa: User,
    ira: User,
    sven: User,
    signe: User,
    now: datetime,
) -> Release:
    """Return a sealed release with Ada in it, which Rosa can download."""
    others = cohorts.donors([cohorts.GENERAL] * 24, now)
    access = gemmule.access.services
    made = cohorts.dataset([donor, *others], steward=sven, second=signe, now=now)
    project = access.create_project(
        user=rosa, title="Hearts", lay_summary="About <hearts>.", now=now
    )
    draft = access.draft_request(user=rosa, project=project, dataset=made, now=now)
    draft = access.update_draft(
        user=rosa,
        request=draft,
        purpose={**cohorts.PURPOSE, "agrees_to": ["PUB", "RTN"]},
        justification="Hearts.",
    )
    submitted = access.submit(user=rosa, request=draft, now=now)
    request = reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(now + timedelta(days=3650)).date(),
        resolve=[],
        password=PASSWORD,
        now=now,
    )
    key = ResearcherKey.objects.create(
        user=rosa,
        name="laptop",
        public_key=b"k" * 32,
        fingerprint="ab" * 32,
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    release = Release.objects.create(
        accession="GMR000001",
        request=request,
        recipient=rosa,
        key=key,
        state=ReleaseState.AVAILABLE,
        manifest=b"{}",
        manifest_sha256="cd" * 32,
        ledger_size=1,
        created_at=now,
        sealed_at=now,
        available_at=now,
        expires_on=(now + timedelta(days=3650)).date(),
    )
    ReleaseDonor.objects.bulk_create(
        ReleaseDonor(
            release=release,
            donor=one,
            consent=Consent.objects.get(donor=one),
            sample_name=f"A{number:09d}",
        )
        for number, one in enumerate([donor, *others])
    )
    return release


@pytest.fixture
def fetched(release: Release, rosa: User, now: datetime) -> Download:
    """Return Rosa's complete download of the release."""
    file = ReleaseFile.objects.create(
        release=release,
        name="GMR000001.vcf.gz.c4gh",
        role="variants",
        path="1/2",
        sha256_plain="00" * 32,
        sha256_cipher="00" * 32,
        size_plain=10,
        size_bytes=20,
        segments=1,
    )
    return Download.objects.create(
        file=file,
        user=rosa,
        start=0,
        stop=20,
        bytes_sent=20,
        started_at=now,
        finished_at=now,
        outcome="complete",
    )


def standing(donor: Donor) -> Consent:
    found = selectors.current(donor)
    assert found is not None
    return found


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# --- who may see them ---------------------------------------------------------


def test_every_address_is_tried_here() -> None:
    assert {one.name for one in gemmule.web.urls.donor.urlpatterns} == set(PAGES)


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_stranger_is_sent_to_sign_in(path: str, method: str) -> None:
    answer = getattr(Client(), method)(path)
    assert answer.headers["Location"].startswith("/account/login/")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DONOR])
def test_every_other_role_is_told_that_it_is_not_theirs(
    role: Role, signed_in: SignedIn
) -> None:
    client = signed_in(factories.person(role))
    for path, method in CALLS:
        answer = getattr(client, method)(path)
        assert answer.status_code == 403, path
        assert "people who gave a sample" in answer.content.decode()


def test_role_without_a_sample_is_not_enough(ada: User, signed_in: SignedIn) -> None:
    ada.donor_account.delete()
    assert signed_in(ada).get("/donor/").status_code == 403


def test_donor_whose_role_was_taken_is_refused(
    ada: User, donor: Donor, signed_in: SignedIn, now: datetime
) -> None:
    ada.role_grants.update(revoked_at=now)
    assert signed_in(ada).get("/donor/").status_code == 403


@pytest.mark.parametrize("path", [path for path, _ in PAGES.values()])
def test_other_methods_are_refused(path: str, client: Client, given: Consent) -> None:
    answered = dict(PAGES.values())[path]
    for method in {"get", "post", "put", "patch", "delete"} - set(answered):
        assert getattr(client, method)(path).status_code == 405, method


@pytest.mark.parametrize(
    "path", ["/donor/", "/donor/history/", "/donor/uses/", f"/donor/receipts/{EVENT}/"]
)
def test_donor_reads_her_pages_and_no_browser_keeps_them(
    path: str, client: Client, given: Consent
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    for sentence in shipped.content()["must_stand"].values():
        assert sentence in text(answer)


def test_receipt_of_another_donor_looks_like_none(
    given: Consent, version: FormVersion, signed_in: SignedIn
) -> None:
    other = signed_in(factories.person(Role.DONOR))
    theirs = other.get(f"/donor/receipts/{EVENT}/")
    nobodys = other.get(f"/donor/receipts/{uuid.uuid4()}/")
    assert theirs.status_code == nobodys.status_code == 404
    assert text(theirs) == text(nobodys)


# --- the start page -----------------------------------------------------------


def test_donor_who_has_decided_nothing_is_asked(client: Client) -> None:
    page = text(client.get("/donor/"))
    assert "You have not decided yet" in page
    assert "Read and decide" in page
    assert "Take back" not in page


def test_home_answers_the_three_questions(
    client: Client, given: Consent, release: Release
) -> None:
    answer = client.get("/donor/")
    page = text(answer)
    assert "any kind of research" in page
    assert "in 1 file so far" in page
    assert 'href="/donor/withdraw/"' in answer.content.decode()


def test_home_keeps_no_rule_from_the_donor(client: Client, given: Consent) -> None:
    page = text(client.get("/donor/"))
    for part in ("results public", "1 year at most", "APOE", "come back", "counted"):
        assert part in page


@pytest.mark.parametrize("act", ["paused", "withdrawn", "refused", "expired"])
def test_home_says_where_each_state_stands(
    act: str, client: Client, donor: Donor, version: FormVersion, now: datetime
) -> None:
    if act == "refused":
        client.post("/donor/refuse/")
    else:
        consent.services.give(
            donor=donor,
            form=version,
            terms=Terms.from_json({"permission": "GRU"}),
            event=EVENT,
            valid_until=now.date() if act == "expired" else None,
            now=now,
        )
    if act == "paused":
        client.post("/donor/pause/")
    if act == "withdrawn":
        client.post("/donor/withdraw/")
    said = {
        "paused": "You paused. Nothing new is sent.",
        "withdrawn": "You took back your consent. Nothing may be used.",
        "refused": "You said no. Nothing may be used.",
        "expired": "Your consent ran out. Nothing may be used.",
    }
    assert said[act] in text(client.get("/donor/"))


# --- stopping -----------------------------------------------------------------


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


# --- the record ---------------------------------------------------------------


def test_history_shows_every_act_with_its_words(client: Client, given: Consent) -> None:
    client.post("/donor/pause/")
    client.post("/donor/withdraw/")
    page = text(client.get("/donor/history/"))
    order = ["You took back your consent", "You paused", "You gave your consent"]
    assert sorted(order, key=page.index) == order
    assert "any kind of research" in page


def test_empty_history_says_what_to_do(client: Client) -> None:
    assert "Nothing yet" in text(client.get("/donor/history/"))


def test_receipt_says_what_happens_now_only_while_it_stands(
    client: Client, given: Consent
) -> None:
    path = f"/donor/receipts/{EVENT}/"
    assert "What happens now" in text(client.get(path))
    client.post("/donor/withdraw/")
    page = text(client.get(path))
    assert "What happens now" not in page
    assert "You gave your consent" in page


def test_receipt_waits_for_its_place_by_asking_again(
    client: Client, given: Consent
) -> None:
    page = client.get(f"/donor/receipts/{EVENT}/").content.decode()
    assert "waits for its place" in page
    assert 'hx-trigger="every 2s"' in page


def test_uses_tell_who_why_and_when(client: Client, fetched: Download) -> None:
    answer = client.get("/donor/uses/")
    page = text(answer)
    for part in (
        "Hearts",
        "Harbour Institute of Genomics",
        "any kind of research",
        "A review board said yes on 2 March 2026",
        "Yes, once, last on 2 March 2026",
        "GMR000001",
        "type:biomedical",
    ):
        assert part in page
    assert "About <hearts>" not in answer.content.decode()
    assert "ab" * 32 not in page


def test_uses_that_nobody_fetched_are_not_called_fetched(
    client: Client, release: Release
) -> None:
    page = text(client.get("/donor/uses/"))
    assert "Ready, not fetched" in page
    assert "Was it fetched? No." in page


def test_release_that_was_never_sealed_is_no_use(
    client: Client, release: Release
) -> None:
    Release.objects.update(
        sealed_at=None, state=ReleaseState.FAILED, failure_reason="x"
    )
    assert "No one yet" in text(client.get("/donor/uses/"))


def test_uses_of_another_donor_are_not_shown(
    release: Release, signed_in: SignedIn
) -> None:
    other = signed_in(factories.person(Role.DONOR))
    page = text(other.get("/donor/uses/"))
    assert "Hearts" not in page
    assert "No one yet" in page
