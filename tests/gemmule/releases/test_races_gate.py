"""The gate under many readers: once a withdrawal is acknowledged nothing is taken.

The reads of storage and the acknowledgement are numbered under one lock, so that
"after" is not a matter of clocks.
"""

import http.client
import itertools
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

import gemmule.accounts.services
from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.objects.kept import Read
from gemmule.releases import build, delivery, gate, services, storage, upkeep
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseFile, ReleaseState
from tests import cohorts, waiting
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.contents import lies_at, stored
from tests.gemmule.releases.racing import QuickCut, beside, let_pass, rounds

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

READERS = 16
CHUNKS = 12
PATIENCE_S = 2.0  # what a withdrawal may wait for the readers


class Meter:
    """Numbers what is taken from storage and what is acknowledged, in one row."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self.taken: list[int] = []

    def next(self) -> int:
        with self._lock:
            return next(self._numbers)

    def take(self) -> None:
        with self._lock:
            self.taken.append(next(self._numbers))

    @contextmanager
    def reader(self, file: ReleaseFile) -> Iterator[Read]:
        """Open a stored file on a slow disk; a read is numbered when it has ended."""
        with real_reader(file) as read:

            def read_slowly(position: int, size: int) -> bytes:
                found = read(position, size)
                # Some reads take longer than a withdrawal needs when nothing holds it
                # back.
                let_pass(0.004 if self.next() % 20 else 0.4)
                self.take()
                return found

            yield read_slowly


real_reader = storage.reader


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    made = Meter()
    monkeypatch.setattr(storage, "reader", made.reader)
    return made


@pytest.fixture
def quick(built: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> QuickCut:
    """Let every further build cut in no time."""
    cut = QuickCut.of(built, tmp_path / "cut")
    monkeypatch.setattr(build, "_cut", cut)
    return cut


def padded(release: Release) -> ReleaseFile:
    """Return the release's variants, long enough for several chunks."""
    file = release.files.get(role="variants")
    data = random.Random(release.pk).randbytes(CHUNKS * gate.CHUNK_BYTES - 1000)
    lies_at(file).write_bytes(data)
    file.size_bytes = len(data)
    file.save()
    return file


def withdraw_beside(
    readers: list[Callable[[], int]], donor: Donor, meter: Meter, delay: float
) -> float:
    """Let the donor withdraw while all read; return how long that took.

    A reader reads until it is refused, and returns how many bytes it got.
    """
    acknowledged: list[int] = []
    seconds: list[float] = []

    def withdraw() -> int:
        # When all are reading: else it would be no wonder.
        waiting.until(
            lambda: len(meter.taken) - before > 2 * len(readers), what="the readers"
        )
        let_pass(delay)
        began = time.monotonic()
        services.withdraw_consent(
            donor=donor, channel="donor", event=uuid.uuid4(), now=timezone.now()
        )
        acknowledged.append(meter.next())
        seconds.append(time.monotonic() - began)
        return 0

    before = len(meter.taken)
    got = beside(withdraw, *readers)
    assert max(meter.taken) < acknowledged[0], "a chunk was taken after all"
    assert sum(size > 0 for size in got) > len(readers) / 2
    return seconds[0]


def reader(user: User, file: ReleaseFile, rng: random.Random) -> Callable[[], int]:
    """Return one who downloads whole files, ranges and remainders until refused."""
    whole = stored(file)

    def read() -> int:
        position, total = 0, 0
        while True:
            release = Release.objects.select_related("request__project", "key").get(
                pk=file.release_id
            )
            start = position or rng.choice([0, rng.randrange(len(whole))])
            try:
                opened = delivery.open_file(
                    user=user,
                    release=release,
                    file=file,
                    range_header=f"bytes={start}-" if start else None,
                    if_range=delivery.etag_of(file) if position else None,
                    clock=timezone.now,
                )
                position = start
                for chunk in opened.chunks:
                    assert chunk == whole[position : position + len(chunk)]
                    position += len(chunk)
                    total += len(chunk)
                    let_pass(rng.uniform(0, 0.01))
                    if rng.random() < 0.1:
                        opened.chunks.close()
                        break
            except DeliveryRefused:
                return total
            if position == len(whole):
                position = 0

    return read


def test_after_the_acknowledgement_no_reader_takes_a_chunk(
    built: Release,
    quick: QuickCut,
    rosa: User,
    donors: list[Donor],
    clock: Clock,
    rng: random.Random,
    meter: Meter,
) -> None:
    live = built
    for _ in range(rounds(3)):
        file, donor = padded(live), rng.choice(donors[:28])
        seeds = [rng.random() for _ in range(READERS)]
        readers = [reader(rosa, file, random.Random(seed)) for seed in seeds]
        seconds = withdraw_beside(readers, donor, meter, rng.uniform(0, 0.3))
        assert seconds < PATIENCE_S
        live.refresh_from_db()
        assert live.state == ReleaseState.REVOKED
        cohorts.agree(donor, cohorts.GENERAL, clock())
        live = Release.objects.get(supersedes=live)
        Release.objects.filter(pk=live.pk).update(start_after=None)
        assert build.run(live.pk, clock=clock) == ReleaseState.SEALED
        upkeep.settle(now=clock())
        live.refresh_from_db()


def http_reader(
    server: LiveServer, path: str, headers: dict[str, str], rng: random.Random
) -> Callable[[], int]:
    """Return one who downloads over HTTP, slowly, and goes on after every break."""
    address = server.url.removeprefix("http://")

    def read() -> int:
        position, total, etag = 0, 0, ""
        while True:
            # A stream that is cut short ends with its connection.
            sent = {**headers, "Connection": "close"}
            if position:
                sent |= {"Range": f"bytes={position}-", "If-Range": etag}
            connection = http.client.HTTPConnection(address, timeout=60)
            try:
                connection.request("GET", path, headers=sent)
                answer = connection.getresponse()
                if answer.status == 403:
                    assert b"withdrew" in answer.read()
                    return total
                assert answer.status == (206 if position else 200)
                etag = answer.headers["ETag"]
                left = int(answer.headers["Content-Length"])
                while left and (piece := answer.read(64 * 1024)):
                    position += len(piece)
                    total += len(piece)
                    left -= len(piece)
                    let_pass(rng.uniform(0, 0.004))
                if not left:
                    position = 0
            finally:
                connection.close()

    return read


def test_pages_and_api_stop_at_the_acknowledgement(
    built: Release,
    rosa: User,
    donors: list[Donor],
    rng: random.Random,
    meter: Meter,
    live_server: LiveServer,
    signed_in: Callable[[User], Client],
) -> None:
    file = padded(built)
    token = gemmule.accounts.services.issue_token(
        user=rosa, name="readers", expiry=timedelta(days=1)
    )
    cookie = signed_in(rosa).cookies["sessionid"].value
    ways = [
        (
            f"/api/v1/releases/{built.accession}/files/{file.name}",
            {"Authorization": f"Token {token}"},
        ),
        (
            f"/research/releases/{built.accession}/files/{file.name}",
            {"Cookie": f"sessionid={cookie}"},
        ),
    ]
    readers = [
        http_reader(live_server, path, headers, random.Random(rng.random()))
        for path, headers in ways * (READERS // 2)
    ]
    seconds = withdraw_beside(readers, donors[5], meter, rng.uniform(0, 0.3))
    assert seconds < PATIENCE_S
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED


def test_a_withdrawal_before_the_first_chunk_is_answered_with_the_reason(
    built: Release,
    rosa: User,
    donors: list[Donor],
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request was let in, and the donor withdraws before anything was taken."""
    file = padded(built)
    token = gemmule.accounts.services.issue_token(
        user=rosa, name="reader", expiry=timedelta(days=1)
    )
    let_in = delivery.open_file

    def withdraw_then_go_on(**asked: Any) -> delivery.Delivery:
        opened = let_in(**asked)
        services.withdraw_consent(
            donor=donors[5], channel="donor", event=uuid.uuid4(), now=timezone.now()
        )
        return opened

    monkeypatch.setattr(delivery, "open_file", withdraw_then_go_on)
    connection = http.client.HTTPConnection(live_server.url.removeprefix("http://"))
    try:
        connection.request(
            "GET",
            f"/api/v1/releases/{built.accession}/files/{file.name}",
            headers={"Authorization": f"Token {token}", "Connection": "close"},
        )
        answer = connection.getresponse()
        assert answer.status == 403
        assert b"withdrew" in answer.read()
    finally:
        connection.close()
    assert built.files.get(pk=file.pk).downloads.get().outcome == "stopped"
