"""Say in plain words who signs the ledger, and how fresh each signature is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ledger.selectors import CheckpointView, WitnessView
from ledger.tlog import note


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessRow:
    """A witness as the ledger's page shows it."""

    name: str
    size: int
    cosigned_at: datetime | None
    tone: str
    status: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointRow:
    """A checkpoint as the ledger's page lists it."""

    size: int
    root: bytes
    time: datetime
    cosigners: tuple[str, ...]


def witness_rows(witnesses: Iterable[WitnessView], *, size: int) -> list[WitnessRow]:
    """Return the witnesses of the policy; `size` is that of the last checkpoint."""
    return [_row(one, size) for one in witnesses]


def checkpoint_rows(checkpoints: Iterable[CheckpointView]) -> list[CheckpointRow]:
    """Return checkpoints with the names that stand under them besides the ledger's."""
    return [
        CheckpointRow(
            size=one.size, root=one.root, time=one.time, cosigners=cosigners(one.note)
        )
        for one in checkpoints
    ]


def cosigners(text: str) -> tuple[str, ...]:
    """Return the names under a note, the log's own left out; none is checked here."""
    parsed = note.parse(text.encode())
    origin = parsed.text.partition("\n")[0]
    names = (one.name for one in parsed.signatures)
    return tuple(sorted({name for name in names if name != origin}))


def readable(name: str) -> str:
    """Return a name as a page can hold it: a policy's may be octets of no encoding."""
    return name.encode("utf-8", "replace").decode()


def _row(one: WitnessView, size: int) -> WitnessRow:
    tone, status, why = _state(one, size)
    return WitnessRow(
        # Of its key, which others know it by; the policy's name is the policy's alone.
        name=readable(one.key_text.partition("+")[0]),
        size=one.size,
        cosigned_at=one.cosigned_at,
        tone=tone,
        status=status,
        why=why,
    )


def _state(one: WitnessView, size: int) -> tuple[str, str, str]:
    if one.failure:
        return "stop", "Did not sign when last asked", one.failure
    if one.cosigned_at is None:
        return "waiting", "Has not signed yet", ""
    behind = size - one.size
    if behind > 0:
        return "attention", f"{behind:,} {_entries(behind)} behind", ""
    return "good", "Up to date", ""


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"
