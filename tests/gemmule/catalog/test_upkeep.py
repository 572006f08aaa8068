"""What a crash or a lost message left behind is picked up and cleared away."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import genomics.child
from gemmule.catalog import intake, storage, tasks, upkeep
from gemmule.catalog.models import DataFile, DataFileState
from tests.gemmule.catalog.callsets import Check, Upload, bulky, vcf

pytestmark = pytest.mark.django_db


def test_lost_message_is_made_good(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, file_id: sent.append(file_id))
    files = [upload(vcf()), upload(bulky())]
    tasks.pick_up_files()
    assert sent == [str(file.pk) for file in files]
    # Not every few seconds again: its new message may still wait its turn.
    tasks.pick_up_files()
    assert len(sent) == 2


def test_message_counts_as_lost_after_a_while_only(
    upload: Upload, now: datetime
) -> None:
    file = upload(vcf())
    assert upkeep.left_behind(now=now) == []
    later = now + upkeep.RESEND_AFTER + timedelta(seconds=1)
    assert upkeep.left_behind(now=later) == [file.pk]
    sent: list[Any] = []
    assert upkeep.pick_up(send=sent.append, now=later) == 1
    assert upkeep.pick_up(send=sent.append, now=later) == 0
    assert upkeep.pick_up(send=sent.append, now=later + upkeep.RESEND_AFTER * 2) == 1
    # However often it was sent, it can still be checked at any moment.
    assert intake.check(file.pk, clock=lambda: later) is DataFileState.ACCEPTED


def test_plaintext_of_a_dead_child_is_swept(store: Path, now: datetime) -> None:
    private = storage.scratch() / f"{genomics.child.PRIVATE_PREFIX}left"
    private.mkdir(mode=0o700)
    (private / "plain").write_text("0/1")
    assert upkeep.sweep_scratch(now=datetime.fromtimestamp(0, now.tzinfo)) == 0
    tasks.pick_up_files()
    assert not private.exists()


def test_bytes_that_no_row_needs_are_deleted(
    accepted: DataFile, upload: Upload, check: Check, store: Path, now: datetime
) -> None:
    waiting = upload(bulky())
    refused = check(upload(b"no VCF"))
    folder = store / str(refused.pk)
    folder.mkdir()
    (folder / "source").write_bytes(b"left by a crash")
    (store / str(accepted.pk) / "source").write_bytes(b"left by a crash")
    (store / str(accepted.pk) / "store-0").write_bytes(b"left by a crash")
    young, old, foreign = store / str(uuid4()), store / str(uuid4()), store / "notes"
    for path in (young, old, foreign):
        path.mkdir()
    real_now = datetime.fromtimestamp(time.time(), now.tzinfo)
    two_days_ago = time.time() - 2 * 24 * 60 * 60
    for path in (old, foreign):
        os.utime(path, (two_days_ago, two_days_ago))
    upkeep.tidy(now=real_now)
    assert not folder.exists()
    assert not old.exists()
    assert young.exists()
    assert foreign.exists()
    assert storage.source_path(waiting).exists()
    kept = {path.name for path in (store / str(accepted.pk)).iterdir()}
    assert kept == {"store-1", "store-1.csi", "store-1.columns"}


def test_tidying_an_empty_store_is_no_error(store: Path, now: datetime) -> None:
    assert upkeep.tidy(now=now) == 0


def test_a_sweep_from_an_old_row_leaves_a_later_store_alone(
    accepted: DataFile, store: Path
) -> None:
    """Whoever read the row before a rewrite must not delete what it put there."""
    folder = store / str(accepted.pk)
    for name in ("store-2", "store-2.csi", ".store-2.abc.part"):
        (folder / name).write_bytes(b"written anew")
    (folder / ".store-0.abc.part").write_bytes(b"left by a crash")
    storage.sweep(accepted)
    names = {path.name for path in folder.iterdir()}
    assert {"store-1", "store-2", "store-2.csi", ".store-2.abc.part"} <= names
    assert ".store-0.abc.part" not in names
    accepted.attempts = 2
    storage.sweep(accepted)
    names = {path.name for path in folder.iterdir()}
    assert names == {"store-2", "store-2.csi", ".store-2.abc.part"}
