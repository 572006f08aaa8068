"""Hold a ledger against what its writers were told: nothing lost, doubled, forked.

    python -m benchmarks.checking FOLDER [CHECKPOINTS]

Settles what a killed process left, as a periodic task does, and prints one JSON
object. CHECKPOINTS is a file of every note seen so far: the log must still be the one
that each of them was signed for, and the new one is added to it.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import django

django.setup()

from django.utils import timezone  # noqa: E402

from benchmarks import records  # noqa: E402
from ledger import inspection, keys, models, selectors, services  # noqa: E402
from ledger.tlog import checkpoint  # noqa: E402
from ledger.verify import Replay  # noqa: E402


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the ledger holds, and what is wrong with it; all of the latter are 0."""

    entries: int
    acknowledged: int
    rolled_back: int
    lost: int
    revived: int
    unpublished: int
    gaps: int
    forks: int
    findings: list[str]

    @property
    def holds(self) -> bool:
        """Tell whether nothing is wrong."""
        wrong = self.lost, self.revived, self.unpublished, self.gaps, self.forks
        return not any(wrong) and not self.findings


def judge(folder: Path, notes: Path | None) -> Verdict:
    """Settle the ledger and compare it with what the writers know."""
    services.settle(now=timezone.now())
    acknowledged, rolled_back = records.told(folder)
    rows = list(models.Entry.objects.order_by("seq").values_list("seq", "event"))
    events = [event for _, event in rows]
    published = selectors.latest_checkpoint()
    covered = set(events[: published.size if published else 0])
    return Verdict(
        entries=len(rows),
        acknowledged=len(acknowledged),
        rolled_back=len(rolled_back),
        lost=len(acknowledged - set(events)),
        revived=len(rolled_back & set(events)),
        unpublished=len(acknowledged - covered),
        gaps=sum(seq != number for number, (seq, _) in enumerate(rows)),
        forks=_forks(notes) if notes else 0,
        findings=[each.message for each in inspection.inspect().findings],
    )


def _forks(notes: Path) -> int:
    """Return how many notes were signed for another log than the one that is there."""
    key = keys.log_key().verifier
    seen = {bytes(row.note).decode() for row in models.Checkpoint.objects.all()}
    if notes.exists():
        seen |= set(json.loads(notes.read_text(encoding="utf-8")))
    notes.write_text(json.dumps(sorted(seen)), encoding="utf-8")
    heads: dict[int, set[bytes]] = {}
    for note in seen:
        head = checkpoint.open_note(note.encode(), key)
        heads.setdefault(head.size, set()).add(head.root)
    replay = Replay()
    good: set[int] = set()
    for data in models.Entry.objects.order_by("seq").values_list("data", flat=True):
        replay.feed(bytes(data))
        if heads.get(replay.size) == {replay.frontier.root()}:
            good.add(replay.size)
    return len(heads.keys() - good)


def main() -> None:
    """Print the verdict."""
    folder, *rest = map(Path, sys.argv[1:])
    verdict = judge(folder, rest[0] if rest else None)
    print(json.dumps({**asdict(verdict), "holds": verdict.holds}))


if __name__ == "__main__":
    main()
