"""Check one receipt, and the opening of its entry where there is one.

A receipt shows that an entry stands in the tree that the log signed and the policy's
witnesses cosigned; an opening shows what the entry committed to. Formats: C2SP
tlog-proof and `ledger.tlog.opening`.
"""

from dataclasses import dataclass
from datetime import datetime

from gemmule.verifier import words
from ledger.tlog import canonical, opening, receipt
from ledger.tlog.canonical import JSON
from ledger.tlog.opening import Opening
from ledger.tlog.policy import Policy
from ledger.tlog.receipt import Checked, Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptHolds:
    """What a receipt shows, and its opening if it was given."""

    checked: Checked
    witnesses: int
    opening: Opening | None

    @property
    def latest(self) -> datetime | None:
        """Return when the entry was on the log at the latest, by a witness's clock."""
        return min(
            (each.time for each in self.checked.cosigned.cosigners), default=None
        )

    def lines(self) -> list[str]:
        """Return what was found, in plain words."""
        entry, cosigned = self.checked.entry, self.checked.cosigned
        size = cosigned.checkpoint.size
        return [
            "This receipt holds.",
            f"It is of entry {entry.seq} (of {size}, counted from 0) in the log "
            f"{words.shown(cosigned.checkpoint.origin)}:",
            f"  {words.event(entry.type)}",
            *words.fields(entry.pub),
            *words.witnesses(cosigned, self.witnesses),
            *self.bracket(),
            *self._opened(),
        ]

    def as_json(self) -> dict[str, JSON]:
        """Return what was found, for machines."""
        entry, cosigned = self.checked.entry, self.checked.cosigned
        return {
            "origin": cosigned.checkpoint.origin,
            "index": entry.seq,
            "size": cosigned.checkpoint.size,
            "root": canonical.encode_base64(cosigned.checkpoint.root),
            "type": entry.type,
            "pub": entry.pub,
            "commit": canonical.encode_base64(entry.commit),
            "time": words.iso(entry.time),
            "latest": None if self.latest is None else words.iso(self.latest),
            **words.witnesses_json(cosigned),
            "body": None if self.opening is None else self.opening.body,
        }

    def bracket(self) -> list[str]:
        """Return between which moments the entry was written, and by whose clocks."""
        time, latest = self.checked.entry.time, self.latest
        if latest is None:
            return [f"The log dates the entry {words.moment(time)}; nobody else does."]
        if latest < time.replace(microsecond=0):
            return [
                f"The log dates the entry {words.moment(time)}, later than a witness "
                f"that has seen it by {words.moment(latest)}: one of the clocks is "
                "wrong. It was on the log by then."
            ]
        return [
            f"It was written between {words.moment(time)}, as the log says, and "
            f"{words.moment(latest)}, when a witness had seen it."
        ]

    def _opened(self) -> list[str]:
        if self.opening is None:
            return [
                "What the entry says in detail is not in a receipt: its opening "
                "(--opening FILE) shows it."
            ]
        return [
            "The opening fits: this, and nothing else, is what the entry committed to:",
            *words.fields(self.opening.body),
        ]


def check(data: bytes, policy: Policy, *, opened: bytes | None) -> ReceiptHolds:
    """Check a receipt and, if given, its opening.

    Raises ReceiptInvalid, NoteInvalid, CheckpointInvalid, QuorumNotMet, EntryInvalid,
    ProofInvalid, OpeningInvalid.
    """
    checked = receipt.check(Receipt.parse(data), policy)
    found = None
    if opened is not None:
        found = Opening.parse(opened)
        opening.check(found, checked.entry.commit)
    return ReceiptHolds(checked=checked, witnesses=len(policy.witnesses), opening=found)
