"""A row that was edited in the database releases nobody: a build asks the ledger.

Each attack is what whoever owns the database can type; the triggers that would refuse
it are switched off first, which is one statement as well.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

import consent.reconciliation
import consent.services
import gemmule.access.services
from consent.models import Consent, Donor, FormVersion
from consent.terms import Terms
from gemmule.access.coverage import coverage
from gemmule.access.models import AccessRequest, Resolution, Review
from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset, Sample
from gemmule.notices.models import Notice
from gemmule.releases import build, services
from gemmule.releases.models import Release, ReleaseState
from ledger import opened
from ledger.models import Body
from tests import cohorts
from tests.gemmule.audit.conftest import as_superuser
from tests.gemmule.releases.conftest import Clock, Keyring

__all__ = ["as_superuser"]
pytestmark = pytest.mark.django_db

KEEPS_BACK, ENDS, REFUSED, WITHDREW, ANCESTRY, ASKS_A_PERSON = range(24, 30)
OF_A_KIND: dict[str, Any] = {"permission": "GRU", "modifiers": {"RS": True}}
OPEN_TERMS = {"permission": "GRU", "diseases": [], "modifiers": {}}

Attack = Callable[[list[Donor], AccessRequest], None]


@pytest.fixture
def donors(db: None, clock: Clock) -> list[Donor]:
    """Return 24 donors who permit everything, and six who do not."""
    wishes: list[dict[str, Any] | None] = [cohorts.GENERAL] * 24
    wishes += [None, None, None, cohorts.GENERAL, {"permission": "POA"}, OF_A_KIND]
    made = cohorts.donors(wishes, clock())
    back = {"regions": [["2", 0, 200_000]], "build": "GRCh37", "flank": 0}
    cohorts.agree(made[KEEPS_BACK], cohorts.GENERAL, clock(), withheld=back)
    consent.services.give(
        donor=made[ENDS],
        form=cohorts.form(clock()),
        terms=Terms.from_json(cohorts.GENERAL),
        valid_until=(clock() + timedelta(days=1)).date(),
        event=uuid.uuid4(),
        now=clock(),
    )
    consent.services.refuse(
        donor=made[REFUSED], form=cohorts.form(clock()), event=uuid.uuid4(), now=clock()
    )
    consent.services.withdraw(donor=made[WITHDREW], event=uuid.uuid4(), now=clock())
    return made


def standing(donor: Donor) -> Any:
    return Consent.objects.filter(donor=donor, is_current=True)


def widen_terms(donors: list[Donor], request: AccessRequest) -> None:
    standing(donors[ANCESTRY]).update(terms=OPEN_TERMS)


def agree_for_her(donors: list[Donor], request: AccessRequest) -> None:
    standing(donors[REFUSED]).update(act="given", terms=OPEN_TERMS)


def undo_withdrawal(donors: list[Donor], request: AccessRequest) -> None:
    standing(donors[WITHDREW]).update(act="resumed")


def let_the_first_stand(donors: list[Donor], request: AccessRequest) -> None:
    rows = Consent.objects.filter(donor=donors[WITHDREW])
    rows.filter(number=2).update(is_current=False)
    rows.filter(number=1).update(is_current=True)


def count_anew(donors: list[Donor], request: AccessRequest) -> None:
    """Let the ledger's own table count the first decision as the later one."""
    let_the_first_stand(donors, request)
    first = Consent.objects.get(donor=donors[WITHDREW], number=1)
    Body.objects.filter(event=first.event).update(subject_seq=3)
    Consent.objects.filter(donor=donors[WITHDREW], number=2)._raw_delete("default")


def delete_withdrawal(donors: list[Donor], request: AccessRequest) -> None:
    rows = Consent.objects.filter(donor=donors[WITHDREW])
    rows.filter(number=2)._raw_delete("default")
    rows.filter(number=1).update(is_current=True)


def give_another_row(donors: list[Donor], request: AccessRequest) -> None:
    """Let the decision of one who permits be that of one who refused."""
    standing(donors[REFUSED]).update(is_current=False)
    standing(donors[0]).update(donor=donors[REFUSED], number=2)


def exchange_persons(donors: list[Donor], request: AccessRequest) -> None:
    """Let one who refused be, to the ledger, one who permits."""
    permits, refused = donors[0], donors[REFUSED]
    row, other = standing(permits).get(), standing(refused).get()
    Consent.objects.filter(pk=other.pk).update(is_current=False)
    Consent.objects.filter(pk=row.pk).update(donor=refused, number=2)
    Consent.objects.filter(pk=other.pk).update(donor=permits, number=1, is_current=True)
    Consent.objects.filter(pk=row.pk).update(number=1)
    Donor.objects.filter(pk=permits.pk).update(subject=uuid.uuid4())
    Donor.objects.filter(pk=refused.pk).update(subject=permits.subject)
    Donor.objects.filter(pk=permits.pk).update(subject=refused.subject)


def exchange_columns(donors: list[Donor], request: AccessRequest) -> None:
    """Let the column of one who refused be that of one who permits."""
    rows = Sample.objects.filter(dataset=request.dataset)
    permits, refused = rows.get(donor=donors[0]), rows.get(donor=donors[REFUSED])
    rows.filter(pk=refused.pk).update(source_name="spare")
    rows.filter(pk=permits.pk).update(source_name=refused.source_name)
    rows.filter(pk=refused.pk).update(source_name=permits.source_name)


def open_again(donors: list[Donor], request: AccessRequest) -> None:
    standing(donors[ENDS]).update(valid_until=None)


def keep_nothing_back(donors: list[Donor], request: AccessRequest) -> None:
    standing(donors[KEEPS_BACK]).update(withheld={})


def sign_another_form(donors: list[Donor], request: AccessRequest) -> None:
    form = FormVersion.objects.create(
        name="other", version="1.0", language="en", content={}, sha256="77" * 32
    )
    standing(donors[0]).update(form=form)


def set_discovery(donors: list[Donor], request: AccessRequest) -> None:
    standing(donors[0]).update(discovery=False)


def lean_on_another_entry(donors: list[Donor], request: AccessRequest) -> None:
    """Let the row of one who refused cite the entry of one who permits."""
    row = standing(donors[0]).get()
    Consent.objects.filter(pk=row.pk).update(event=uuid.uuid4())
    standing(donors[REFUSED]).update(event=row.event, act="given", terms=row.terms)


def empty_body(donors: list[Donor], request: AccessRequest) -> None:
    Body.objects.filter(event=standing(donors[0]).get().event).update(
        key_id=None, subject_seq=None, commit=None, sealed=None
    )


def ask_for_more(donors: list[Donor], request: AccessRequest) -> None:
    """Let an approved request be one that a donor of another kind permits."""
    AccessRequest.objects.update(
        purpose={**request.purpose, "research_types": ["ancestry"]}
    )


def ask_for_all_regions(donors: list[Donor], request: AccessRequest) -> None:
    AccessRequest.objects.update(regions=[["2", 0, 200_000]])


def lengthen_approval(donors: list[Donor], request: AccessRequest) -> None:
    AccessRequest.objects.update(expires_on="2099-01-01")


def lengthen_review(donors: list[Donor], request: AccessRequest) -> None:
    Review.objects.update(expires_on="2099-01-01")
    AccessRequest.objects.update(expires_on="2099-01-01")


def resolve_a_clause(donors: list[Donor], request: AccessRequest) -> None:
    """Let the approval turn a clause into permit that no reviewer looked at."""
    assert request.decided_at is not None
    (decided,) = coverage(request, request.decided_at.date()).review.values()
    assert decided.consent is not None
    (code,) = [
        each.code for each in decided.decision.clauses if each.verdict.value == "review"
    ]
    Resolution.objects.create(
        review=request.reviews.get(decision="approve"),
        consent=decided.consent,
        code=code,
        rules=decided.decision.versions["rules"],
    )


def borrow_an_approval(donors: list[Donor], request: AccessRequest) -> None:
    AccessRequest.objects.update(event_decided=request.event_submitted)


def put_on_another_reviewer(donors: list[Donor], request: AccessRequest) -> None:
    Review.objects.update(reviewer=request.created_by)


def reopen_closed(donors: list[Donor], request: AccessRequest) -> None:
    """Open a request again that the project has closed."""
    assert request.decided_at is not None
    gemmule.access.services.close(
        user=request.created_by, request=request, now=request.decided_at
    )
    AccessRequest.objects.update(state="approved")


def move_build(donors: list[Donor], request: AccessRequest) -> None:
    Dataset.objects.update(build="GRCh38")


ATTACKS: list[Attack] = [
    widen_terms,
    agree_for_her,
    undo_withdrawal,
    let_the_first_stand,
    count_anew,
    delete_withdrawal,
    give_another_row,
    exchange_persons,
    exchange_columns,
    open_again,
    keep_nothing_back,
    sign_another_form,
    set_discovery,
    lean_on_another_entry,
    empty_body,
    ask_for_more,
    ask_for_all_regions,
    lengthen_approval,
    lengthen_review,
    resolve_a_clause,
    borrow_an_approval,
    put_on_another_reviewer,
    reopen_closed,
    move_build,
]


@pytest.mark.usefixtures("as_superuser")
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_row_edited_before_the_build_releases_nothing(
    attack: Attack,
    release: Release,
    approved: AccessRequest,
    donors: list[Donor],
    clock: Clock,
) -> None:
    clock.tick(days=2)
    attack(donors, approved)
    build.run(release.pk, clock=clock)
    release.refresh_from_db()
    assert (release.state, release.failure_code) == ("failed", "rows-altered")
    assert not release.files.exists()
    assert len(incidents()) == 1


def incidents() -> list[opened.Opened]:
    return [each for some in opened.walk("incident.") for each in some]


@pytest.mark.usefixtures("as_superuser")
def test_who_audits_is_told_once_a_day_and_nobody_is_named(
    release: Release,
    rosa: User,
    ira: User,
    aud: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
    signed_in: Callable[[User], Client],
) -> None:
    clock.tick(days=2)
    widen_terms(donors, approved)

    def ask_again() -> Release:
        asked = services.open_release(
            user=rosa, request=approved, key=keyring.key, now=clock()
        )
        build.run(asked.pk, clock=clock)
        asked.refresh_from_db()
        return asked

    for _ in range(3):
        stopped = ask_again()
        assert stopped.failure_code == "rows-altered"
    page = signed_in(aud).get("/audit/ledger/").content.decode()
    assert "Somebody edited the database" in page and stopped.accession in page
    (incident,) = incidents()
    assert incident.pub == {
        "dataset": approved.dataset.accession,
        "reason": "rows-altered",
    }
    assert incident.body is not None
    told = Notice.objects.filter(kind="incident.reported")
    assert {notice.user for notice in told} == {ira, aud}
    assert "1 of the consents" in told[0].body and "in: terms" in told[0].body
    said = [str(incident.body), *Notice.objects.values_list("body", flat=True)]
    for donor in donors:
        row = standing(donor).first()
        names = [donor.pk, donor.subject, *([row.pk, row.event] if row else [])]
        assert not any(str(name) in text for name in names for text in said)
    clock.tick(days=1)
    ask_again()
    assert len(incidents()) == 2 and told.all().count() == 4


@pytest.mark.usefixtures("as_superuser")
def test_a_row_that_was_set_right_again_is_released(
    release: Release,
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
) -> None:
    """The operator's bad day: a row was set by hand, and is set back by hand."""
    before = standing(donors[0]).get().terms
    standing(donors[0]).update(terms=OPEN_TERMS | {"modifiers": {"NPU": True}})
    build.run(release.pk, clock=clock)
    release.refresh_from_db()
    assert release.state == "failed"
    # The one that the findings of `verify_ledger` name.
    (found,) = [
        each for each in consent.reconciliation.findings() if each.code == "consent-row"
    ]
    assert found.event == standing(donors[0]).get().event and "terms" in found.message
    standing(donors[0]).update(terms=before)
    again = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    assert build.run(again.pk, clock=clock) == ReleaseState.SEALED
    assert not again.donors.filter(donor=donors[ANCESTRY]).exists()
