"""A process publishes what comes, survives who is away, and ends when it is told."""

import logging
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from ledger import following, inspection, keys, rollback, selectors, services
from tests import waiting, witnesses
from tests.ledger import processes
from tests.ledger.circle import Circle

Record = Callable[..., uuid.UUID]


def test_the_command_publishes_once_and_says_how_far(
    database: str, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = Circle(tmp_path, monkeypatch)
    out = StringIO()
    call_command("publish_ledger", stdout=out)
    event = record()
    circle.away = {"w0"}
    with pytest.raises(CommandError, match="not the quorum"):
        call_command("publish_ledger", stdout=out)
    circle.away = set()
    call_command("publish_ledger", stdout=out)
    assert selectors.is_published(event)
    assert out.getvalue().splitlines() == [
        "the ledger has no entries yet",
        "2 entries are under a published checkpoint",
    ]


def test_the_command_rebuilds_what_was_lost(database: str, record: Record) -> None:
    record()
    record()
    tile = settings.LEDGER_PUBLIC_DIR / "tile" / "0" / "000.p" / "3"
    kept = tile.read_bytes()
    tile.unlink()
    call_command("publish_ledger", "--rebuild", stdout=StringIO())
    assert tile.read_bytes() == kept
    assert inspection.inspect().is_sound


def test_it_goes_on_behind_whatever_goes_wrong(
    database: str,
    record: Record,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    circle = Circle(tmp_path, monkeypatch)
    event = record()
    circle.away = {"w0"}
    rounds: list[str] = []
    publish = services.publish
    stop = threading.Event()

    def counted(*, now: datetime) -> None:
        rounds.append("")
        if len(rounds) == 4:
            raise OperationalError("the server was restarted")
        if len(rounds) == 5:
            circle.away = set()
        if len(rounds) == 8:
            stop.set()
        publish(now=now)

    monkeypatch.setattr(services, "publish", counted)
    following.follow(
        stop=stop, clock=lambda: now, interval_s=0.001, longest_pause_s=0.004
    )
    assert len(rounds) == 8
    assert selectors.is_published(event)
    # Three rounds below the quorum are told once.
    assert caplog.text.count("tried again: 1 of the policy's 2 witnesses") == 1
    assert caplog.text.count("tried again: the server was restarted") == 1
    assert caplog.text.count("publishing again") == 1


def test_pauses_grow_and_have_an_end(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert timeout is not None
            pauses.append(timeout)
            if len(pauses) == 7:
                self.set()
            return self.is_set()

    def work(*, now: datetime) -> None:
        if 1 < len(pauses) < 5:
            raise OSError("no network")

    monkeypatch.setattr(rollback, "examine", tuple)
    monkeypatch.setattr(services, "sequence_all", lambda *, now: None)
    monkeypatch.setattr(services, "publish", work)
    following.follow(
        stop=Stop(), clock=lambda: now, interval_s=1.0, longest_pause_s=5.0
    )
    assert pauses == [1.0, 1.0, 2.0, 4.0, 5.0, 1.0, 1.0]


def test_processes_that_follow_share_the_work_and_end_cleanly(
    database: str, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of them beside each other, a real witness, and a signal for each."""
    log = keys.log_key().verifier
    witness = witnesses.make(tmp_path / "witness", log)
    with witnesses.serving(tmp_path / "witness") as serving:
        policy = tmp_path / "policy"
        policy.write_text(
            f"log {log.text}\nwitness w {witness.text} {serving.url}\nquorum w\n"
        )
        monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", policy)
        outputs = [tmp_path / "first", tmp_path / "second"]
        started = [follow(database, output) for output in outputs]
        try:
            for output in outputs:
                wait_for(output, b"publishing what comes")
            event = record()
            waiting.until(
                lambda: selectors.is_published(event),
                what="the publication",
                timeout_s=60,
            )
            for process, end in zip(
                started, (signal.SIGTERM, signal.SIGINT), strict=True
            ):
                process.send_signal(end)
                assert process.wait(30) == 0
        finally:
            for process in started:
                process.kill()
                process.wait()
    said = b"".join(output.read_bytes() for output in outputs)
    assert b"Traceback" not in said
    assert said.count(b"published size=2 cosigned=1/1") == 1
    assert inspection.inspect().is_sound


def wait_for(output: Path, words: bytes) -> None:
    waiting.until(
        lambda: words in output.read_bytes(), what=words.decode(), timeout_s=60
    )


def follow(database: str, output: Path) -> "subprocess.Popen[bytes]":
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "django", "publish_ledger", "--follow"],
            env=processes.environment(database),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
