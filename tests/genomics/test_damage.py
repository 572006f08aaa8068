"""A store that is not what intake left: refused, or read as it was; never a fault."""

import contextlib
import dataclasses
import gzip
import random
import shutil
from pathlib import Path

import pytest

from genomics import by_columns, intake, pipeline
from genomics.errors import BuildFailed, GenomicsError
from genomics.job import COLUMNS_SUFFIX, IntakeJob, SubsetJob
from tests.genomics import rows
from tests.genomics.release import PUBLIC, opened
from tests.genomics.uploads import bgzf

FLIPS = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def job(folder: Path) -> SubsetJob:
    """A release of a sound store, with genotypes and values of every kind."""
    names = [f"S{number}" for number in range(10)]
    text = rows.call_set(random.Random(7), names, 30)
    (folder / "upload").write_bytes(text.encode())
    taken = intake.run(
        IntakeJob(source=folder / "upload", store=folder / "store.vcf.gz"),
        lambda _: None,
    )
    return SubsetJob(
        source=folder / "store.vcf.gz",
        source_sha256=taken.sha256_store,
        columns_sha256=taken.sha256_columns,
        samples=tuple((name, f"Q{n}") for n, name in enumerate(names)),
        recipient_public_key=PUBLIC,
        output_dir=folder / "out",
        name="GMR000001",
    )


def outcome(job: SubsetJob, tmp_path: Path) -> bytes | None:
    """Return the release's file of variants, None when it is refused; leave nothing."""
    private = tmp_path / "private"
    for path in (private, job.output_dir):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    with contextlib.chdir(private):
        try:
            result = pipeline.run(job, lambda _: None)
        except BuildFailed as error:
            found = error.code
        else:
            found = "done"
    if found != "done":
        assert found == "store"
        assert list(job.output_dir.iterdir()) == []
        return None
    return opened((job.output_dir / result.files[0].name).read_bytes())


def columns_of(job: SubsetJob) -> Path:
    return job.source.with_name(job.source.name + COLUMNS_SUFFIX)


def damaged(data: bytes) -> dict[str, bytes]:
    """Return flipped bits all over the file, and the file cut and pieced wrongly."""
    rng = random.Random(11)
    found = {}
    for place in sorted(rng.sample(range(len(data)), FLIPS)):
        flipped = data[place] ^ 1 << rng.randrange(8)
        found[f"flip at {place}"] = data[:place] + bytes([flipped]) + data[place + 1 :]
    for place in [0, 1, 8, 24, *rng.sample(range(len(data)), 20), len(data) - 1]:
        found[f"cut at {place}"] = data[:place]
        found[f"hole at {place}"] = data[:place] + data[place + 16 :]
    found["end twice"] = data + data[-24:]
    found["twice"] = data + data
    found["sizes of all ones"] = data[:-24] + b"\xff" * 16 + data[-8:]
    return found


def test_damaged_columns_are_refused_or_read_as_they_were(
    job: SubsetJob, tmp_path: Path
) -> None:
    path = columns_of(job)
    sound = path.read_bytes()
    expected = outcome(job, tmp_path)
    assert expected is not None
    verdicts = {}
    try:
        for name, data in damaged(sound).items():
            path.write_bytes(data)
            verdicts[name] = outcome(job, tmp_path)
    finally:
        path.write_bytes(sound)
    assert set(verdicts.values()) <= {None, expected}
    # Not of every block is all that it holds looked at.
    assert sum(found is None for found in verdicts.values()) > FLIPS / 2


def test_a_damaged_text_is_refused(job: SubsetJob, tmp_path: Path) -> None:
    by_text = dataclasses.replace(job, columns_sha256=None)
    sound = job.source.read_bytes()
    try:
        for data in list(damaged(sound).values())[::20]:
            job.source.write_bytes(data)
            assert outcome(by_text, tmp_path) is None
    finally:
        job.source.write_bytes(sound)


def test_damage_met_by_one_of_several_workers_is_refused(
    job: SubsetJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_columns, "_WORTHWHILE", 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    path = columns_of(job)
    sound = path.read_bytes()
    try:
        path.write_bytes(sound[:600] + bytes([sound[600] ^ 1]) + sound[601:])
        assert outcome(job, tmp_path) is None
    finally:
        path.write_bytes(sound)


@pytest.mark.parametrize("block", [300, 0xFF00])
def test_a_store_cut_between_any_two_of_its_blocks_is_refused(
    job: SubsetJob, tmp_path: Path, block: int
) -> None:
    """As when no digest is known, which only its own end can make good."""
    packed = bgzf(gzip.decompress(job.source.read_bytes()), block=block)
    path = tmp_path / "other.vcf.gz"
    bare = dataclasses.replace(
        job, source=path, source_sha256=None, columns_sha256=None
    )
    path.write_bytes(packed)
    assert outcome(bare, tmp_path) is not None
    borders = [
        at for at in range(1, len(packed)) if packed[at : at + 4] == b"\x1f\x8b\x08\x04"
    ]
    for border in borders[:: max(1, len(borders) // 40)]:
        path.write_bytes(packed[:border])
        with contextlib.suppress(GenomicsError):
            assert outcome(bare, tmp_path) is None
