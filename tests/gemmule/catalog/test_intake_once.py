"""A file is checked once, whatever happens to its worker, its child or its message."""

import os
import signal
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import genomics.child
from gemmule.accounts.models import User
from gemmule.catalog import intake, services, storage, tasks, upkeep
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.notices.models import Notice
from genomics.errors import ChildKilled
from genomics.job import IntakeJob, IntakeResult
from tests.gemmule.catalog.callsets import Check, Upload, vcf

pytestmark = pytest.mark.django_db


def test_file_is_checked_once_however_often_it_is_sent(
    upload: Upload, check: Check, now: datetime
) -> None:
    file = check(upload(vcf()))
    for _ in range(3):
        assert intake.check(file.pk, clock=lambda: now) is None
    file.refresh_from_db()
    assert (file.state, file.attempts) == (DataFileState.ACCEPTED, 1)
    assert Notice.objects.filter(kind="file.accepted").count() == 1


def test_unknown_file_is_no_error(now: datetime) -> None:
    assert intake.check(uuid4(), clock=lambda: now) is None


def test_running_check_is_left_alone_until_its_lease_ends(
    upload: Upload, now: datetime
) -> None:
    file = upload(vcf())
    assert intake._take(file.pk, now) is not None
    assert intake.check(file.pk, clock=lambda: now) is None
    assert upkeep.left_behind(now=now) == []
    later = now + intake.LEASE + timedelta(seconds=1)
    assert upkeep.left_behind(now=later) == [file.pk]
    assert intake.check(file.pk, clock=lambda: later) is DataFileState.ACCEPTED
    file.refresh_from_db()
    assert file.attempts == 2
    assert storage.store_path(file).name == "store-2"


def test_late_outcome_of_a_lost_worker_counts_for_nothing(
    upload: Upload, now: datetime, store: Path
) -> None:
    file = upload(vcf())
    lost = intake._take(file.pk, now)
    assert lost is not None
    result = genomics.child.run(
        IntakeJob(source=storage.source_path(lost), store=storage.store_path(lost)),
        timeout_s=60,
    )
    later = now + intake.LEASE + timedelta(seconds=1)
    assert intake.check(file.pk, clock=lambda: later) is DataFileState.ACCEPTED
    assert intake._settle(lost, result, later) is None
    file.refresh_from_db()
    assert (file.state, file.attempts) == (DataFileState.ACCEPTED, 2)
    kept = {path.name for path in (store / str(file.pk)).iterdir()}
    assert kept == {"store-2", "store-2.csi", "store-2.columns"}


def test_file_removed_during_its_check_stays_gone(
    sven: User, upload: Upload, dataset: Dataset, now: datetime, store: Path
) -> None:
    file = upload(vcf())
    held = intake._take(file.pk, now)
    assert held is not None
    services.remove_file(user=sven, dataset=dataset, number=1)
    storage.delete(file.pk)
    assert intake._broken_off(held, "gone", now) is None
    assert not DataFile.objects.exists()
    assert not (store / str(file.pk)).exists()


def _die(*_: object, **__: object) -> IntakeResult:
    raise ChildKilled("the child process was killed, or used up its processor time")


def test_file_that_breaks_its_check_is_set_aside_after_three_tries(
    upload: Upload, now: datetime, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def kill_the_child(job: IntakeJob, **options: Any) -> IntakeResult:
        """Run the real child, and kill it once it has begun to work."""
        tries.append(1)
        popen = subprocess.Popen

        def begin(*args: Any, **kwargs: Any) -> Any:
            process = popen(*args, **kwargs)
            os.kill(process.pid, signal.SIGKILL)
            return process

        with monkeypatch.context() as patch:
            patch.setattr(subprocess, "Popen", begin)
            return real_run(job, **options)

    real_run = genomics.child.run
    monkeypatch.setattr(genomics.child, "run", kill_the_child)
    file = upload(vcf())
    outcomes = [intake.check(file.pk, clock=lambda: now) for _ in range(4)]
    assert outcomes == ["uploaded", "uploaded", "refused", None]
    assert len(tries) == 3
    file.refresh_from_db()
    assert file.refusal is not None
    assert file.refusal["code"] == "set-aside"
    assert "broke off 3 times" in file.refusal["message"]
    assert not (store / str(file.pk)).exists()


def test_file_that_kills_its_worker_is_set_aside_after_three_tries(
    upload: Upload, now: datetime, store: Path
) -> None:
    file = upload(vcf())
    moment = now
    for _ in range(3):
        # The worker dies: nothing after this line runs.
        assert intake._take(file.pk, moment) is not None
        moment += intake.LEASE + timedelta(seconds=1)
        assert upkeep.left_behind(now=moment) == [file.pk]
    assert intake.check(file.pk, clock=lambda: moment) is None
    file.refresh_from_db()
    assert file.state == DataFileState.REFUSED
    assert file.refusal is not None
    assert "its worker was lost" in file.refusal["message"]
    assert not (store / str(file.pk)).exists()
    assert upkeep.left_behind(now=moment) == []


def test_check_that_broke_off_is_sent_again_at_once(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(genomics.child, "run", _die)
    monkeypatch.setattr(tasks, "nudge", lambda task, file_id: sent.append(file_id))
    file = upload(vcf())
    for _ in range(4):
        tasks.check_file(str(file.pk))
    assert sent == [str(file.pk)] * 2


def test_progress_is_shown_while_the_check_runs(
    upload: Upload, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = upload(vcf())
    held = intake._take(file.pk, now)
    assert held is not None
    intake._reporter(held, lambda: None)(
        genomics.job.Progress(records=5, records_total=None, bytes=70)
    )
    file.refresh_from_db()
    assert file.progress == {
        "records": 5,
        "records_total": None,
        "bytes": 70,
        "records_out": None,
    }
    DataFile.objects.update(attempts=2)
    with pytest.raises(intake._LeaseLost):
        intake._reporter(held, lambda: None)(
            genomics.job.Progress(records=6, records_total=None, bytes=80)
        )
