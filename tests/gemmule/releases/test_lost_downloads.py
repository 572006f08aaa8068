"""Downloads whose web server is gone are closed, and never one that may still send."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F

import ledger.selectors
from gemmule.accounts.models import User
from gemmule.celery import app
from gemmule.releases import delivery, gate, tasks, upkeep
from gemmule.releases.delivery import STREAM_LEASE
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Download, Release, ReleaseFile
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.test_delivery import large

__all__ = ["large"]
pytestmark = pytest.mark.django_db

CHUNKS = 12
STEP = timedelta(seconds=1)


@pytest.fixture
def stream(rosa: User, large: ReleaseFile, clock: Clock) -> Iterator[Iterator[bytes]]:
    """Return a download of a dozen chunks."""
    release = Release.objects.select_related("request__project", "key").get(
        pk=large.release_id
    )
    opened = delivery.open_file(
        user=rosa,
        release=release,
        file=large,
        range_header=None,
        if_range=None,
        clock=clock,
    )
    assert large.size_bytes == CHUNKS * gate.CHUNK_BYTES
    yield opened.chunks
    opened.chunks.close()


def row() -> Download:
    return Download.objects.get()


def test_a_stream_is_noted_with_what_it_has_sent(
    stream: Iterator[bytes], clock: Clock
) -> None:
    next(stream)
    assert (row().outcome, row().bytes_sent, row().seen_at) == ("open", 0, clock())
    clock.tick(seconds=9)
    next(stream)
    assert row().bytes_sent == 0, "not at every chunk"
    clock.tick(seconds=1)
    next(stream)
    assert (row().bytes_sent, row().seen_at) == (2 * gate.CHUNK_BYTES, clock())


def test_a_download_nobody_has_seen_for_the_lease_is_lost(
    stream: Iterator[bytes], clock: Clock
) -> None:
    next(stream)
    clock.tick(minutes=1)
    next(stream)
    seen = clock()
    assert upkeep.close_lost_downloads(now=seen + STREAM_LEASE) == 0
    assert row().outcome == "open"
    assert upkeep.close_lost_downloads(now=seen + STREAM_LEASE + STEP) == 1
    lost = row()
    assert (lost.outcome, lost.finished_at) == ("lost", seen)
    assert lost.bytes_sent == gate.CHUNK_BYTES, "what was noted last"
    assert lost.event is None
    assert upkeep.close_lost_downloads(now=seen + 2 * STREAM_LEASE) == 0


def test_a_stream_that_stood_still_for_the_lease_sends_nothing_more(
    stream: Iterator[bytes], clock: Clock
) -> None:
    next(stream)
    clock.now += STREAM_LEASE
    next(stream)
    clock.now += STREAM_LEASE + STEP
    upkeep.close_lost_downloads(now=clock())
    with pytest.raises(DeliveryRefused) as refused:
        next(stream)
    assert refused.value.code == "stood-still"
    # The stream knows better than upkeep what it has sent.
    assert (row().outcome, row().bytes_sent) == ("interrupted", 2 * gate.CHUNK_BYTES)
    assert row().finished_at == clock()


def test_a_slow_stream_lives_as_long_as_it_takes_something(
    stream: Iterator[bytes], clock: Clock
) -> None:
    got = 0
    for chunk in stream:
        got += len(chunk)
        clock.now += STREAM_LEASE
        assert upkeep.close_lost_downloads(now=clock()) == 0
    assert got == CHUNKS * gate.CHUNK_BYTES
    done = row()
    assert (done.outcome, done.bytes_sent) == ("complete", got)
    assert done.event is not None


def test_the_very_last_chunk_may_be_slower_than_the_lease(
    stream: Iterator[bytes], clock: Clock
) -> None:
    for _ in range(CHUNKS):
        next(stream)
    clock.now += 2 * STREAM_LEASE
    assert upkeep.close_lost_downloads(now=clock()) == 1
    assert list(stream) == []
    done = row()
    assert (done.outcome, done.bytes_sent) == ("complete", CHUNKS * gate.CHUNK_BYTES)
    assert done.event is not None
    assert ledger.selectors.entry(done.event).type == "data.delivered"


def test_a_row_older_than_the_field_is_closed_too(
    stream: Iterator[bytes], clock: Clock
) -> None:
    next(stream)
    Download.objects.update(seen_at=None)
    assert upkeep.close_lost_downloads(now=clock() + STREAM_LEASE) == 0
    assert upkeep.close_lost_downloads(now=clock() + STREAM_LEASE + STEP) == 1
    assert Download.objects.get(finished_at=F("started_at")).outcome == "lost"


def test_what_has_ended_stays_as_it_ended(
    stream: Iterator[bytes], clock: Clock
) -> None:
    b"".join(stream)
    assert upkeep.close_lost_downloads(now=clock() + 100 * STREAM_LEASE) == 0
    assert row().outcome == "complete"


def test_closing_is_on_the_clock(stream: Iterator[bytes]) -> None:
    next(stream)
    assert "releases.tidy" in {one["task"] for one in app.conf.beat_schedule.values()}
    # The clock of the tests stands in the past, so the present is long after it.
    tasks.tidy_releases()
    assert row().outcome == "lost"
