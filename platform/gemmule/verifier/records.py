r"""Check a donor's whole record: every receipt and opening, and that none is missing.

The bodies of one donor's acts count themselves (`subject_seq`) and name the commitment
of the act before (`subject_prev`). So whoever holds all openings sees a gap between
them. Acts after the last one leave no trace in the file: a newer record shows them.

    {"v":1,"kind":"gemmule/donor-record","origin":"example.com/log",
     "made_at":"2026-11-22T15:43:34.123Z",
     "acts":[{"receipt":"c2sp.org/tlog-proof@v1\n...","opening":{...}}, ...]}

`opening` is null where what the act said was erased.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gemmule.verifier import receipts, words
from gemmule.verifier.errors import ActMissing, RecordRefused
from gemmule.verifier.receipts import ReceiptHolds
from ledger.errors import LedgerError
from ledger.tlog import canonical
from ledger.tlog.canonical import JSON
from ledger.tlog.policy import Policy

KIND = "gemmule/donor-record"
VERSION = 1
MAX_BYTES = 256 * 1024 * 1024

_KEYS = frozenset(("acts", "kind", "made_at", "origin", "v"))
_ACT_KEYS = frozenset(("opening", "receipt"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHolds:
    """The acts of a record, all checked, in their order."""

    origin: str
    made_at: str
    acts: tuple[ReceiptHolds, ...]

    @property
    def erased(self) -> int:
        """Return how many acts have no opening any more."""
        return sum(each.opening is None for each in self.acts)

    @property
    def counted(self) -> int:
        """Return up to which act none is missing: the last one that has an opening."""
        opened = [each.opening is not None for each in self.acts]
        return max(
            (at for at, is_open in enumerate(opened, start=1) if is_open), default=0
        )

    @property
    def sizes(self) -> set[int]:
        """Return the sizes of the checkpoints that the receipts end at."""
        return {each.checked.cosigned.checkpoint.size for each in self.acts}

    def lines(self) -> list[str]:
        """Return what was found, in plain words."""
        return [
            "This record holds.",
            f"It was made for {words.shown(self.made_at)} from the log "
            f"{words.shown(self.origin)} and has {len(self.acts)} act(s):",
            *self._acts(),
            *self._completeness(),
            *self._erased(),
            *self._checkpoints(),
        ]

    def as_json(self) -> dict[str, JSON]:
        """Return what was found, for machines."""
        return {
            "origin": self.origin,
            "made_at": self.made_at,
            "complete_up_to": self.counted,
            "erased": self.erased,
            "checkpoints": sorted(self.sizes),
            "acts": [each.as_json() for each in self.acts],
        }

    def _acts(self) -> Iterator[str]:
        for number, each in enumerate(self.acts, start=1):
            entry = each.checked.entry
            opened = "" if each.opening else ", its content erased"
            yield (
                f"  {number}. {words.moment(entry.time)}: {words.event(entry.type)}, "
                f"entry {entry.seq}{opened}"
            )

    def _completeness(self) -> list[str]:
        if not self.counted:
            return []
        return [
            f"None is missing from act 1 to act {self.counted}: each opening counts "
            "itself and names the one before.",
            f"Whether there were acts after act {len(self.acts)}, this file cannot "
            "show: a record made later would.",
        ]

    def _erased(self) -> list[str]:
        if not self.erased:
            return []
        if not self.counted:
            return [
                "What the acts said was erased, and with it what counts them: whether "
                "acts are missing, or are another person's, cannot be told any more."
            ]
        if self.counted < len(self.acts):
            return [
                f"What the acts after act {self.counted} said was erased: whether any "
                "is missing there cannot be told any more."
            ]
        return [
            f"What {self.erased} of the acts said was erased; the ones after them show "
            "that they belong here."
        ]

    def _checkpoints(self) -> list[str]:
        if len(self.sizes) < 2:
            return []
        return [
            f"The receipts end at {len(self.sizes)} different checkpoints, of "
            f"{', '.join(map(str, sorted(self.sizes)))} entries: that these are of one "
            "history is shown by `gemmule verify ledger`."
        ]


def check(data: bytes, policy: Policy) -> RecordHolds:
    """Check a donor record.

    Raises RecordRefused for the first thing that does not hold, ActMissing for what
    is missing.
    """
    value = _read(data)
    acts = tuple(
        _act(number, each, policy) for number, each in enumerate(value["acts"], start=1)
    )
    for number, each in enumerate(acts, start=1):
        origin = each.checked.cosigned.checkpoint.origin
        if origin != value["origin"]:
            raise RecordRefused(
                f"act {number} is of another log than the record says: "
                f"{words.shown(origin)}"
            )
    _check_order(acts)
    _check_none_missing(acts)
    return RecordHolds(origin=value["origin"], made_at=value["made_at"], acts=acts)


def _read(data: bytes) -> Mapping[str, Any]:
    try:
        value = canonical.read(data)
    except ValueError as error:
        raise RecordRefused(f"the file is not a donor record: {error}") from error
    if (
        not isinstance(value, dict)
        or value.keys() != _KEYS
        or value["kind"] != KIND
        or type(value["v"]) is not int
        or value["v"] != VERSION
        or not isinstance(value["origin"], str)
        or not isinstance(value["made_at"], str)
        or not isinstance(value["acts"], list)
    ):
        raise RecordRefused(
            f"the file is not a donor record: an object of the kind {KIND}, version "
            f"{VERSION}, with {', '.join(sorted(_KEYS))} was expected"
        )
    return value


def _act(number: int, value: object, policy: Policy) -> ReceiptHolds:
    if (
        not isinstance(value, dict)
        or value.keys() != _ACT_KEYS
        or not isinstance(value["receipt"], str)
        or not isinstance(value["opening"], dict | None)
    ):
        raise RecordRefused(
            f"act {number} must have a receipt, and an opening or null in its place"
        )
    try:
        return receipts.check(
            value["receipt"].encode(),
            policy,
            opened=None
            if value["opening"] is None
            else canonical.write(value["opening"]),
        )
    except (LedgerError, ValueError) as error:
        raise RecordRefused(f"act {number}: {error}") from error


def _check_order(acts: Sequence[ReceiptHolds]) -> None:
    """Check that the acts stand in the order of one log, none of them twice."""
    roots: dict[int, bytes] = {}
    for number, each in enumerate(acts, start=1):
        signed = each.checked.cosigned.checkpoint
        if roots.setdefault(signed.size, signed.root) != signed.root:
            raise RecordRefused(
                f"the receipt of act {number} ends at another tree of {signed.size} "
                "entries than one before it: the log shows two histories"
            )
    for number, (one, other) in enumerate(pairwise(acts), start=1):
        before, after = one.checked.entry, other.checked.entry
        if after.seq == before.seq:
            raise RecordRefused(
                f"acts {number} and {number + 1} are the same entry {after.seq}"
            )
        if after.seq < before.seq or after.time < before.time:
            raise RecordRefused(
                f"act {number + 1} (entry {after.seq}) stands behind act {number} "
                f"(entry {before.seq}) and was before it on the log"
            )


def _check_none_missing(acts: Sequence[ReceiptHolds]) -> None:
    """Check that the openings count their acts from 1, and name the one before."""
    places = [_place(number, each) for number, each in enumerate(acts, start=1)]
    for number, place in enumerate(places, start=1):
        if place is None:
            continue
        counted, previous = place
        if counted > number:
            raise ActMissing(
                f"{counted - number} act(s) of this donor are missing before the one "
                f"that counts itself as number {counted}: it stands here as number "
                f"{number}"
            )
        expected = None if number == 1 else acts[number - 2].checked.entry.commit
        named = None if expected is None else canonical.encode_base64(expected)
        if counted != number or previous != named:
            raise RecordRefused(
                f"act {number} does not follow the act before it: one of them is "
                "another donor's, or stands twice"
            )


def _place(number: int, act: ReceiptHolds) -> tuple[int, JSON] | None:
    if act.opening is None:
        return None
    counted = act.opening.body.get("subject_seq")
    if type(counted) is not int:
        raise RecordRefused(f"act {number} is not a donor's: it does not count itself")
    return counted, act.opening.body.get("subject_prev")
