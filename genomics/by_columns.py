"""Cut a release from the column store: by windows, in several processes if worth it."""

import dataclasses
import hashlib
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from genomics import mates
from genomics.boundaries import Boundaries
from genomics.columnar import file
from genomics.columnar.cutting import ColumnCutter
from genomics.columnar.file import BlockPlace, ColumnStore
from genomics.errors import BuildFailed
from genomics.header import Usage
from genomics.job import COLUMNS_SUFFIX, Progress, ProgressSink, SubsetJob
from genomics.mates import Decision
from genomics.parts import Body, Extent, Part, PartWriter
from genomics.phase_sets import PhaseSets
from genomics.subset import Cut, Subsetter
from genomics.windows import Share, Window, plan, runs
from genomics.workers import Cutter, cut_all

# In genotypes; below, a second process costs more than it saves. A value of its own
# text costs as much as so many genotypes, and so does a record by itself.
_WORTHWHILE = 10_000_000
_TEXT, _RECORD = 30, 1_000


def open_columns(job: SubsetJob) -> ColumnStore | None:
    """Return the column store beside the job's source, if the job is to be cut so."""
    # What the steward's list adds to FORMAT is not in it.
    if job.columns_sha256 is None or job.format_keep:
        return None
    path = job.source.with_name(job.source.name + COLUMNS_SUFFIX)
    try:
        store = ColumnStore(path)
    except FileNotFoundError as error:
        raise BuildFailed("store", "expected the columns of the store") from error
    if store.sha256 != job.columns_sha256:
        store.close()
        raise BuildFailed(
            "store", "expected the columns as intake left them, they changed"
        )
    if store.directory.version != file.VERSION:
        store.close()
        return None
    return store


def cut(
    job: SubsetJob,
    store: ColumnStore,
    progress: ProgressSink,
    share: Share,
    meanwhile: Callable[[], object],
) -> Body:
    """Return the records of a share of the release, in parts in this directory.

    Where other processes cut, this one calls `meanwhile` first.
    """
    directory = store.directory
    total = sum(place.records for place in directory.blocks)
    # Over all of the store, so that every share of a release decides alike.
    decisions = _decisions(job, store)

    def start() -> Cutter:
        return _WindowCutter(job, store, decisions).cut

    every = list(plan(_blocks(job, store)))
    whole = runs(every)
    begin, behind = share.of(
        [
            sum(place.records for window in run for place in window.blocks)
            for run in whole
        ]
    )
    first = sum(map(len, whole[:begin]))
    windows = [window for run in whole[begin:behind] for window in run]
    last = first + len(windows)
    chosen = sum(place.records for window in windows for place in window.blocks)
    workers = 1
    if _effort(job, store, windows) >= _WORTHWHILE:
        workers = min(len(os.sched_getaffinity(0)), behind - begin)
    found: Iterator[tuple[Part, Usage]]
    if workers > 1:
        found = cut_all(windows, start, workers, meanwhile)
    else:
        found = map(start(), windows)
    parts, usage, done, size = [], Usage(), 0, 0
    for window, (part, used) in zip(windows, found, strict=True):
        parts.append(part)
        usage.add(used)
        done += sum(place.records for place in window.blocks)
        size += part.text_bytes
        progress(
            Progress(
                records=min(done * total // chosen, total),
                records_total=job.records_total,
                bytes=size,
                records_out=sum(each.records for each in parts),
            )
        )
    return Body(
        parts=parts,
        usage=usage,
        extent=Extent(plan=_digest(every), first=first, last=last, total=len(every)),
        records_in=total,
        contig_lengths=directory.contig_lengths,
    )


def _subsetter(job: SubsetJob, store: ColumnStore) -> Subsetter:
    directory = store.directory
    return Subsetter(
        job, directory.samples, directory.contig_lengths, directory.vcf_version
    )


def _decisions(job: SubsetJob, store: ColumnStore) -> Mapping[int, Decision]:
    """Return the decisions about records that have mates, by line."""
    places = [place for place in store.directory.blocks if place.has_mates]
    if not places:
        return {}
    subsetter = _subsetter(job, store)
    if not subsetter.boundaries.has_spans:
        return {}
    cutter = ColumnCutter(job, store.directory, subsetter)
    rows = (row for place in places for row in cutter.survey(store.block(place)))
    return mates.decide(rows, subsetter.boundaries)


def _digest(windows: Sequence[Window]) -> str:
    places = [(window.contig, window.low, window.high) for window in windows]
    return hashlib.sha256(json.dumps(places).encode("ascii")).hexdigest()


def _effort(job: SubsetJob, store: ColumnStore, windows: Sequence[Window]) -> int:
    people = len(job.samples)
    return sum(
        place.records * (_RECORD + people * (_TEXT if store.has_text(place) else 1))
        for window in windows
        for place in window.blocks
    )


def _blocks(job: SubsetJob, store: ColumnStore) -> Iterator[BlockPlace]:
    """Yield the blocks that may hold something of what is requested."""
    directory = store.directory
    if job.regions is None:
        yield from directory.blocks
        return
    asked = dataclasses.replace(job, withheld={})
    boundaries = Boundaries(asked, {}, directory.contig_lengths)
    by_contig = itertools.groupby(directory.blocks, key=lambda place: place.contig)
    for contig, group in by_contig:
        places = list(group)
        is_requested, _ = boundaries.scan(
            contig,
            [place.first_pos for place in places],
            [place.last_end for place in places],
        )
        for place, is_wanted in zip(places, is_requested, strict=True):
            if is_wanted or place.reaches_far:
                yield place


def _in_order(cuts: list[Cut]) -> list[Cut]:
    try:
        return sorted(cuts)
    except TypeError:
        # Some are alike up to their cells, and views of memory have no order.
        return sorted(cut._replace(cells=bytes(cut.cells)) for cut in cuts)


class _WindowCutter:
    """Cuts one window after another; the windows of a run in order, uninterrupted."""

    def __init__(
        self, job: SubsetJob, store: ColumnStore, decisions: Mapping[int, Decision]
    ) -> None:
        self._store = store
        self._level = job.bgzf_level
        self._sets = PhaseSets()
        self._subsetter = _subsetter(job, store)
        self._subsetter.decisions = decisions
        self._cutter = ColumnCutter(job, store.directory, self._subsetter)

    def cut(self, window: Window) -> tuple[Part, Usage]:
        """Return the window's part and what records made use of up to now."""
        path = Path(f"part-{window.number}")
        waiting: list[Cut] = []
        bounds = [place.first_pos for place in window.blocks[1:]] + [window.high]
        names_sets = any(place.names_sets for place in window.blocks)
        with PartWriter(window.contig, path, self._level) as writer:
            for place, next_pos in zip(window.blocks, bounds, strict=True):
                block = self._store.block(place)
                waiting += self._cutter.cut(block, window.low, window.high)
                waiting = _in_order(waiting)
                # Trimming may have moved some past the next block's first records.
                ready = len(waiting)
                while ready and waiting[ready - 1].pos >= next_pos:
                    ready -= 1
                done = waiting[:ready]
                if names_sets:
                    done = [cut.finished(window.contig, self._sets) for cut in done]
                writer.write(done)
                del waiting[:ready]
            return writer.finish(), self._subsetter.usage
