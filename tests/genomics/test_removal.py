"""A store without somebody is as if she had never been in it, for all releases."""

import gzip
import hashlib
import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genomics import child, removal
from genomics.errors import BuildFailed, JobInvalid
from genomics.job import Progress
from genomics.removal_job import RemovalJob, RemovalResult
from tests.genomics import sources
from tests.genomics.release import EVERYONE, cut, source

FORMATS = """\
##contig=<ID=20,length=63025520>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
##FORMAT=<ID=AD,Number=.,Type=Integer,Description="A header may lie">
##FORMAT=<ID=XR,Number=R,Type=Integer,Description="Of the \\"caller\\"">
##FORMAT=<ID=GERP++,Number=1,Type=Float,Description="No list can name it">
"""


def stored(folder: Path, text: str, name: str = "old") -> Path:
    path = folder / f"{name}.vcf.gz"
    path.write_bytes(gzip.compress(text.encode(), 1))
    return path


def remove(
    folder: Path, text: str, without: Iterable[str], **options: Any
) -> tuple[RemovalResult, Path]:
    job = RemovalJob(
        source=stored(folder, text),
        store=folder / "store-2",
        without=tuple(without),
        **options,
    )
    return removal.run(job, lambda _: None), job.store


def text_of(store: Path) -> str:
    return gzip.decompress(store.read_bytes()).decode()


def rows(store: Path) -> list[str]:
    return [
        " ".join(line.split("\t"))
        for line in text_of(store).splitlines()
        if not line.startswith("#")
    ]


def strangers_in(text: str) -> list[str]:
    (columns,) = [line for line in text.splitlines() if line.startswith("#CHROM")]
    return [name for name in columns.split("\t") if name.startswith(sources.STRANGER)]


_MANY = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@_MANY
@given(seed=st.integers(0, 2**32 - 1))
def test_a_release_tells_the_same_from_the_old_store_and_the_new(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=2, sites=8)
    text = sources.written(group, strangers=rng.randint(2, 4), rng=rng)
    others = strangers_in(text)
    leaving = rng.sample(others, rng.randint(1, len(others) - 1))
    _, store = remove(tmp_path, text, leaving, build="GRCh37")
    staying = [*group.names, *(name for name in others if name not in leaving)]
    members = rng.sample(staying, rng.randint(1, len(staying)))
    options: dict[str, Any] = {
        "build": "GRCh37",
        "regions": rng.choice([None, (("20", 500, 2500), ("21", 0, 1000))]),
        "withheld": rng.choice([{}, {members[0]: (("20", 900, 1500),)}]),
    }
    names = {name: f"G{number:09d}" for number, name in enumerate(members)}
    before, after = cut(text, names, **options), cut(store, names, **options)
    assert after.header == before.header
    assert alike(after.records, group) == alike(before.records, group)


def alike(records: list[list[str]], group: sources.People) -> list[list[str]]:
    """Return the records with each variant as far left as the reference lets it go.

    An indel inside a repeat can be told at several places. Where it stands in a record
    depends on the bases that the record's other alleles need, and may so move when one
    of these goes (tests.genomics.sources tells the same of strangers).
    """
    found = []
    for record in records:
        contig, pos, name, ref, alts, *others = record
        place, *alleles = leftmost(
            group.reference[contig], int(pos), [ref, *alts.split(",")]
        )
        found.append([contig, place, name, *alleles, *others])
    return sorted(found)


def leftmost(bases: str, pos: int, alleles: list[str]) -> list[str]:
    """Return POS, REF and ALT of a variant as Tan et al. 2015 normalise it."""
    texts = [one for one in alleles if one != "*"]
    if not all(one.isalpha() for one in texts):
        return [str(pos), *alleles]
    while len({one[-1] for one in texts}) == 1 and pos > 1:
        texts = [one[:-1] for one in texts]
        if not all(texts):
            pos -= 1
            texts = [bases[pos - 1] + one for one in texts]
    while min(map(len, texts)) > 1 and len({one[0] for one in texts}) == 1:
        texts, pos = [one[1:] for one in texts], pos + 1
    told = iter(texts)
    return [str(pos), *(one if one == "*" else next(told) for one in alleles)]


def test_the_leftmost_place_of_a_variant_is_found() -> None:
    told = [
        leftmost("GCACACAT", pos, alleles)
        for pos, alleles in (
            (2, ["CAC", "C"]),
            (5, ["ACA", "A"]),
            (1, ["GCA", "G"]),
            (2, ["CACA", "CA"]),
        )
    ]
    assert told == [["1", "GCA", "G"]] * 4
    assert leftmost("GCAC", 2, ["CA", "CT"]) == ["3", "A", "T"]
    assert leftmost("GCAC", 2, ["C", "<DEL>"]) == ["2", "C", "<DEL>"]


def test_most_releases_are_the_same_to_the_byte(tmp_path: Path) -> None:
    same = 0
    for seed in range(20):
        rng = random.Random(seed)
        group = sources.people(rng, contigs=1, sites=8)
        text = sources.written(group, strangers=3, rng=rng)
        _, store = remove(tmp_path, text, strangers_in(text)[:2], build="GRCh37")
        names = {name: f"G{n:09d}" for n, name in enumerate(group.names)}
        before, after = (cut(one, names, build="GRCh37") for one in (text, store))
        same += after.variants == before.variants and after.index == before.index
    assert same >= 18


@_MANY
@given(seed=st.integers(0, 2**32 - 1))
def test_the_new_store_does_not_depend_on_who_left(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=2, sites=8)
    texts = [
        sources.written(group, strangers=strangers, rng=rng) for strangers in (1, 4)
    ]
    stores = []
    for text in texts:
        # The order of columns is the upload's: only it may tell one from the other.
        _, store = remove(tmp_path, text, strangers_in(text), build="GRCh37")
        lines = text_of(store).splitlines()
        at = next(n for n, line in enumerate(lines) if line.startswith("#CHROM"))
        order = [0] * 9 + sorted(
            range(9, 9 + len(group.names)), key=lines[at].split("\t").__getitem__
        )
        order[:9] = range(9)
        stores.append(
            lines[:at]
            + ["\t".join(line.split("\t")[n] for n in order) for line in lines[at:]]
        )
    assert stores[0] == stores[1]
    assert sources.STRANGER not in "".join(stores[0])
    assert sources.SECRET_BASES not in "".join(stores[0])


def test_what_she_alone_carried_is_gone(tmp_path: Path) -> None:
    text = source(
        "20 9 rs1 A C 50 PASS AC=1;AF=0.1;AN=6;NS=3;DP=99 GT 0/0 0/1 0/0",
        "20 20 . ACGT A,GCGT 50 PASS AC=1,2 GT:AD:XR 0/2:1,2,3:4,5,6 0/1:1,2,3:4,5,6 "
        "2/2:7,8,9:1,2,3",
        "20 30 . A C 50 PASS . GT 0/1 0/0 0/0",
        header=FORMATS,
    )
    result, store = remove(tmp_path, text, ["Ben"])
    assert rows(store) == [
        "20 20 . A G . . AC=3;AF=0.75;AN=4;NS=2 GT:AD:XR 0/1:1,3:4,6 1/1:7,9:1,3",
        "20 30 . A C . . AC=1;AF=0.25;AN=4;NS=2 GT 0/1 0/0",
    ]
    assert "Ben" not in text_of(store)
    assert result.samples == ("Ann", "Cid")
    assert (result.records, result.contigs) == (2, (("20", 63025520, 2),))
    assert result.sha256_store == hashlib.sha256(store.read_bytes()).hexdigest()
    with pysam.VariantFile(str(store), index_filename=f"{store}.csi") as file:
        assert [record.pos for record in file.fetch("20", 29, 40)] == [30]


def test_the_header_says_what_the_upload_said_of_contigs_and_values(
    tmp_path: Path,
) -> None:
    text = source("20 9 . A C . . . GT:XR 0/1:1,2 0/1:1,2 0/1:1,2", header=FORMATS)
    _, store = remove(tmp_path, text, ["Ben"], build="GRCh37")
    header = [line for line in text_of(store).splitlines() if line[0] == "#"]
    assert "##contig=<ID=20,length=63025520>" in header
    assert (
        '##FORMAT=<ID=XR,Number=R,Type=Integer,Description="Of the \\"caller\\"">'
        in header
    )
    assert not [line for line in header if "GERP" in line or "reference" in line]
    assert header[-1].split("\t")[9:] == ["Ann", "Cid"]


def test_phase_sets_of_those_who_stay_are_numbered_and_none_is_lost(
    tmp_path: Path,
) -> None:
    """Ben's heterozygote at 10 gave Ann's set its name, as joint phasing does."""
    text = source(
        "20 10 . A C . . . GT:PS 0/0:. 0|1:10 0/0:.",
        "20 20 . A C . . . GT:PS:PID 0|1:10:10_A_C 0|1:10:10_A_C 1|0:HOMVAR:.",
        "20 30 . A C . . . GT:PS 0|1:25 0|1:10 0|1:PATMAT",
        "20 40 . A C . . . GT:PSL:PSO:PSQ 0|1:p,p:1,1:9,9 0|1:p,q 1|0:r,r",
        "20 50 . A C . . . GT:PS 1|0:10 0|1:10 |0/1:PATMAT",
        # Declared as a tool of before VCF 4.4 must.
        header=FORMATS
        + '##FORMAT=<ID=PSL,Number=.,Type=String,Description="x">\n'
        + '##FORMAT=<ID=PID,Number=1,Type=String,Description="x">\n',
    )
    _, store = remove(tmp_path, text, ["Ben"])
    assert not re.search("PSL|PID", text_of(store))
    assert [row.split()[8:] for row in rows(store)] == [
        ["GT:PS", "0|1:1", "1|0:1"],
        ["GT:PS", "0|1:2", "0|1:2"],
        ["GT:PS", "0|1:3", "1|0:3"],
        ["GT:PS", "1|0:1", "0/1:."],
    ]
    names = {"Ann": "A0", "Cid": "C0"}
    assert cut(store, names).variants == cut(text, names).variants


def test_a_filter_stays_only_where_it_does_not_depend_on_the_cohort(
    tmp_path: Path,
) -> None:
    text = source("20 9 . A C . q9 . GT 0/1 0/1 0/1", header=FORMATS)
    for kept, filters in ((True, "q9"), (False, ".")):
        _, store = remove(tmp_path, text, ["Ben"], filter_is_cohort_independent=kept)
        assert rows(store)[0].split()[6] == filters


def test_a_name_is_taken_byte_for_byte(tmp_path: Path) -> None:
    text = source(
        "20 9 . A C . . . GT 0/1 0/1 0/1", names=("Åsa", "Bö", "Cid"), header=FORMATS
    )
    result, store = remove(tmp_path, text, ["Bö"])
    assert result.samples == ("Åsa", "Cid")
    assert text_of(store).splitlines()[-2].endswith("\tÅsa\tCid")


def test_a_store_without_her_may_be_written_again(tmp_path: Path) -> None:
    text = source("20 9 . A C . . . GT 0/1 0/1 0/1", header=FORMATS)
    _, store = remove(tmp_path, text, ["Ben"])
    once = store.read_bytes()
    again, same = remove(tmp_path, text_of(store), ["Ben"])
    assert same.read_bytes() == once
    assert again.samples == ("Ann", "Cid")


def test_a_store_with_no_record_left_is_a_store(tmp_path: Path) -> None:
    text = source("20 9 . A C . . . GT 0/0 0/1 0/0", header=FORMATS)
    result, store = remove(tmp_path, text, ["Ben"])
    assert (result.records, rows(store)) == (0, [])
    assert Path(f"{store}.csi").is_file()


def test_the_last_one_cannot_be_taken_out(tmp_path: Path) -> None:
    text = source("20 9 . A C . . . GT 0/1 0/1 0/1", header=FORMATS)
    with pytest.raises(BuildFailed, match="somebody to stay"):
        remove(tmp_path, text, EVERYONE)
    assert [path.name for path in tmp_path.iterdir()] == ["old.vcf.gz"]


def test_a_store_that_changed_is_refused(tmp_path: Path) -> None:
    text = source("20 9 . A C . . . GT 0/1 0/1 0/1", header=FORMATS)
    with pytest.raises(BuildFailed, match="it changed"):
        remove(tmp_path, text, ["Ben"], source_sha256="0" * 64)


def _job(folder: Path, **options: Any) -> RemovalJob:
    fields: dict[str, Any] = {
        "source": folder / "old.vcf.gz",
        "store": folder / "store-2",
        "without": ("Ben",),
    }
    return RemovalJob(**(fields | options))


def test_the_child_process_does_it_and_leaves_nothing_when_stopped(
    tmp_path: Path,
) -> None:
    records = [f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 3000)]
    stored(tmp_path, source(*records, header=FORMATS))
    result = child.run(_job(tmp_path), timeout_s=60.0)
    assert result.records == 2999
    names = {"old.vcf.gz", "store-2", "store-2.csi", "store-2.columns"}
    assert {path.name for path in tmp_path.iterdir()} == names

    class Stopped(Exception):
        pass

    def stop(progress: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        child.run(
            _job(tmp_path, store=tmp_path / "store-3"), timeout_s=60.0, on_progress=stop
        )
    assert {path.name for path in tmp_path.iterdir()} == names


def test_job_and_result_come_back_from_json(tmp_path: Path) -> None:
    job = _job(tmp_path, build="GRCh38", source_sha256="ab", records_total=3)
    assert RemovalJob.from_json(job.to_json()) == job
    result = RemovalResult(
        samples=("A",),
        records=1,
        contigs=(("20", None, 1),),
        sha256_store="ab",
        sha256_columns="cd",
    )
    assert RemovalResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    "options",
    [
        {"without": ()},
        {"without": ("Ben", "Ben")},
        {"build": "hg19"},
        {"store": Path("/a"), "source": Path("/a")},
    ],
)
def test_an_impossible_job_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(JobInvalid):
        _job(tmp_path, **options)


def test_a_job_with_more_in_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobInvalid):
        RemovalJob.from_json({**_job(tmp_path).to_json(), "more": 1})
