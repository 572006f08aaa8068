"""Make every decision behind a release again, from the dossier of the IRB.

From the ledger's entry of the release downwards: it commits to the account, which names
a commitment for every donor of the dataset; each is opened to the consent that stood,
whose entry is on the ledger below the size that the release cites. `consent.policy`
decides over each again. Whoever is in must have permitted it, whoever is out must not.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import rfc8785

from gemmule.verifier import decisions, places
from gemmule.verifier.decisions import Question, Resolved
from gemmule.verifier.errors import (
    ConsentDenies,
    DecisionDiffers,
    DonorLeftOut,
    DonorsDiffer,
    DossierInvalid,
)
from gemmule.verifier.manifests import Manifest
from gemmule.verifier.places import Place
from ledger import commitments
from ledger.errors import LedgerError
from ledger.tlog import canonical, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import Entry
from ledger.tlog.policy import Policy
from ledger.tlog.receipt import Receipt

KIND = "gemmule/dossier"
VERSION = 1
# About 3 kB for each donor of a dataset.
MAX_BYTES = 1024 * 1024 * 1024

_PROOF_KEYS = frozenset(
    {
        "v",
        "note",
        "released",
        "account",
        "asked",
        "review",
        "resolved",
        "erased",
        "included",
        "left_out",
    }
)
_NEVER = "had decided nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A dossier as it was read: nothing of it is believed yet."""

    proof: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierHolds:
    """What was decided again. `reasons`: why how many of those left out are out.

    `erased` places open no more, some of them perhaps in the release.
    """

    samples: tuple[str, ...]
    left_out: int
    reasons: Mapping[str, int]
    erased: int
    chosen_size: int
    chosen_on: date
    resolved: int


def read(data: bytes) -> Dossier:
    """Return the dossier of a file; raise DossierInvalid."""
    try:
        value = canonical.read(data)
    except ValueError as error:
        raise DossierInvalid(f"the file is not a dossier: {error}") from error
    if not isinstance(value, dict) or value.get("kind") != KIND:
        raise DossierInvalid(f"the file is not of the kind {KIND}")
    if type(value.get("v")) is not int or value["v"] != VERSION:
        raise DossierInvalid(f"this program reads dossiers of version {VERSION}")
    proof = value.get("proof")
    if proof is None:
        raise DossierInvalid(
            "the dossier holds no proof: it was taken by somebody who is not of the IRB"
        )
    if (
        not isinstance(proof, dict)
        or proof.keys() != _PROOF_KEYS
        or type(proof["v"]) is not int
        or proof["v"] != VERSION
        or not all(
            isinstance(proof[key], list)
            for key in ("resolved", "erased", "included", "left_out")
        )
        or not isinstance(proof["note"], str)
    ):
        raise DossierInvalid("the proof of the dossier has other fields than it must")
    return Dossier(proof=proof)


def receipt_of(dossier: Dossier) -> bytes:
    """Return the receipt of the release that a dossier holds; raise DossierInvalid."""
    shown = dossier.proof["released"]
    try:
        return Receipt(
            entry=canonical.decode_base64(shown["entry"]),
            index=shown["index"],
            proof=tuple(map(hashing.decode, shown["path"])),
            note=dossier.proof["note"].encode(),
        ).encode()
    except (ValueError, KeyError, TypeError) as error:
        raise DossierInvalid("the dossier shows no entry of the release") from error


def check(
    dossier: Dossier, policy: Policy, *, manifest: Manifest, entry: Entry
) -> DossierHolds:
    """Check a dossier against the manifest and the entry that names it.

    Raises what stands under DossierRefused, NothingChecked, and the ledger's errors
    for the checkpoint.
    """
    proof = dossier.proof
    tree = policy.check(proof["note"].encode()).checkpoint
    facts = _facts(proof, manifest, entry, tree)
    decisions.check_versions(manifest.body["versions"])
    chosen_size, chosen_on = _sizes(facts, manifest)
    included, outside = _places(proof, manifest, facts, tree, chosen_size)
    gone = included.count(None) + outside.count(None)
    _check_erased(proof["erased"], gone, entry, tree)
    question = Question(
        purpose=decisions.purpose_of(manifest.body["purpose"]),
        build=str(manifest.body["build"]),
        barred_countries=frozenset(_texts(facts, "barred_countries")),
        first_release=_day(facts, "first_release"),
        asked_until=_day(facts, "asked_until"),
        resolved=_resolved(proof, manifest, tree, gone),
    )
    _check_asked(proof["asked"], manifest)
    _check_distinct([*included, *outside])
    for one in included:
        if one is not None:
            _check_in(one, question, (chosen_on, manifest.sealed_on))
    reasons: Counter[str] = Counter()
    for number, one in enumerate(outside, start=1):
        if one is not None:
            reasons[_why_out(number, one, question, chosen_on)] += 1
    return DossierHolds(
        samples=tuple(one.sample or "" for one in included if one is not None),
        left_out=len(outside),
        reasons=dict(reasons.most_common()),
        erased=gone,
        chosen_size=chosen_size,
        chosen_on=chosen_on,
        resolved=len(question.resolved),
    )


def _facts(
    proof: Mapping[str, Any], manifest: Manifest, entry: Entry, tree: Checkpoint
) -> Mapping[str, Any]:
    """Return the facts of the account, which the entry of the release commits to."""
    try:
        found = places.located(proof["released"], tree)
        if found != entry:
            raise DossierInvalid("the dossier is one of another release")
        body = places.opened(proof["released"].get("opening"), found.commit).body
    except (LedgerError, ValueError) as error:
        raise DossierInvalid(f"the entry of the release: {error}") from error
    if body.get("release") != manifest.release:
        raise DossierInvalid("the dossier is one of another release")
    try:
        account = proof["account"]
        facts: dict[str, Any] = account["facts"]
        commitments.check_opening(
            canonical.decode_base64(str(body.get("account"))),
            canonical.decode_base64(account["key"]),
            canonical.write(facts),
        )
    except (LedgerError, ValueError, KeyError, TypeError) as error:
        raise DonorsDiffer(
            "the account (donors considered, day, inputs) is not the one that the "
            "ledger's entry commits to"
        ) from error
    if facts.get("release") != manifest.release:
        raise DonorsDiffer("the account is one of another release")
    return facts


def _sizes(facts: Mapping[str, Any], manifest: Manifest) -> tuple[int, date]:
    size, day = facts.get("chosen_size"), _day(facts, "chosen_on")
    if type(size) is not int or day is None or size > manifest.ledger_size:
        raise DossierInvalid("the account does not say when the donors were chosen")
    return size, day


def _places(
    proof: Mapping[str, Any],
    manifest: Manifest,
    facts: Mapping[str, Any],
    tree: Checkpoint,
    chosen_size: int,
) -> tuple[list[Place | None], list[Place | None]]:
    """Return the places in the release and outside; None for those that open no more.

    Together they must be all that the account names.
    """
    outside = _outside(proof["left_out"])
    named = [*manifest.commitments, *(commitment for commitment, _ in outside)]
    said = sorted(map(canonical.encode_base64, named))
    if sorted(_texts(facts, "donors")) != said:
        raise DonorsDiffer(
            f"the dossier shows {len(said)} donors, and they are not the "
            f"{len(_texts(facts, 'donors'))} that the ledger's entry stands for"
        )
    if len(proof["included"]) != len(manifest.commitments):
        raise DonorsDiffer(
            f"the dossier shows {len(proof['included'])} samples, the manifest has "
            f"{len(manifest.commitments)}"
        )
    included = [
        None
        if value is None
        else places.place(
            value,
            commitment=commitment,
            release=manifest.release,
            verdict="permit",
            tree=tree,
            below=manifest.ledger_size,
            what=f"sample {number}",
        )
        for number, (value, commitment) in enumerate(
            zip(proof["included"], manifest.commitments, strict=True), start=1
        )
    ]
    left_out = [
        None
        if value is None
        else places.place(
            value,
            commitment=commitment,
            release=manifest.release,
            verdict="exclude",
            tree=tree,
            below=chosen_size,
            what=f"donor {number} of those left out",
        )
        for number, (commitment, value) in enumerate(outside, start=1)
    ]
    return included, left_out


def _outside(values: Sequence[Any]) -> list[tuple[bytes, Any]]:
    try:
        return [(hashing.decode(one["commitment"]), one["opening"]) for one in values]
    except (ValueError, KeyError, TypeError) as error:
        raise DossierInvalid("those left out have no commitments") from error


def _check_erased(
    shown: Sequence[Any], gone: int, released: Entry, tree: Checkpoint
) -> None:
    """Check that as many people were erased since as places do not open."""
    seen = set()
    for value in shown:
        try:
            found = places.located(value, tree)
        except (LedgerError, ValueError) as error:
            raise DossierInvalid(f"an entry of an erasure: {error}") from error
        if found.type == "subject.erased" and found.seq > released.seq:
            seen.add(found.seq)
    if gone > len(seen):
        raise DonorsDiffer(
            f"{gone} of the donors' places are not opened, and the ledger shows "
            f"{len(seen)} erasures since the release"
        )


def _resolved(
    proof: Mapping[str, Any], manifest: Manifest, tree: Checkpoint, gone: int
) -> Resolved:
    """Return what the signed approval resolved; raise DecisionDiffers."""
    shown = proof["review"]
    try:
        found = places.located(shown, tree)
        statement = str(shown.get("statement")).encode()
        said = canonical.read(statement)
        rows = [[str(part) for part in row] for row in proof["resolved"]]
        if any(len(row) != 3 for row in rows) or not isinstance(said, dict):
            raise ValueError("a resolution names a consent, a clause and the rules")
    except (LedgerError, ValueError, TypeError) as error:
        raise DecisionDiffers(f"the approval cannot be read: {error}") from error
    digest = hashlib.sha256(statement).hexdigest()
    if (
        found.type != "access.approved"
        or found.pub.get("statement_sha256") != digest
        or found.pub.get("request_sha256") != manifest.body["request_sha256"]
        or said.get("request_sha256") != manifest.body["request_sha256"]
        or said.get("decision") != "approve"
        or shown.get("event") != manifest.body["decision"].get("event")
    ):
        raise DecisionDiffers(
            "the approval that is shown is not the one of this request on the ledger"
        )
    bound = hashlib.sha256(rfc8785.dumps(rows)).hexdigest()
    # Of those erased since, the rows are gone; then the clauses' codes still bind.
    is_partial = gone and {row[1] for row in rows} <= set(said.get("resolved") or ())
    if bound != said.get("resolved_sha256") and not is_partial:
        raise DecisionDiffers("other clauses were resolved than the approval says")
    return frozenset((row[0], row[1], row[2]) for row in rows)


def _check_asked(asked: Any, manifest: Manifest) -> None:
    try:
        digest = hashlib.sha256(canonical.write(asked)).hexdigest()
    except (ValueError, TypeError) as error:
        raise DecisionDiffers("the dossier does not say what was asked") from error
    said = manifest.body
    if digest != said["request_sha256"] or not isinstance(asked, dict):
        raise DecisionDiffers("the dossier shows another request than the manifest's")
    stated = decisions.purpose_of(asked.get("purpose")).to_json()
    if (
        asked.get("request") != said["request"]
        or asked.get("dataset") != said["dataset"]
        or asked.get("regions") != said["regions"]
        or any(said["purpose"].get(key) != stated[key] for key in stated)
    ):
        raise DecisionDiffers("the release was made for something else than was asked")


def _check_distinct(found: Sequence[Place | None]) -> None:
    commits = [one.commit for one in found if one is not None and one.commit]
    if len(set(commits)) != len(commits):
        raise DonorsDiffer("one consent stands for two donors")
    names = [one.sample for one in found if one is not None and one.sample]
    if names != sorted(set(names)):
        raise DonorsDiffer("the samples are not in the order of their names")


def _check_in(one: Place, question: Question, days: tuple[date, date]) -> None:
    if one.body is None:
        raise ConsentDenies(f"sample {one.sample} is in without a consent")
    for day in days:
        answer = question.answer(one.body, day)
        if not answer.is_permitted:
            raise ConsentDenies(
                f"the consent of sample {one.sample} does not cover this purpose on "
                f"{day.isoformat()}: {answer.why}"
            )


def _why_out(number: int, one: Place, question: Question, day: date) -> str:
    if one.body is None:
        return _NEVER
    answer = question.answer(one.body, day)
    if answer.is_permitted:
        raise DonorLeftOut(
            f"the consent of donor {number} of those left out covers this purpose on "
            f"{day.isoformat()}, and the donor is not in the release"
        )
    return answer.why


def _texts(facts: Mapping[str, Any], key: str) -> list[str]:
    value = facts.get(key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise DossierInvalid(f"the account has no {key}")
    return value


def _day(facts: Mapping[str, Any], key: str) -> date | None:
    value = facts.get(key)
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise DossierInvalid(f"{key} of the account is not a date") from error
