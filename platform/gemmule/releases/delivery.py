"""Hand out release files: ranges, strong validators, the gate at each chunk.

The stored file is the delivered file, so its SHA-256 is a strong ETag and a killed
download goes on where it stopped, byte-exact (RFC 9110, sections 8.8.3 and 14).
"""

import logging
import re
import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

import ledger.services
from gemmule.accounts.models import User
from gemmule.objects.kept import StorageAway
from gemmule.releases import gate, holding, permissions, sealed, storage
from gemmule.releases.errors import DeliveryRefused, RangeInvalid
from gemmule.releases.models import Download, Release, ReleaseFile

logger = logging.getLogger(__name__)

# One range only: `bytes=0-`, `bytes=100-199`, `bytes=-500`.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

# A stream that stood still for longer sends no more, and its reader resumes. So a row
# not seen for that long belongs to a web server that is gone.
STREAM_LEASE = timedelta(minutes=30)
_NOTED_EVERY = timedelta(seconds=10)
# Before a storage that does not answer is asked again.
_PAUSES_S = (0.2, 0.8)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An open, checked answer: which bytes (0-based half-open) and how to read them."""

    file: ReleaseFile
    start: int
    stop: int
    is_partial: bool
    etag: str
    chunks: Generator[bytes, None, None]


def etag_of(file: ReleaseFile) -> str:
    """Return the strong entity tag of a file: its ciphertext's SHA-256, quoted."""
    return f'"{file.sha256_cipher}"'


def open_file(
    *,
    user: User,
    release: Release,
    file: ReleaseFile,
    range_header: str | None,
    if_range: str | None,
    clock: Clock,
) -> Delivery:
    """Return the bytes asked for, or raise; nothing is read from storage yet."""
    permissions.check_may_download(user, release)
    holding.refresh(now=clock())
    gate.check_open(release, user, today=clock().date())
    gate.check_on_ledger(release)
    sealed.check(release, file, today=clock().date())
    etag = etag_of(file)
    wanted = range_header
    if if_range is not None and if_range.strip() != etag:
        wanted = None  # The reader holds another version: it gets the whole file.
    span = parse_range(wanted, file.size_bytes)
    start, stop = span or (0, file.size_bytes)
    return Delivery(
        file=file,
        start=start,
        stop=stop,
        is_partial=span is not None,
        etag=etag,
        chunks=_chunks(user, file, start, stop, clock),
    )


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the one range asked for, 0-based half-open, or None for the whole file.

    A header that is not a single byte range is ignored, as RFC 9110 allows; one
    that lies outside the file raises RangeInvalid.

    >>> parse_range("bytes=100-199", 1000), parse_range("bytes=-100", 1000)
    ((100, 200), (900, 1000))
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    if not first:
        start, stop = max(0, size - int(last)), size
    else:
        start = int(first)
        stop = min(size, int(last) + 1) if last else size
    if start >= stop:
        raise RangeInvalid(
            f"the file has {size} bytes, none in the range {header}", size_bytes=size
        )
    return start, stop


def _chunks(
    user: User, file: ReleaseFile, start: int, stop: int, clock: Clock
) -> Generator[bytes, None, None]:
    """Yield the bytes in chunks of at most 256 KiB, each through the gate."""
    begun = clock()
    download = Download.objects.create(
        file=file,
        user=user,
        start=start,
        stop=stop,
        started_at=begun,
        seen_at=begun,
    )
    position, outcome = start, "interrupted"
    try:
        with storage.reader(file) as read:
            while position < stop:
                # Before the gate, which gives the connection back for the slow part.
                is_alive = _note(download, position - start, clock())
                want = min(gate.CHUNK_BYTES, stop - position)
                chunk = _taken(file, user, partial(read, position, want), clock)
                if len(chunk) != want:
                    raise AssertionError(
                        f"release file {file.pk} is shorter than sealed"
                    )
                if not is_alive:
                    raise _StoodStill(
                        f"a download of {file.name} stood still too long; resume it",
                        code="stood-still",
                        title="This download stood still too long",
                        release=file.release.accession,
                    )
                position += len(chunk)
                if position == stop:
                    outcome = "complete"
                yield chunk
    except _StoodStill:
        raise
    except DeliveryRefused:
        # The answer has begun, so it can only be cut short: the reader's count of
        # bytes tells it, and its next request is answered with the reason.
        outcome = "stopped"
        raise
    finally:
        _finish(download, position - start, outcome, clock())


def _taken(
    file: ReleaseFile, user: User, read: Callable[[], bytes], clock: Clock
) -> bytes:
    """Return a chunk that passed the gate; raises StorageAway after three tries.

    Between them nothing holds up who closes the release.
    """
    for pause_s in (*_PAUSES_S, None):
        try:
            return gate.pass_chunk(file.release_id, user, read, clock=clock)
        except FileNotFoundError as error:
            logger.exception("release file %s is not where it was kept", file.pk)
            raise StorageAway(
                f"{file.name} is not where it was kept; the administrator finds more "
                "in the log of this site. Nothing of what you have is lost"
            ) from error
        except StorageAway:
            if pause_s is None:
                raise
            time.sleep(pause_s)
    raise AssertionError("the last try returns or raises")


class _StoodStill(DeliveryRefused):
    """The reader took nothing for so long that the row may be closed by now."""


def _note(download: Download, sent: int, now: datetime) -> bool:
    """Keep, every few seconds, that the stream lives and what it has sent.

    Return False for one that stood still so long that its row may be closed.
    """
    last = download.seen_at or download.started_at
    if now - last > STREAM_LEASE:
        return False
    if now - last >= _NOTED_EVERY:
        download.seen_at, download.bytes_sent = now, sent
        download.save(update_fields=["seen_at", "bytes_sent"])
    return True


def _finish(download: Download, sent: int, outcome: str, now: datetime) -> None:
    download.bytes_sent = sent
    download.outcome = outcome
    download.finished_at = now
    file = download.file
    is_last_byte = outcome == "complete" and download.stop == file.size_bytes
    with transaction.atomic():
        if is_last_byte:
            # Once per file and person, however often and in however many parts; the
            # lock lets one of two downloads that end together look after the other.
            ReleaseFile.objects.select_for_update(no_key=True).get(pk=file.pk)
            event = uuid.uuid5(file.release.event, f"{file.pk}/{download.user_id}")
            if not Download.objects.filter(event=event).exists():
                download.event = event
        download.save()
        if download.event is not None:
            ledger.services.append(
                type="data.delivered",
                pub={"manifest_sha256": file.release.manifest_sha256},
                body={
                    "release": file.release.accession,
                    "file": file.name,
                    "recipient": str(download.user_id),
                },
                event=download.event,
                now=now,
            )
