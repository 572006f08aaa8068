"""Whoever edits a row without the ledger leaves a difference, and it is found."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet

import consent.services
import gemmule.access.services
import ledger.services
from consent.models import Consent, FormVersion
from gemmule.access.models import AccessRequest, Review
from gemmule.accounts.models import Role, RoleGrant, User
from gemmule.audit import reconciliation
from gemmule.releases import closing, services
from gemmule.releases.models import (
    Download,
    Release,
    ReleaseDonor,
    ReleaseFile,
    ReleaseState,
)
from ledger.models import Body, Checkpoint

pytestmark = pytest.mark.django_db

Attack = Callable[[Release], object]


def codes() -> set[str]:
    return {each.code for each in reconciliation.findings()}


def test_rows_that_nobody_touched_are_as_the_ledger_says(delivered: Release) -> None:
    assert list(reconciliation.findings()) == []


def test_rows_are_as_the_ledger_says_after_everything_that_may_happen(
    delivered: Release, rosa: User, ira: User, now: datetime
) -> None:
    donor = delivered.donors.first()
    assert donor is not None
    services.withdraw_consent(
        donor=donor.donor, channel="donor", event=uuid.uuid4(), now=now
    )
    delivered.refresh_from_db()
    assert delivered.state == ReleaseState.REVOKED
    gemmule.access.services.close(user=rosa, request=delivered.request, now=now)
    assert list(reconciliation.findings()) == []


def test_what_is_not_sequenced_yet_is_no_finding(
    delivered: Release, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.services, "settle", lambda *, now: None)
    donor = delivered.donors.first()
    assert donor is not None
    services.pause_consent(
        donor=donor.donor, channel="donor", event=uuid.uuid4(), now=now
    )
    assert list(reconciliation.findings()) == []


def edit(model: type[Model], **values: object) -> Attack:
    return lambda release: model._default_manager.update(**values)


def wipe(rows: QuerySet[Any]) -> None:
    """Delete rows in the database, where no foreign key protects them."""
    rows.filter(pk=rows.values("pk")[:1])._raw_delete("default")


def swap_donors(release: Release) -> None:
    """Let one donor's decision be that of another, and the other way round."""
    one, two = Consent.objects.order_by("pk")[:2]
    spare = consent.services.register_donor(now=release.created_at)
    for row, donor in ((one, spare.pk), (two, one.donor_id), (one, two.donor_id)):
        Consent.objects.filter(pk=row.pk).update(donor=donor)


def forge_consent(release: Release) -> None:
    row = Consent.objects.order_by("pk")[0]
    Consent.objects.filter(pk=row.pk).update(is_current=False)
    row.pk, row.number, row.event = uuid.uuid4(), 2, uuid.uuid4()
    row._state.adding = True
    row.save()


def borrow_an_entry(release: Release) -> None:
    """Back a forged decision by an entry that says something else."""
    forge_consent(release)
    Consent.objects.filter(number=2).update(event=release.event)


def forge_release(release: Release) -> None:
    """Copy an available release to another key, with an event of no entry."""
    Release.objects.filter(pk=release.pk).update(
        event=uuid.uuid4(), accession="GMR0000000"
    )


def forge_manifest(release: Release) -> None:
    whole = json.loads(bytes(release.manifest or b""))
    whole["manifest"]["samples"] = 23
    Release.objects.update(manifest=json.dumps(whole).encode())


def reopen(release: Release) -> None:
    closing.revoke(
        user=User.objects.get(email__startswith="ira"),
        release=release,
        reason="Stop.",
        now=release.created_at,
    )
    Release.objects.update(state=ReleaseState.AVAILABLE, closed_at=None)


def hide_revocation(release: Release) -> None:
    reopen(release)
    Release.objects.update(event_revoked=None)


def reopen_request(release: Release) -> None:
    gemmule.access.services.close(
        user=release.recipient, request=release.request, now=release.created_at
    )
    AccessRequest.objects.update(state="approved")


def forge_approval(release: Release) -> None:
    AccessRequest.objects.update(event_decided=uuid.uuid4())


def make_reviewer(release: Release) -> None:
    RoleGrant.objects.create(
        user=release.recipient,
        role=Role.IRB_CHAIR,
        channel=RoleGrant.Channel.BOOTSTRAP,
        event=uuid.uuid4(),
        created_at=release.created_at,
    )


ATTACKS: dict[str, tuple[Attack, str]] = {
    "a consent row is widened": (
        edit(Consent, terms={"permission": "NRES", "diseases": [], "modifiers": {}}),
        "consent-row",
    ),
    "a consent row is deleted": (
        lambda release: wipe(Consent.objects.all()),
        "consent-row-missing",
    ),
    "a consent row is written without an entry": (
        forge_consent,
        "consent-without-entry",
    ),
    "a consent row leans on another's entry": (
        borrow_an_entry,
        "consent-without-entry",
    ),
    "the body of an entry is emptied": (
        lambda release: Body.objects.update(
            key_id=None, subject_seq=None, commit=None, sealed=None
        ),
        "consent-unopened",
    ),
    "two donors' consents are exchanged": (swap_donors, "consent-donor"),
    "a donor's first decision is said to be her second": (
        edit(Consent, number=2),
        "consent-history",
    ),
    "no consent stands any more": (edit(Consent, is_current=False), "consent-current"),
    "a form is changed": (
        edit(FormVersion, content={"title": "Other words"}),
        "form-row",
    ),
    "a form is deleted": (
        lambda release: wipe(FormVersion.objects.all()),
        "form-row-missing",
    ),
    "a form is published without an entry": (
        lambda release: FormVersion.objects.update(event=uuid.uuid4()),
        "form-without-entry",
    ),
    "a release row is written without an entry": (
        forge_release,
        "release-without-entry",
    ),
    "a released release is hidden": (forge_release, "release-row-missing"),
    "a manifest is changed": (forge_manifest, "release-manifest"),
    "a release is given to another": (
        lambda release: Release.objects.update(
            recipient=User.objects.get(email__startswith="sven")
        ),
        "release-row",
    ),
    "a donor is taken out of a release": (
        lambda release: wipe(ReleaseDonor.objects.all()),
        "release-donors",
    ),
    "a donor of a release gets another name": (
        lambda release: ReleaseDonor.objects.filter(
            pk=ReleaseDonor.objects.values("pk")[:1]
        ).update(sample_name="ZZZZZZZZZZ"),
        "release-donors",
    ),
    "a file of a release is exchanged": (
        edit(ReleaseFile, sha256_cipher="00" * 32),
        "release-files",
    ),
    "a revoked release is opened again": (reopen, "release-revoked"),
    "a revocation is wiped off its row": (hide_revocation, "release-revoked"),
    "a download is deleted": (
        lambda release: wipe(Download.objects.all()),
        "download-row-missing",
    ),
    "a download is put on another person": (
        lambda release: Download.objects.update(
            user=User.objects.get(email__startswith="sven")
        ),
        "download-row",
    ),
    "a download loses its event": (
        edit(Download, event=None),
        "download-without-entry",
    ),
    "a download is given an event of its own": (
        lambda release: Download.objects.update(event=uuid.uuid4()),
        "download-without-entry",
    ),
    "an approved request is rewritten": (
        edit(AccessRequest, justification="Something else."),
        "request-row",
    ),
    "a closed request is opened again": (reopen_request, "request-state"),
    "an approval has no entry": (forge_approval, "request-without-entry"),
    "a review is deleted": (
        lambda release: wipe(Review.objects.all()),
        "review-row-missing",
    ),
    "a request is deleted": (
        lambda release: wipe(AccessRequest.objects.all()),
        "request-row-missing",
    ),
    "a signed statement is changed": (edit(Review, statement=b"{}"), "review-row"),
    "a review is put on another reviewer": (
        lambda release: Review.objects.update(reviewer=release.recipient),
        "review-row",
    ),
    "a review is written without an entry": (
        lambda release: Review.objects.update(event=uuid.uuid4()),
        "review-without-entry",
    ),
    "somebody makes herself the chair": (make_reviewer, "role-without-entry"),
    "a grant is deleted": (
        lambda release: wipe(RoleGrant.objects.filter(role=Role.IRB_REVIEWER)),
        "role-row-missing",
    ),
    "a grant is made one of more power": (
        lambda release: RoleGrant.objects.filter(role=Role.RESEARCHER).update(
            role=Role.ADMINISTRATOR
        ),
        "role-row",
    ),
}


@pytest.mark.usefixtures("as_superuser")
def test_each_row_edited_without_the_ledger_is_found(
    delivered: Release, subtests: pytest.Subtests
) -> None:
    assert codes() == set()
    for attack, (carry_out, code) in ATTACKS.items():
        with subtests.test(attack), transaction.atomic():
            carry_out(delivered)
            assert code in codes()
            transaction.set_rollback(True)
    assert codes() == set()


@pytest.mark.usefixtures("as_superuser")
def test_a_release_opened_before_its_checkpoint_is_found(delivered: Release) -> None:
    Checkpoint.objects.all().delete()
    assert codes() == {"release-too-early"}
