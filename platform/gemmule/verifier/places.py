"""Open the places of a dossier: donors' commitments, and the consents they speak of.

A place is a commitment that the ledger stands for. Its opening names the entry of the
consent that stood by that entry's own commitment, so no other consent can be put there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gemmule.verifier.errors import (
    ConsentNotShown,
    ConsentTooLate,
    DossierInvalid,
    PlaceNotOpened,
)
from ledger import commitments
from ledger.errors import LedgerError
from ledger.tlog import canonical, entry, hashing, proof
from ledger.tlog import opening as tlog_opening
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import Entry
from ledger.tlog.opening import Opening

_STATEMENT_KEYS = frozenset(("release", "sample", "consent", "commit", "verdict"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A donor's place, opened. `body` is the consent that stood, None without one."""

    # In a release alone.
    sample: str | None
    commit: bytes | None
    body: Mapping[str, Any] | None


def located(value: Any, tree: Checkpoint) -> Entry:
    """Return an entry that is in the tree; raise the ledger's errors, ValueError."""
    if not isinstance(value, dict) or not isinstance(value.get("path"), list):
        raise ValueError("an entry with its place and path was expected")
    data = canonical.decode_base64(_text(value.get("entry")))
    found = entry.parse(data)
    if type(value.get("index")) is not int or found.seq != value["index"]:
        raise ValueError(f"entry {found.seq} is shown at another place")
    proof.verify_inclusion(
        index=found.seq,
        size=tree.size,
        leaf=hashing.leaf_hash(data),
        proof=[hashing.decode(_text(one)) for one in value["path"]],
        root=tree.root,
    )
    return found


def opened(value: Any, commit: bytes) -> Opening:
    """Return the opening of an entry; raise the ledger's errors, ValueError."""
    if not isinstance(value, dict):
        raise ValueError("there is no opening")
    found = Opening.parse(canonical.write(value))
    tlog_opening.check(found, commit)
    return found


def place(
    value: Any,
    *,
    commitment: bytes,
    release: str,
    verdict: str,
    tree: Checkpoint,
    below: int,
    what: str,
) -> Place:
    """Return a place and the consent in it, whose entry must stand `below` a size.

    `what` names the place in messages. Raises PlaceNotOpened, ConsentNotShown,
    ConsentTooLate, DossierInvalid.
    """
    statement = _statement(value, commitment, what)
    if statement["release"] != release or statement["verdict"] != verdict:
        raise PlaceNotOpened(f"{what} speaks of another release, or another verdict")
    sample = statement["sample"]
    if (sample is None) is (verdict == "permit"):
        raise PlaceNotOpened(f"{what} has a name where it must not, or none")
    shown = value.get("consent")
    if statement["commit"] is None:
        if shown is not None or statement["consent"] is not None:
            raise ConsentNotShown(f"{what} had no consent, and one is shown")
        return Place(sample=sample, commit=None, body=None)
    try:
        found = located(shown, tree)
        opening = opened(shown.get("opening"), found.commit)
    except (LedgerError, ValueError) as error:
        raise ConsentNotShown(f"the consent of {what}: {error}") from error
    if (
        canonical.encode_base64(found.commit) != statement["commit"]
        or str(opening.event) != statement["consent"]
    ):
        raise ConsentNotShown(
            f"the consent of {what} is another entry than the one it was sealed with"
        )
    if found.type != f"consent.{opening.body.get('act')}":
        raise ConsentNotShown(f"the consent of {what} is an entry of another kind")
    if found.seq >= below:
        raise ConsentTooLate(
            f"the consent of {what} is entry {found.seq}; only what stands below "
            f"{below} counts"
        )
    return Place(sample=sample, commit=found.commit, body=opening.body)


def _statement(value: Any, commitment: bytes, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("statement"), dict):
        raise DossierInvalid(f"{what} must have a key, a statement and a consent")
    statement: dict[str, Any] = value["statement"]
    try:
        key = canonical.decode_base64(_text(value.get("key")))
        commitments.check_opening(commitment, key, canonical.write(statement))
    except (LedgerError, ValueError) as error:
        raise PlaceNotOpened(
            f"what is shown for {what} is not what its commitment stands for"
        ) from error
    if statement.keys() != _STATEMENT_KEYS:
        raise PlaceNotOpened(f"{what} says other things than a place says")
    return statement


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a text was expected")
    return value
