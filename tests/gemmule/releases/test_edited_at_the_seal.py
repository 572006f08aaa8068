"""A row that is edited between the check and the seal: the database compares again."""

import random
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

import consent.standing
from consent.models import Consent, Donor, FormVersion
from gemmule.access.models import AccessRequest, Review
from gemmule.accounts.models import User
from gemmule.releases import build, closing, cohort, services
from gemmule.releases.models import Release, ReleaseState
from tests import cohorts
from tests.gemmule.audit.conftest import as_superuser
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.racing import Aim, QuickCut, beside, let_pass, rounds

__all__ = ["as_superuser"]
ROOT = Path(__file__).parents[3]

Edit = Callable[[Donor, Release], object]


def decision(**values: object) -> Edit:
    return lambda donor, release: Consent.objects.filter(donor=donor).update(**values)


def another_form(donor: Donor, release: Release) -> None:
    form = FormVersion.objects.create(
        name="other", version="1.0", language="en", content={}, sha256="77" * 32
    )
    Consent.objects.filter(donor=donor).update(form=form)


def another_subject(donor: Donor, release: Release) -> None:
    Donor.objects.filter(pk=donor.pk).update(subject=uuid.uuid4())


def another_donor(donor: Donor, release: Release) -> None:
    spare = consent.services.register_donor(now=release.created_at)
    Consent.objects.filter(donor=donor).update(donor=spare)


def later_decision(donor: Donor, release: Release) -> None:
    """Withdraw on the ledger, and let the row say that nothing happened."""
    row = Consent.objects.get(donor=donor)
    consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=release.created_at)
    Consent.objects.filter(donor=donor, number=2)._raw_delete("default")
    Consent.objects.filter(pk=row.pk).update(is_current=True)


EDITS: dict[str, Edit] = {
    "terms": decision(terms={"permission": "NRES", "diseases": [], "modifiers": {}}),
    "withheld": decision(withheld={"regions": [["2", 0, 9]], "build": "GRCh37"}),
    "discovery": decision(discovery=False),
    "act": decision(act="changed"),
    "number": decision(number=3),
    "language": decision(language="sv"),
    "channel": decision(channel="phone"),
    "mondo": decision(mondo_version="2020-01-01"),
    "valid_until": decision(valid_until=date(2099, 1, 1)),
    "event": decision(event=uuid.uuid4()),
    "form": another_form,
    "subject": another_subject,
    "donor": another_donor,
    "is_current": later_decision,
    "purpose": lambda donor, release: AccessRequest.objects.update(
        purpose=cohorts.PURPOSE | {"countries": ["SE", "NO"]}
    ),
    "regions": lambda donor, release: AccessRequest.objects.update(
        regions=[["2", 0, 200_000]]
    ),
    "expires_on": lambda donor, release: AccessRequest.objects.update(
        expires_on=date(2099, 1, 1)
    ),
    "reviewer": lambda donor, release: Review.objects.update(
        reviewer=release.recipient
    ),
    "review": lambda donor, release: Review.objects.update(expires_on="2099-01-01"),
}


@pytest.mark.django_db
@pytest.mark.usefixtures("as_superuser")
@pytest.mark.parametrize("edit", EDITS)
def test_a_row_edited_during_the_build_seals_nothing(
    edit: str,
    release: Release,
    donors: list[Donor],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = build._cut

    def edit_then_cut(*args: object) -> object:
        EDITS[edit](donors[0], release)
        return cut(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "_cut", edit_then_cut)
    build.run(release.pk, clock=clock)
    release.refresh_from_db()
    assert (release.state, release.failure_code) == ("failed", "rows-altered")
    assert not release.files.exists() and not release.donors.exists()


@pytest.mark.django_db
def test_the_check_costs_by_lot_and_not_by_donor(
    approved: AccessRequest, clock: Clock
) -> None:
    """No query is asked once for each donor: 28 cost what two do."""
    members = cohort.included(approved, on=clock().date())
    pairs = [(one.consent, one.subject) for one in members]
    counts = []
    for some in (pairs[:2], pairs):
        with CaptureQueriesContext(connection) as asked:
            found = consent.standing.open_rows(some)
        with CaptureQueriesContext(connection) as compared:
            consent.standing.compare_rows(found)
        counts.append((len(asked), len(compared)))
    # Forms, pending, entries, bodies, tombstones, followed, numbers; two to compare.
    # The keys are in another database.
    assert counts == [(7, 2), (7, 2)]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_edit_beside_the_build_is_caught_or_comes_after_the_seal(
    built: Release,
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
    rng: random.Random,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "_cut", QuickCut.of(built, tmp_path / "cut"))
    closing.revoke(user=rosa, release=built, reason="Next round.", now=clock())
    outcomes: Counter[str] = Counter()
    aim = Aim(rng)
    wide = {"permission": "NRES", "diseases": [], "modifiers": {}}
    for _ in range(rounds(20)):
        release = services.open_release(
            user=rosa, request=approved, key=keyring.key, now=clock()
        )
        row = Consent.objects.get(donor=donors[0], is_current=True)

        def edit(delay: float = aim.draw(), pk: uuid.UUID = row.pk) -> None:
            let_pass(delay)
            _write(pk, wide)

        def make(release: Release = release) -> None:
            build.run(release.pk, clock=clock)

        beside(make, edit)
        _write(row.pk, row.terms)
        release.refresh_from_db()
        outcomes[release.failure_code or release.state] += 1
        aim.learn(delayed_won=release.state == ReleaseState.FAILED)
        if release.state == ReleaseState.SEALED:
            closing.revoke(user=rosa, release=release, reason="Next.", now=clock())
    print(dict(outcomes))
    assert set(outcomes) == {"rows-altered", "sealed"}


def _write(pk: uuid.UUID, terms: object) -> None:
    """Edit a decision as whoever owns the database: the triggers are off."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        Consent.objects.filter(pk=pk).update(terms=terms)
        cursor.execute("SET session_replication_role = origin")


_ON_SQLITE = """
import random, uuid
from datetime import UTC, datetime
import django
django.setup()
from django.conf import settings
from django.db import connection
from django.test.utils import override_settings
from consent.models import Consent
from gemmule.demo import cast
from gemmule.releases import account, closing, cohort, gate, seal, services
from gemmule.releases.errors import DeliveryRefused, RowsDiffer
from gemmule.releases.models import Release
from gemmule.accounts.models import ResearcherKey
from tests import cohorts, factories
from tests.gemmule.api import sealing

assert connection.vendor == "sqlite"
now = datetime(2026, 3, 2, tzinfo=UTC)
with override_settings(
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]
):
    rosa, ira, sven, signe = map(
        factories.member, (cast.ROSA, cast.IRA, cast.SVEN, cast.SIGNE)
    )
    donors = cohorts.donors([cohorts.GENERAL] * 22 + [{"permission": "POA"}], now)
    dataset = cohorts.dataset(donors, steward=sven, second=signe, now=now)
    request = cohorts.approved_request(rosa=rosa, ira=ira, dataset=dataset, now=now)
key = ResearcherKey.objects.create(
    user=rosa, name="k", public_key=b"k" * 32, fingerprint="ab" * 32,
    state="active", created_at=now, registered_at=now,
)
with connection.cursor() as cursor:
    cursor.execute("DROP TRIGGER consent_decision_refuse_update")

def set_terms(donor, **values):
    rows = Consent.objects.filter(donor=donor)
    before = rows.values(*values).get()
    rows.update(**values)
    return lambda: rows.update(**before)

def outcome(do):
    try:
        do()
    except RowsDiffer as error:
        return "; ".join(error.findings)
    return "sealed"

wide = {"permission": "GRU", "diseases": [], "modifiers": {}}
release = services.open_release(user=rosa, request=request, key=key, now=now)
undo = set_terms(donors[22], terms=wide)
print(outcome(lambda: sealing.seal_release(release, now=now)))
undo()
real = account.consider
for values in (
    {"terms": wide | {"modifiers": {"NPU": True}}}, {"discovery": False},
    {"withheld": {"genes": ["BRCA1"]}}, {"act": "changed"}, {"channel": "paper"},
    {"language": "sv"}, {"valid_until": "2099-01-01"}, {"mondo_version": "2020-01-01"},
    {"event": uuid.uuid4()}, {"number": 2}, {"form": None},
):
    undone = []
    def edited(release, chosen):
        made = real(release, chosen)
        undone.append(set_terms(donors[0], **values))
        return made
    account.consider = edited
    sealing.account.consider = edited
    release.refresh_from_db()
    print(outcome(lambda: sealing.seal_release(release, now=now)))
    undone[0]()
account.consider = sealing.account.consider = real
release.refresh_from_db()
print(outcome(lambda: sealing.seal_release(release, now=now)))

def gate_says():
    fresh = Release.objects.select_related("request__project", "key").get(pk=release.pk)
    try:
        gate.pass_chunk(fresh.pk, rosa, lambda: b"chunk", clock=lambda: now)
    except DeliveryRefused as error:
        return error.code
    return "open"

print(gate_says())
closing.revoke(user=ira, release=release, reason="Stop.", now=now)
Release.objects.update(state="available", closed_at=None, event_revoked=None)
print(gate_says())
"""


def test_on_sqlite_the_same_edits_seal_nothing(
    fresh_site: Callable[[str], dict[str, str]],
) -> None:
    environment = {
        **fresh_site("sqlite"),
        "DJANGO_SETTINGS_MODULE": "gemmule.settings",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
    }
    ran = subprocess.run(
        [sys.executable, "-c", _ON_SQLITE],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said = "1 of the consents differ from their ledger entries in: {}"
    fields = (
        "terms terms discovery withheld act channel language valid_until mondo event "
        "number form"
    )
    assert ran.stdout.splitlines() == [
        *(said.format(field) for field in fields.split()),
        "sealed",
        "open",
        "ended-on-ledger",
    ]
