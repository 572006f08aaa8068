"""Derive a release again from the ledger and say, point by point, whether it fits.

A check that fails says what was expected and what was found; none is skipped
because an earlier one failed.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import rfc8785

import consent.policy
import consent.reconciliation
import consent.selectors
import ledger.selectors
from consent.errors import ConsentError
from consent.policy import Verdict
from gemmule.access.models import Resolution, ReviewDecision
from gemmule.access.selectors import request_sha256
from gemmule.accounts.errors import AccountsError
from gemmule.releases import samples, signing, storage
from gemmule.releases.models import Release, ReleaseFile
from gemmule.releases.samples import SamplesDiffer
from ledger.errors import LedgerError

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question about a release and its answer in plain words."""

    question: str
    holds: bool
    answer: str


class _Broken(Exception):
    """What a single check found to be wrong."""


def verify(release: Release) -> list[Check]:
    """Return every check of a sealed release, in the order a reader would ask."""
    if release.manifest is None:
        return [
            Check(
                question="Is the release sealed?",
                holds=False,
                answer="No: it has no manifest yet, so there is nothing to verify.",
            )
        ]
    return [_ask(question, check, release) for question, check in _CHECKS]


def _ask(question: str, check: Callable[[Release], str], release: Release) -> Check:
    try:
        return Check(question=question, holds=True, answer=check(release))
    except (_Broken, AccountsError, ConsentError, LedgerError) as error:
        return Check(question=question, holds=False, answer=str(error))


def _manifest_is_ours(release: Release) -> str:
    whole = json.loads(bytes(release.manifest or b""))
    if rfc8785.dumps(whole) != bytes(release.manifest or b""):
        raise _Broken("The manifest is not in its canonical form.")
    signing.verify(whole["manifest"], whole["signature"])
    found = hashlib.sha256(bytes(release.manifest or b"")).hexdigest()
    if found != release.manifest_sha256:
        raise _Broken(f"Its digest is {found}, recorded was {release.manifest_sha256}.")
    return "Its signature is ours and its digest is the recorded one."


def _entry_names_manifest(release: Release) -> str:
    entry = ledger.selectors.entry(release.event)
    if entry.pub.get("manifest_sha256") != release.manifest_sha256:
        raise _Broken("The ledger entry names another manifest.")
    if entry.state != "published":
        raise _Broken("The entry is not under a signed checkpoint yet.")
    return f"Entry {entry.seq} names this manifest and is under a signed checkpoint."


def _request_unchanged(release: Release) -> str:
    body = _body(release)
    if body["request_sha256"] != request_sha256(release.request):
        raise _Broken("The request was changed after the release was sealed.")
    return "The request reads today as it did when the release was sealed."


def _decision_signed(release: Release) -> str:
    """Check every signed act of the IRB, not the approval alone: each is kept."""
    reviews = list(release.request.reviews.select_related("reviewer"))
    approvals = [one for one in reviews if one.decision == ReviewDecision.APPROVE]
    if not approvals:
        raise _Broken("There is no approval of this request.")
    entries = ledger.selectors.entries_by_event([review.event for review in reviews])
    for review in reviews:
        what = review.get_decision_display().lower()
        digest = hashlib.sha256(bytes(review.statement)).hexdigest()
        entry = entries.get(review.event)
        if entry is None or entry.pub.get("statement_sha256") != digest:
            raise _Broken(
                f"The ledger carries another statement than the one kept ({what})."
            )
        if review.signature.get("statement_sha256") != digest:
            raise _Broken(f"The signature is over another statement ({what}).")
    (approval,) = approvals
    entry = entries[approval.event]
    return f"Signed by {approval.reviewer.name}; ledger entry {entry.seq} carries it."


def _consents_cover(release: Release) -> str:
    """Run the consent decision of every sample again, as it stood at the seal."""
    if release.sealed_at is None or release.ledger_size is None:
        raise _Broken("The release was never sealed.")
    donors = list(release.donors.select_related("consent", "donor"))
    first = (
        Release.objects.filter(
            request__project=release.request.project, sealed_at__isnull=False
        )
        .order_by("sealed_at")
        .first()
    )
    entries = ledger.selectors.entries_by_event([one.consent.event for one in donors])
    purpose = consent.policy.Purpose.from_json(_body(release)["purpose"])
    resolved = set(
        Resolution.objects.filter(
            review__request=release.request,
            review__decision=ReviewDecision.APPROVE,
        ).values_list("consent_id", "code")
    )
    standing = consent.selectors.standing_at(
        [one.donor_id for one in donors], tree_size=release.ledger_size
    )
    for one in donors:
        if standing.get(one.donor_id) != one.consent:
            raise _Broken(f"Sample {one.sample_name}: another consent stood then.")
        consent.reconciliation.check(one.consent)
        entry = entries.get(one.consent.event)
        if entry is None or entry.seq is None or entry.seq >= release.ledger_size:
            raise _Broken(f"Sample {one.sample_name}: its consent came after the seal.")
        decision = consent.policy.decide(
            purpose,
            one.consent.to_terms(state="active"),
            release.sealed_at.date(),
            first_release=first.sealed_at.date() if first and first.sealed_at else None,
        )
        open_clauses = [
            clause.code
            for clause in decision.clauses
            if clause.verdict is Verdict.REVIEW
            and (one.consent_id, clause.code) not in resolved
        ]
        if decision.verdict is Verdict.DENY or open_clauses:
            raise _Broken(
                f"Sample {one.sample_name}: its consent does not cover this purpose."
            )
    of_all = f"{len(donors)} of {len(donors)}"
    return f"{of_all} consents cover the purpose{_since(release)}."


def _cohort_root_fits(release: Release) -> str:
    pub: dict[str, Any] = dict(ledger.selectors.entry(release.event).pub)
    try:
        opened = samples.check(release, _body(release), pub.get("cohort_root"))
    except SamplesDiffer as error:
        raise _Broken(str(error)) from error
    return f"{opened} samples open to the root on the ledger{_since(release)}."


def _files_fit(release: Release) -> str:
    named = {file["name"]: file for file in _body(release)["files"]}
    deleted = False
    for file in release.files.all():
        said = named.pop(file.name, None)
        if said is None or said["sha256_cipher"] != file.sha256_cipher:
            raise _Broken(f"{file.name} is not the file the manifest names.")
        if not file.path and release.donors_erased:
            deleted = True
            continue
        if _stored_sha256(file) != file.sha256_cipher:
            raise _Broken(f"{file.name} was changed in storage.")
    if named:
        raise _Broken(f"{sorted(named)[0]} is named by the manifest and missing.")
    if deleted:
        return "The files are deleted, because a donor in them was erased."
    return "Every stored byte is the one the manifest names."


def _stored_sha256(file: ReleaseFile) -> str:
    digest, position = hashlib.sha256(), 0
    try:
        with storage.reader(file) as read:
            while chunk := read(position, _READ_BYTES):
                digest.update(chunk)
                position += len(chunk)
    except FileNotFoundError as error:
        raise _Broken(f"{file.name} is gone from storage.") from error
    return digest.hexdigest()


def _since(release: Release) -> str:
    """Return what to add where some donors' places open no more."""
    gone = release.donors_erased
    if not gone:
        return ""
    return f"; {gone} more {'was' if gone == 1 else 'were'} erased since"


def _body(release: Release) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bytes(release.manifest or b""))["manifest"]
    return found


_CHECKS: tuple[tuple[str, Callable[[Release], str]], ...] = (
    ("Is the manifest ours and unchanged?", _manifest_is_ours),
    ("Is the release on the ledger?", _entry_names_manifest),
    ("Is the request the one that was approved?", _request_unchanged),
    ("Was the approval signed?", _decision_signed),
    ("Did every donor's consent cover it?", _consents_cover),
    ("Are these the donors on the ledger?", _cohort_root_fits),
    ("Are the stored files the sealed ones?", _files_fit),
)
