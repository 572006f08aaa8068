"""The check of a file, in a real child process: what it accepts, refuses and outlives.

Which faults there are is tested with genomics; here, that each of those a steward
meets ends as a refused file with its place, and changes nothing else.
"""

import gzip
import os
import random
import signal
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pysam
import pytest
from pytest_django.fixtures import Settings

import genomics.child
from gemmule.accounts.models import User
from gemmule.catalog import intake, selectors, services, storage, tasks, upkeep
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.notices.models import Notice
from genomics.errors import ChildKilled
from genomics.job import IntakeJob, IntakeResult, Limits
from tests.gemmule.catalog.callsets import NAMES, Upload, vcf

pytestmark = pytest.mark.django_db

Check = Callable[[DataFile], DataFile]


def bgzip(data: bytes, path: Path) -> bytes:
    plain = path.with_suffix(".plain")
    plain.write_bytes(data)
    pysam.tabix_compress(str(plain), str(path))
    return path.read_bytes()


def bulky(sites: int = 3000) -> bytes:
    """Return a VCF of many sites that does not pack well: several BGZF blocks."""
    rng = random.Random(7)
    rows = [
        f"2\t{1000 + number}\t.\tA\tG\t{rng.random()}\tPASS\tAC=1\tGT\t0/1\t0/0\t1/1\n"
        for number in range(sites)
    ]
    header = b"".join(vcf().splitlines(keepends=True)[:5])
    return header + "".join(rows).encode()


def spoilt(data: bytes, offset: int) -> bytes:
    """Return the bytes with one bit turned at `offset`, negative from the end."""
    changed = bytearray(data)
    changed[offset] ^= 1
    return bytes(changed)


# --- sound files -------------------------------------------------------------


@pytest.mark.parametrize("packing", ["plain", "gzip", "bgzf"])
def test_sound_file_is_accepted_however_it_is_packed(
    packing: str, upload: Upload, check: Check, tmp_path: Path, now: datetime
) -> None:
    data = {
        "plain": lambda: vcf(),
        "gzip": lambda: gzip.compress(vcf()),
        "bgzf": lambda: bgzip(vcf(), tmp_path / "calls.vcf.gz"),
    }[packing]()
    file = check(upload(data))
    assert (file.state, file.refusal) == (DataFileState.ACCEPTED, None)
    assert file.sample_names == list(NAMES)
    assert file.records == 2
    assert file.contigs == [["2", 243_199_373, 2]]
    assert (file.checked_at, file.attempts, file.lease_until) == (now, 1, None)


def test_accepted_file_is_kept_as_its_store_alone(
    accepted: DataFile, store: Path
) -> None:
    folder = store / str(accepted.pk)
    assert {path.name for path in folder.iterdir()} == {"store-1", "store-1.csi"}
    path = storage.store_path(accepted)
    with pysam.VariantFile(str(path), index_filename=f"{path}.csi") as opened:
        assert list(opened.header.samples) == list(NAMES)
        assert len(list(opened.fetch("2", 1500, 2500))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "samples", "records", "contigs", "build"),
    [
        ("1kg_629_samples.vcf.gz", 629, 381, 1, "GRCh37"),
        ("multipleChromosomes.vcf.gz", 100, 346, 22, "GRCh37"),
    ],
)
def test_real_call_set_is_accepted(
    real_vcf: Callable[[str], bytes],
    name: str,
    samples: int,
    records: int,
    contigs: int,
    build: str,
    upload: Upload,
    check: Check,
) -> None:
    file = check(upload(real_vcf(name), name))
    assert (file.state, file.refusal) == (DataFileState.ACCEPTED, None)
    assert len(file.sample_names) == samples
    assert file.records == records
    assert len([one for one in file.contigs if one[2]]) == contigs
    assert file.dataset.build == build


# --- unsound files -----------------------------------------------------------


def faults() -> Iterator[Any]:
    """Yield (bytes, code, line, column) of each fault a steward meets."""
    lines = vcf().splitlines(keepends=True)
    plain = bulky()
    names = lines[4]
    twice = names.replace(b"NA00003", b"NA00001")
    short = lines[6].rsplit(b"\t", 1)[0] + b"\n"
    long = lines[6].rstrip(b"\n") + b"\t0/0\n"
    cut = b"".join(lines)[:-9]
    yield pytest.param(cut, "truncated", 7, 10, id="cut inside a line")
    yield pytest.param(
        gzip.compress(plain)[:-2000], "truncated", ..., None, id="cut gzip"
    )
    yield pytest.param(
        spoilt(gzip.compress(plain), -6), "crc", ..., None, id="gzip of another CRC"
    )
    yield pytest.param(
        b"".join([*lines[:4], twice, *lines[5:]]),
        "sample-duplicate",
        5,
        12,
        id="sample named twice",
    )
    yield pytest.param(
        b"".join([*lines[:6], short]), "column-count", 7, 12, id="column too few"
    )
    yield pytest.param(
        b"".join([*lines[:6], long]), "column-count", 7, 13, id="column too many"
    )
    yield pytest.param(b"\x89PNG\r\n\x1a\n" * 40, "not-vcf", 1, 1, id="a picture")
    yield pytest.param(b"sample,donor\nA,B\n", "not-vcf", 1, 1, id="a sample map")


@pytest.mark.parametrize(("data", "code", "line", "column"), [*faults()])
def test_unsound_file_is_refused_with_its_place_and_changes_nothing(
    data: bytes,
    code: str,
    line: Any,
    column: int | None,
    upload: Upload,
    check: Check,
    mapped: Dataset,
    store: Path,
) -> None:
    before = Dataset.objects.values().get(pk=mapped.pk)
    first = DataFile.objects.values().get(dataset=mapped, number=1)
    file = check(upload(data))
    assert file.state == DataFileState.REFUSED
    assert file.refusal is not None
    assert file.refusal["code"] == code
    if line is ...:
        assert file.refusal["line"] > 1
    else:
        assert (file.refusal["line"], file.refusal["column"]) == (line, column)
    assert file.refusal["message"]
    assert (file.sha256_store, file.sample_names, file.records) == ("", [], None)
    assert not (store / str(file.pk)).exists()
    assert Dataset.objects.values().get(pk=mapped.pk) == before
    assert DataFile.objects.values().get(dataset=mapped, number=1) == first
    assert mapped.samples.count() == 3


def test_damaged_block_is_refused_with_the_line_before_it(
    upload: Upload, check: Check, tmp_path: Path
) -> None:
    data = bgzip(bulky(), tmp_path / "calls.vcf.gz")
    # 28 bytes of the end block, then the CRC and length of the last full one.
    file = check(upload(spoilt(data, -28 - 7)))
    assert file.refusal is not None
    assert file.refusal["code"] == "crc"
    assert file.refusal["line"] > 1


def test_bgzf_without_its_end_is_refused(
    upload: Upload, check: Check, tmp_path: Path
) -> None:
    data = bgzip(bulky(), tmp_path / "calls.vcf.gz")
    file = check(upload(data[:-28]))
    assert file.refusal is not None
    assert file.refusal["code"] == "truncated"


def test_bomb_is_refused_before_it_unpacks(upload: Upload, check: Check) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head = b"##fileformat=VCFv4.2\n##"
    packed = packer.compress(head) + b"".join(
        packer.compress(b"x" * (1 << 20)) for _ in range(200)
    )
    file = check(upload(packed + packer.flush()))
    assert file.state == DataFileState.REFUSED
    assert file.refusal is not None
    assert file.refusal["code"] in {"ratio", "line-length", "header-length"}
    assert file.refusal["line"] == 2


def test_file_over_the_limits_is_refused(
    upload: Upload, check: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "Limits", lambda **kept: Limits(samples=2, **kept))
    file = check(upload(vcf()))
    assert file.refusal is not None
    assert (file.refusal["code"], file.refusal["line"]) == ("too-many-samples", 5)


def test_file_of_another_build_is_refused(upload: Upload, check: Check) -> None:
    file = check(upload(vcf(length=242_193_529)))
    assert file.refusal is not None
    assert file.refusal["code"] == "build-mismatch"
    assert file.refusal["line"] == 2


@pytest.mark.parametrize(
    "names", [(*NAMES, "NA00004"), NAMES[:2], ("NA00001", "NA00002", "NA9")]
)
def test_file_of_other_samples_is_refused(
    names: tuple[str, ...], accepted: DataFile, upload: Upload, check: Check
) -> None:
    file = check(upload(vcf(names)))
    assert file.state == DataFileState.REFUSED
    assert file.refusal is not None
    assert file.refusal["code"] == "other-samples"
    assert "NA0" not in file.refusal["message"]
    assert f"got {len(names)}" in file.refusal["message"]


def test_same_samples_in_another_order_are_accepted(
    accepted: DataFile, upload: Upload, check: Check
) -> None:
    file = check(upload(vcf(NAMES[::-1])))
    assert file.state == DataFileState.ACCEPTED
    assert selectors.sample_names(accepted.dataset) == list(NAMES)


def test_steward_is_told_how_the_check_ended(
    sven: User, upload: Upload, check: Check
) -> None:
    good, bad = check(upload(vcf())), check(upload(b"no VCF"))
    kinds = dict(Notice.objects.filter(user=sven).values_list("url", "kind"))
    base = f"/steward/datasets/{good.dataset.accession}/files"
    assert kinds == {
        f"{base}/{good.number}/": "file.accepted",
        f"{base}/{bad.number}/": "file.refused",
    }


# --- once, whatever happens --------------------------------------------------


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
    assert kept == {"store-2", "store-2.csi"}


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
    assert file.progress == {"records": 5, "records_total": None, "bytes": 70}
    DataFile.objects.update(attempts=2)
    with pytest.raises(intake._LeaseLost):
        intake._reporter(held, lambda: None)(
            genomics.job.Progress(records=6, records_total=None, bytes=80)
        )


# --- upkeep ------------------------------------------------------------------


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
    assert kept == {"store-1", "store-1.csi"}


def test_tidying_an_empty_store_is_no_error(store: Path, now: datetime) -> None:
    assert upkeep.tidy(now=now) == 0


def test_limit_of_an_upload_holds_for_its_check_too(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    jobs: list[IntakeJob] = []

    def keep(job: IntakeJob, **_: Any) -> IntakeResult:
        jobs.append(job)
        return _die()

    settings.UPLOAD_MAX_BYTES = 5000
    monkeypatch.setattr(genomics.child, "run", keep)
    tasks.check_file(str(upload(vcf()).pk))
    assert jobs[0].limits.source_bytes == 5000
    assert jobs[0].build == "GRCh37"
