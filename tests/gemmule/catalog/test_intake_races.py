"""Checks that run at the same time, on PostgreSQL with real commits."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

import genomics.child
from gemmule.catalog import intake, upkeep
from gemmule.catalog.models import DataFile, DataFileState
from gemmule.notices.models import Notice
from genomics.job import IntakeJob, IntakeResult
from tests.gemmule.catalog.callsets import NAMES, Upload, vcf

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Start the calls together, each with a connection of its own."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            barrier.wait(timeout=30)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, one) for one in calls]]


def test_file_sent_five_times_at_once_is_checked_once(
    upload: Upload, now: datetime
) -> None:
    file = upload(vcf())
    outcomes = at_once(
        *[lambda: intake.check(file.pk, clock=lambda: now) for _ in range(5)]
    )
    assert Counter(outcomes) == {DataFileState.ACCEPTED: 1, None: 4}
    file.refresh_from_db()
    assert file.attempts == 1
    assert Notice.objects.filter(kind="file.accepted").count() == 1


def test_of_two_files_of_other_samples_one_is_accepted(
    upload: Upload, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = genomics.child.run
    both_done = threading.Barrier(2)

    def end_together(job: IntakeJob, **options: Any) -> IntakeResult:
        result = run(job, **options)
        both_done.wait(timeout=60)
        return result

    monkeypatch.setattr(genomics.child, "run", end_together)
    files = [upload(vcf(names)) for names in (NAMES, NAMES[:2])]

    def check(file_id: UUID) -> DataFileState | None:
        return intake.check(file_id, clock=lambda: now)

    outcomes = at_once(*[lambda pk=file.pk: check(pk) for file in files])
    assert sorted(str(one) for one in outcomes) == ["accepted", "refused"]
    refused = DataFile.objects.get(state=DataFileState.REFUSED)
    assert refused.refusal is not None
    assert refused.refusal["code"] == "other-samples"


def test_lease_is_renewed_while_the_child_works(
    upload: Upload, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LEASE", timedelta(seconds=0.4))
    run = genomics.child.run
    file = upload(vcf())
    renewed: list[bool] = []

    def wait_for_renewal(job: IntakeJob, **options: Any) -> IntakeResult:
        first = DataFile.objects.get(pk=file.pk).lease_until
        later = now + timedelta(hours=1)
        moments.append(later)
        deadline = threading.Event()
        while not renewed and not deadline.wait(0.05):
            lease = DataFile.objects.get(pk=file.pk).lease_until
            if lease is not None and lease != first:
                renewed.append(lease > later)
        return run(job, **options)

    moments = [now]
    monkeypatch.setattr(genomics.child, "run", wait_for_renewal)
    assert intake.check(file.pk, clock=lambda: moments[-1]) is DataFileState.ACCEPTED
    assert renewed == [True]


def test_check_that_lost_its_file_stops_its_child(
    upload: Upload, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "LEASE", timedelta(seconds=0.4))
    file = upload(vcf())
    stopped: list[bool] = []

    def lose_it(job: IntakeJob, *, on_progress: Any, **_: Any) -> IntakeResult:
        # Another worker takes the file over while the child is at work.
        DataFile.objects.filter(pk=file.pk).update(attempts=2)
        progress = genomics.job.Progress(records=1, records_total=None, bytes=1)
        try:
            on_progress(progress)
        except intake._LeaseLost:
            stopped.append(True)
            raise
        raise AssertionError("the check went on without its file")

    monkeypatch.setattr(genomics.child, "run", lose_it)
    assert intake.check(file.pk, clock=lambda: now) is None
    assert stopped == [True]
    later = now + timedelta(hours=1)
    assert upkeep.left_behind(now=later) == [file.pk]
