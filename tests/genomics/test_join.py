"""Shares of a release, cut apart and joined, are the release to the byte."""

import contextlib
import dataclasses
import gzip
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics import by_columns, child, join, part_cut, pipeline
from genomics.crypt4gh import keys
from genomics.crypt4gh.stream import encrypt_stream
from genomics.errors import BuildFailed, JobInvalid
from genomics.job import SubsetJob
from genomics.part_job import JoinJob, PartJob, essence
from genomics.windows import WIDTH, Share, plan
from tests.genomics.children import LIMIT_S, make_room
from tests.genomics.release import (
    ANN_AND_CID,
    EVERYONE,
    PUBLIC,
    opened,
    source,
    write_columns,
)

SECRET_KEY, PUBLIC_KEY = keys.generate()
GENOTYPES = ("0|0", "0|1", "1|1", "./.", "0/1")
Parts = tuple[tuple[Path, str], ...]


def rows(seed: int, form: str = "GT") -> list[str]:
    """Make records on three contigs, among them some that trimming moves on."""
    chance = random.Random(seed)
    found = []
    for contig, windows in (("2", 5), ("11", 1), ("X", 3)):
        for window in range(windows):
            edge = (window + 1) * WIDTH
            starts = sorted(chance.sample(range(edge - WIDTH + 1, edge - 40), 6))
            for pos in starts:
                found.append(_row(chance, contig, pos, "A", "C,G", form))
            # Ben alone has the long allele: without him POS is past the window's edge.
            cells = ":".join(["{}", *["."] * form.count(":")])
            calls = " ".join(cells.format(gt) for gt in ("0/2", "0/1", "0/2"))
            found.append(f"{contig} {edge - 3} . AAAAAT A,AAAAAC . . . {form} {calls}")
            found.append(_row(chance, contig, edge, "A", "C", form))
    return found


def _row(
    chance: random.Random, contig: str, pos: int, ref: str, alts: str, form: str
) -> str:
    calls = []
    for _ in range(3):
        cell = [chance.choice(GENOTYPES)]
        if form != "GT":
            depths = [str(chance.randrange(50)) for _ in range(alts.count(",") + 2)]
            cell += [",".join(depths), chance.choice([".", "7", "7.5"])]
        calls.append(":".join(cell))
    return f"{contig} {pos} rs{pos} {ref} {alts} 30 PASS . {form} {' '.join(calls)}"


def job_for(room: Path, *records: str, **options: object) -> SubsetJob:
    path = room / "source.vcf.gz"
    path.write_bytes(gzip.compress(source(*records).encode(), 1))
    fields: dict[str, object] = {
        "source": path,
        "samples": tuple(ANN_AND_CID.items()),
        "recipient_public_key": PUBLIC,
        "output_dir": room / "out",
        "name": "GMR000001",
        "columns_sha256": write_columns(path),
        "build": "GRCh37",
    }
    return SubsetJob(**(fields | options))  # type: ignore[arg-type]  # checked by the class


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


def part_of(job: SubsetJob, room: Path, number: int, count: int) -> tuple[Path, str]:
    path = room / f"{number}-of-{count}.c4gh"
    path.unlink(missing_ok=True)
    part = PartJob(
        subset=job, number=number, count=count, build_public_key=PUBLIC_KEY, part=path
    )
    with contextlib.chdir(room / "temp"):
        result = part_cut.run(PartJob.from_json(part.to_json()), lambda _: None)
    assert list((room / "temp").iterdir()) == []
    return path, result.sha256


def parts_of(job: SubsetJob, room: Path, count: int) -> Parts:
    return tuple(part_of(job, room, number, count) for number in range(count))


def joined(job: SubsetJob, room: Path, parts: Parts) -> list[bytes]:
    wanted = JoinJob(subset=job, parts=parts, build_secret_key=SECRET_KEY)
    private = room / "temp" / "join"
    private.mkdir()
    with contextlib.chdir(private):
        result = join.run(JoinJob.from_json(wanted.to_json()), lambda _: None)
    assert list(private.iterdir()) == []
    private.rmdir()
    return [told(job), str(dataclasses.replace(result, files=())).encode()]


def told(job: SubsetJob) -> bytes:
    """Return what lies in the output folder, opened, and take it away."""
    found = b""
    for path in sorted(job.output_dir.iterdir()):
        found += path.name.encode() + b"\0" + opened(path.read_bytes())
        path.unlink()
    return found


def single(job: SubsetJob, room: Path) -> list[bytes]:
    with contextlib.chdir(room / "temp"):
        result = pipeline.run(job, lambda _: None)
    return [told(job), str(dataclasses.replace(result, files=())).encode()]


@pytest.mark.parametrize("form", ["GT", "GT:AD:GQ"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"samples": tuple(EVERYONE.items()), "bgzf_level": 6},
        {"regions": (("2", WIDTH - 10, WIDTH + 10), ("X", 0, 3 * WIDTH))},
        {"withheld": {"Ann": (("2", WIDTH, 3 * WIDTH), ("11", 0, WIDTH))}},
        {"filter_is_cohort_independent": True},
    ],
    ids=["plain", "everyone", "regions", "withheld", "steward"],
)
def test_any_number_of_shares_comes_to_the_same_bytes(
    room: Path, form: str, options: dict[str, object]
) -> None:
    job = job_for(room, *rows(7, form), **options)
    whole = single(job, room)
    assert single(dataclasses.replace(job, columns_sha256=None), room) == whole
    for count in (1, 2, 5, 40):
        assert joined(job, room, parts_of(job, room, count)) == whole


def test_a_record_that_moves_past_the_edge_of_a_share_is_there_once(
    room: Path,
) -> None:
    first = f"2 {WIDTH - 3} . AAAAAT A,AAAAAC . . . GT 0/2 0/1 0/2"
    job = job_for(room, f"2 {WIDTH - 9} . A C . . . GT 0/1 0/0 1/1", first)
    whole = single(job, room)
    vcf = whole[0].partition(b"\0")[2]
    positions = [
        line.split("\t")[1]
        for line in gzip.decompress(vcf.partition(b"GMR000001")[0]).decode().split("\n")
        if line and not line.startswith("#")
    ]
    assert positions == [str(WIDTH - 9), str(WIDTH + 2)]
    assert joined(job, room, parts_of(job, room, 2)) == whole


def test_shares_cut_from_text_come_to_the_same_bytes(room: Path) -> None:
    job = job_for(room, *rows(3), columns_sha256=None)
    assert joined(job, room, parts_of(job, room, 3)) == single(job, room)


def test_nothing_in_a_region_is_joined_to_an_empty_release(room: Path) -> None:
    job = job_for(room, *rows(3), regions=(("19", 5, 9),))
    assert joined(job, room, parts_of(job, room, 3)) == single(job, room)


def test_shares_are_even_and_leave_nothing_out() -> None:
    chance = random.Random(5)
    for _ in range(200):
        weights = [chance.choice([0, 1, 5, 900]) for _ in range(chance.randrange(30))]
        count = chance.randint(1, 9)
        edges = [Share(number=n, count=count).of(weights) for n in range(count)]
        assert [0, *(last for _, last in edges)] == [
            *(first for first, _ in edges),
            len(weights),
        ]
        most = sum(weights) / count + max(weights, default=0)
        assert all(sum(weights[first:last]) <= most for first, last in edges)


def test_a_share_in_storage_is_no_plaintext(room: Path) -> None:
    job = job_for(room, *rows(7))
    path, _ = part_of(job, room, 0, 2)
    data = path.read_bytes()
    assert data.startswith(b"crypt4gh")
    assert not any(word in data for word in (b"GMPART01", b"A0", b"contig"))


def changed(parts: Parts, number: int, path: Path, sha256: str | None = None) -> Parts:
    found = list(parts)
    found[number] = (path, sha256 or parts[number][1])
    return tuple(found)


def flipped(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    data = bytearray(parts[1][0].read_bytes())
    data[-1] ^= 1
    parts[1][0].write_bytes(data)
    return parts


def cut_off(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    data = parts[1][0].read_bytes()
    # Behind the header: as sound a Crypt4GH file as the whole, of nothing.
    parts[1][0].write_bytes(data[:124])
    return parts


def missing(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    parts[1][0].unlink()
    return parts


def swapped(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    return (parts[1], parts[0], *parts[2:])


def fewer(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    return parts[:-1]


def of_another_release(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    other = dataclasses.replace(job, filter_is_cohort_independent=True)
    return changed(parts, 1, *part_of(other, room, 1, 3))


def not_a_share(job: SubsetJob, room: Path, parts: Parts) -> Parts:
    path = room / "other.c4gh"
    with path.open("wb") as target:
        done = encrypt_stream(io.BytesIO(b"GMPART01 but no more"), target, PUBLIC_KEY)
    return changed(parts, 1, path, done.sha256_cipher)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flipped, "as it was sealed"),
        (cut_off, "one changed"),
        (missing, "the file of each part"),
        (swapped, "once, in order"),
        (fewer, "once, in order"),
        (of_another_release, "got another's"),
        (not_a_share, "a whole part"),
    ],
)
def test_what_is_not_the_next_share_is_refused(
    room: Path, damage: Callable[[SubsetJob, Path, Parts], Parts], reason: str
) -> None:
    job = job_for(room, *rows(7))
    parts = damage(job, room, parts_of(job, room, 3))
    with pytest.raises(BuildFailed, match=reason) as raised:
        joined(job, room, parts)
    assert raised.value.code == "part"
    assert list(job.output_dir.iterdir()) == []


def test_a_secret_that_is_not_the_builds_opens_nothing(room: Path) -> None:
    job = job_for(room, *rows(7))
    parts = parts_of(job, room, 2)
    other, _ = keys.generate()
    wanted = JoinJob(subset=job, parts=parts, build_secret_key=other)
    with (
        contextlib.chdir(room / "temp"),
        pytest.raises(BuildFailed, match="does not open"),
    ):
        join.run(wanted, lambda _: None)


def test_shares_of_two_versions_are_not_mixed(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_for(room, *rows(7))
    versions = pipeline.versions()
    monkeypatch.setattr(pipeline, "versions", lambda: versions | {"isal": "0"})
    parts = parts_of(job, room, 2)
    monkeypatch.undo()
    with pytest.raises(BuildFailed, match="the same versions"):
        joined(job, room, parts)


def test_shares_of_two_plans_are_not_mixed(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_for(room, *rows(7))
    first = part_of(job, room, 0, 2)
    monkeypatch.setattr(by_columns, "plan", lambda blocks: list(plan(blocks))[:-1])
    second = part_of(job, room, 1, 2)
    with pytest.raises(BuildFailed, match="one and the same cut"):
        joined(job, room, (first, second))


@pytest.mark.parametrize("moved", [-1, 1])
def test_shares_neither_overlap_nor_leave_a_gap(
    room: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    job = job_for(room, *rows(7))
    begin = part_of(job, room, 0, 2)
    fair = Share.of

    def unfair(share: Share, weights: list[int]) -> tuple[int, int]:
        begun, end = fair(share, weights)
        return begun + moved, end

    monkeypatch.setattr(Share, "of", unfair)
    end = part_of(job, room, 1, 2)
    with pytest.raises(BuildFailed, match="go on where one ended"):
        joined(job, room, (begin, end))


def test_child_processes_cut_and_join(room: Path) -> None:
    job = job_for(room, *rows(7))
    whole = single(job, room)
    parts = []
    for number in range(2):
        path = room / f"part-{number}"
        result = child.run(
            PartJob(
                subset=job,
                number=number,
                count=2,
                build_public_key=PUBLIC_KEY,
                part=path,
            ),
            timeout_s=LIMIT_S,
            temp_root=room / "temp",
        )
        assert result.records_out > 0
        parts.append((path, result.sha256))
    wanted = JoinJob(subset=job, parts=tuple(parts), build_secret_key=SECRET_KEY)
    child.run(wanted, timeout_s=LIMIT_S, temp_root=room / "temp")
    assert told(job) == whole[0]
    assert list((room / "temp").iterdir()) == []
    with pytest.raises(BuildFailed, match="once, in order"):
        child.run(
            dataclasses.replace(wanted, parts=wanted.parts[::-1]),
            timeout_s=LIMIT_S,
            temp_root=room / "temp",
        )
    assert list(job.output_dir.iterdir()) == []


def test_jobs_that_are_none_are_refused(room: Path) -> None:
    job = job_for(room, *rows(7))
    with pytest.raises(JobInvalid, match="one of at most"):
        part_of(job, room, 2, 2)
    with pytest.raises(JobInvalid, match="1 to 10000 parts"):
        JoinJob(subset=job, parts=(), build_secret_key=SECRET_KEY)
    with pytest.raises(JobInvalid, match="build key of 32 bytes"):
        JoinJob(subset=job, parts=((room, ""),), build_secret_key=b"short")
    told_ = JoinJob(subset=job, parts=((room, ""),), build_secret_key=SECRET_KEY)
    with pytest.raises(JobInvalid, match="absolute path"):
        JoinJob.from_json({**told_.to_json(), "parts": [["a", "b"]]})


def test_two_jobs_are_the_same_wherever_their_files_lie(room: Path) -> None:
    job = job_for(room, *rows(7))
    moved = dataclasses.replace(
        job, source=room / "b.gz", output_dir=room / "elsewhere"
    )
    assert essence(moved) == essence(job)
    for change in ({"bgzf_level": 9}, {"samples": job.samples[:1]}):
        assert essence(dataclasses.replace(job, **change)) != essence(job)
