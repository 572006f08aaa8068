"""/api/v1/receipts/ and /openings/: for the project, the IRB and auditors."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from knox.models import AuthToken

from gemmule.access.models import AccessRequest
from gemmule.accounts.models import Role, User
from gemmule.releases.models import Release
from ledger import selectors
from ledger.tlog import opening, receipt
from tests import factories
from tests.gemmule.api.callers import Caller, assert_problem

pytestmark = pytest.mark.django_db


def test_a_release_names_the_event_of_its_receipt(
    as_rosa: Caller, available: Release
) -> None:
    event = as_rosa.get(f"/releases/{available.accession}/").json()["event"]
    answer = as_rosa.get(f"/receipts/{event}/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert f'filename="{event}.tlog-proof"' in answer.headers["Content-Disposition"]
    found = receipt.check(receipt.Receipt.parse(answer.content), selectors.policy())
    assert found.entry.type == "data.released"
    assert found.entry.pub["manifest_sha256"] == available.manifest_sha256


def test_its_opening_is_a_file_of_its_own(as_rosa: Caller, available: Release) -> None:
    answer = as_rosa.get(f"/openings/{available.event}/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    found = opening.Opening.parse(answer.content)
    assert found.body["release"] == available.accession


def test_a_request_names_its_events_too(
    as_rosa: Caller, approved: AccessRequest, available: Release
) -> None:
    told = as_rosa.get(f"/requests/{approved.accession}/").json()
    types = {}
    for name in ("event_submitted", "event_decided"):
        data = as_rosa.get(f"/receipts/{told[name]}/").content
        types[name] = receipt.check(
            receipt.Receipt.parse(data), selectors.policy()
        ).entry.type
    assert types == {
        "event_submitted": "access.submitted",
        "event_decided": "access.approved",
    }


def test_before_it_is_published_a_client_is_told_when_to_come_again(
    as_rosa: Caller, sealed: Release
) -> None:
    for kind in ("receipts", "openings"):
        answer = as_rosa.get(f"/{kind}/{sealed.event}/")
        assert_problem(answer, 503, says="no published checkpoint covers")
        assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("who", ["ira", "ingrid", "aud"])
def test_who_audits_has_both(
    who: str, as_someone: Callable[[str], Caller], available: Release
) -> None:
    reader = as_someone(who)
    assert reader.get(f"/receipts/{available.event}/").status_code == 200
    assert reader.get(f"/openings/{available.event}/").status_code == 200


@pytest.mark.parametrize("kind", ["receipts", "openings"])
def test_a_rival_cannot_tell_it_from_what_never_was(
    kind: str, as_rival: Caller, available: Release
) -> None:
    answers = []
    for event in (available.event, uuid.uuid4()):
        body = assert_problem(as_rival.get(f"/{kind}/{event}/"), 404, code="not-found")
        answers.append({**body, "detail": body["detail"].replace(str(event), "")})
    assert answers[0] == answers[1]


@pytest.mark.parametrize("kind", ["receipts", "openings"])
def test_a_stranger_and_other_roles_are_refused(kind: str, available: Release) -> None:
    assert_problem(Caller().get(f"/{kind}/{available.event}/"), 401)
    for role in (Role.DONOR, Role.STEWARD, Role.ADMINISTRATOR):
        person: User = factories.person(role)
        # A role may go and its token stay.
        asks = caller_of(person)
        assert_problem(asks.get(f"/{kind}/{available.event}/"), 403)


def caller_of(person: User) -> Caller:
    """Return a person with a token, whether or not she could make one herself."""
    _, token = AuthToken.objects.create(user=person, expiry=timedelta(days=1))
    return Caller(token)
