"""The check of a file, in a real child process: what it accepts and what it refuses.

Which faults there are is tested with genomics; here, that each of those a steward
meets ends as a refused file with its place, and changes nothing else.
"""

import gzip
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pysam
import pytest
from pytest_django.fixtures import Settings

import genomics.child
from gemmule.accounts.models import User
from gemmule.catalog import intake, selectors, storage, tasks
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.notices.models import Notice
from genomics.errors import ChildKilled
from genomics.job import IntakeJob, IntakeResult
from genomics.limits import Limits
from tests.gemmule.catalog.callsets import (
    NAMES,
    Check,
    Upload,
    bgzip,
    bulky,
    spoilt,
    vcf,
)

pytestmark = pytest.mark.django_db

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
    assert {path.name for path in folder.iterdir()} == {
        "store-1",
        "store-1.csi",
        "store-1.columns",
    }
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


def test_limit_of_an_upload_holds_for_its_check_too(
    upload: Upload, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    jobs: list[IntakeJob] = []

    def keep(job: IntakeJob, **_: Any) -> IntakeResult:
        jobs.append(job)
        raise ChildKilled("the job is kept, and no child is begun")

    settings.UPLOAD_MAX_BYTES = 5000
    monkeypatch.setattr(genomics.child, "run", keep)
    tasks.check_file(str(upload(vcf()).pk))
    assert jobs[0].limits.source_bytes == 5000
    assert jobs[0].build == "GRCh37"
