"""Whose a receipt and an opening are; to everybody else there is no such entry."""

import uuid
from datetime import datetime

import pytest

import consent.services
import gemmule.access.services
from consent.forms import shipped
from consent.models import Consent, Donor
from consent.terms import Terms
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.accounts.selectors import donor_of
from gemmule.audit import permissions
from gemmule.releases.models import Download, Release
from tests import cohorts, factories
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.api.conftest import approved, available, folders, now, release
from tests.gemmule.releases.conftest import keyring

__all__ = [
    "approved",
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "submitted",
]
pytestmark = pytest.mark.django_db


@pytest.fixture
def act(ada: User, now: datetime) -> Consent:
    """Return Ada's consent."""
    donor = donor_of(ada)
    assert donor is not None
    return give(donor, now)


def give(donor: Donor, now: datetime) -> Consent:
    form = consent.services.publish_form(
        name="general", version="1.0", language="en", content=shipped.content(), now=now
    )
    return consent.services.give(
        donor=donor,
        form=form,
        terms=Terms.from_json(cohorts.GENERAL),
        withheld={},
        discovery=True,
        event=uuid.uuid4(),
        now=now,
    )


@pytest.fixture
def delivered(available: Release, rosa: User, now: datetime) -> Download:
    return Download.objects.create(
        file=available.files.get(),
        user=rosa,
        start=0,
        stop=1,
        started_at=now,
        finished_at=now,
        outcome="complete",
        event=uuid.uuid4(),
    )


def may_hold(user: User, event: uuid.UUID) -> bool:
    try:
        permissions.check_may_hold_receipt(user, event)
    except NotFound:
        return False
    return True


def may_open(user: User, event: uuid.UUID) -> bool:
    try:
        permissions.check_may_open(user, event)
    except (NotAllowed, NotFound):
        return False
    return True


def test_a_donor_holds_and_opens_her_own_act(ada: User, act: Consent) -> None:
    assert may_hold(ada, act.event)
    assert may_open(ada, act.event)


def test_another_donor_has_no_part_in_it(act: Consent, now: datetime) -> None:
    other = factories.person(Role.DONOR)
    assert donor_of(other) is not None
    assert not may_hold(other, act.event)
    assert not may_open(other, act.event)


def test_without_the_role_a_donors_account_is_a_strangers(
    ada: User, act: Consent, now: datetime
) -> None:
    ada.role_grants.update(revoked_at=now)
    assert not may_hold(ada, act.event)
    assert not may_open(ada, act.event)


@pytest.mark.parametrize("who", ["ira", "ingrid", "aud"])
def test_who_audits_holds_any_receipt_and_opens_no_donors_act(
    who: str, request: pytest.FixtureRequest, act: Consent
) -> None:
    reader: User = request.getfixturevalue(who)
    assert may_hold(reader, act.event)
    # She knows of the entry, so it is said why and not denied that it is there.
    with pytest.raises(NotAllowed, match="person it concerns"):
        permissions.check_may_open(reader, act.event)


@pytest.mark.parametrize("who", ["ira", "ingrid", "aud"])
def test_who_audits_opens_what_became_of_data(
    who: str, request: pytest.FixtureRequest, available: Release
) -> None:
    reader: User = request.getfixturevalue(who)
    asked = available.request
    decision = asked.reviews.get()
    assert asked.event_submitted is not None
    for event in (available.event, asked.event_submitted, decision.event):
        assert may_hold(reader, event)
        assert may_open(reader, event)


def test_a_project_holds_what_it_did_and_what_was_decided(
    rosa: User, available: Release, delivered: Download
) -> None:
    asked = available.request
    assert asked.event_submitted is not None and delivered.event is not None
    Release.objects.update(event_revoked=uuid.uuid4())
    available.refresh_from_db()
    assert available.event_revoked is not None
    own = (
        asked.event_submitted,
        available.event,
        available.event_revoked,
        delivered.event,
    )
    for event in own:
        assert may_hold(rosa, event)
        assert may_open(rosa, event)
    decision = asked.reviews.get().event
    assert may_hold(rosa, decision)
    # Its body names the reviewer.
    assert not may_open(rosa, decision)


def test_another_project_has_no_part_in_it(
    available: Release, delivered: Download, now: datetime
) -> None:
    rival = factories.person(Role.RESEARCHER)
    rival.institution = available.request.project.institution
    rival.save()
    gemmule.access.services.create_project(
        user=rival, title="Lungs", lay_summary="About lungs.", now=now
    )
    asked = available.request
    for event in (
        asked.event_submitted,
        asked.reviews.get().event,
        available.event,
        delivered.event,
    ):
        assert event is not None
        assert not may_hold(rival, event)
        assert not may_open(rival, event)


@pytest.mark.parametrize("role", [Role.STEWARD, Role.ADMINISTRATOR])
def test_other_roles_have_no_part_in_anything(
    role: Role, act: Consent, available: Release
) -> None:
    person = factories.person(role)
    for event in (act.event, available.event):
        assert not may_hold(person, event)
        assert not may_open(person, event)


def test_what_never_was_is_nobodys(ada: User, rosa: User, aud: User, sam: User) -> None:
    for person in (ada, rosa, aud, sam):
        assert not may_hold(person, uuid.uuid4())
        assert not may_open(person, uuid.uuid4())


def test_not_yours_and_not_there_read_alike(sam: User, act: Consent) -> None:
    said = []
    for event in (act.event, uuid.uuid4()):
        with pytest.raises(NotFound) as refusal:
            permissions.check_may_hold_receipt(sam, event)
        said.append(str(refusal.value).replace(str(event), ""))
    assert said[0] == said[1]
