"""Say how far a build is: records kept, bytes, and the time it still takes.

What a researcher sees derives from the donors in the release alone: of the source
only the share that is done leaves this module, never a count.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from gemmule.catalog.models import DataFile
from gemmule.releases.models import (
    PartState,
    Release,
    ReleaseState,
    SplitBuild,
)
from genomics.job import Progress, SubsetResult

# Before this much is done an estimate would be a guess: the first records are read
# while the child process still starts.
_ENOUGH_SHARE = 0.05
_ENOUGH_TIME = timedelta(seconds=5)


# What of a split build is done once its parts are cut, in percent.
_CUT_PERCENT = 90


class Meter:
    """How far the cut of a release's files, or the join, is, file after file."""

    def __init__(
        self,
        release: Release,
        sources: Sequence[DataFile],
        clock: Callable[[], datetime],
        *,
        is_joining: bool = False,
    ) -> None:
        """Begin to measure; the time runs from here."""
        self._stage = "joining" if is_joining else "cutting"
        self._begins_at = _CUT_PERCENT if is_joining else 0
        self._release = release
        self._known = [source.records or 0 for source in sources]
        self._clock = clock
        self._begun = clock()
        self._done: list[SubsetResult] = []

    def finished(self, result: SubsetResult) -> None:
        """Count one file as done."""
        self._done.append(result)

    def tell(self, progress: Progress) -> None:
        """Keep how far the file at hand is, unless the build lost its release."""
        share = self._share(progress)
        kept = sum(result.records_out for result in self._done)
        size = sum(_bytes_inside(result) for result in self._done)
        told: dict[str, Any] = {
            "stage": f"{self._stage} and encrypting",
            "percent": min(99, self._begins_at + int((100 - self._begins_at) * share)),
            "file": len(self._done) + 1,
            "files": len(self._known),
            "records": kept + (progress.records_out or 0),
            "bytes": size + progress.bytes,
        }
        left = seconds_left(share, self._clock() - self._begun)
        if left is not None:
            told["seconds_left"] = left
        Release.objects.filter(
            pk=self._release.pk, fencing_token=self._release.fencing_token
        ).update(progress=told)

    def _share(self, progress: Progress) -> float:
        known = sum(self._known)
        if known == 0:
            return 0.0
        done = sum(self._known[: len(self._done)]) + progress.records
        return min(done / known, 1.0)


def tell_parts(split: SplitBuild, *, now: datetime) -> None:
    """Keep how far the parts of a build are, while it is the release's."""
    rows = list(split.parts.select_related("source"))
    if not rows:
        return  # The build was ended.
    files = {row.source.number: True for row in rows}
    for row in rows:
        files[row.source.number] &= row.state == PartState.DONE
    share = sum(row.percent for row in rows) / (100 * len(rows))
    told: dict[str, Any] = {
        "stage": "cutting in parts",
        "percent": int(_CUT_PERCENT * share),
        "file": min(sum(files.values()) + 1, len(files)),
        "files": len(files),
        "records": sum(row.records for row in rows),
        "bytes": sum(row.bytes for row in rows),
        "parts": len(rows),
        "parts_done": sum(row.state == PartState.DONE for row in rows),
        "part_percents": [row.percent for row in rows],
    }
    left = seconds_left(share, now - split.begun_at)
    if left is not None:
        told["seconds_left"] = left
    Release.objects.filter(
        pk=split.release_id,
        state=ReleaseState.BUILDING,
        fencing_token=split.fencing_token,
        lease_until=None,
    ).update(progress=told)


def seconds_left(share: float, spent: timedelta) -> int | None:
    """Return how long the rest takes at the pace so far; None while nobody can say.

    Once the share is whole only the sealing is left, whose pace is another.

    >>> seconds_left(0.25, timedelta(minutes=1)), seconds_left(0.01, timedelta(hours=1))
    (180, None)
    """
    if spent < _ENOUGH_TIME or not _ENOUGH_SHARE <= share < 1:
        return None
    return round(spent.total_seconds() * (1 - share) / share)


def _bytes_inside(result: SubsetResult) -> int:
    return sum(file.size_plain for file in result.files if file.role == "variants")
