"""What the included have is what the source says, nothing lost and nothing added."""

import gzip
import random
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pysam.bcftools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from genomics import child
from genomics.errors import BuildFailed
from genomics.job import IntakeJob
from tests.genomics import sources
from tests.genomics.checker import tell
from tests.genomics.consistency import check_self_consistent
from tests.genomics.release import Release, cut

DATA = Path("platform/gemmule/demo/data")
REAL = [DATA / "1kg_629_samples.vcf.gz", DATA / "multipleChromosomes.vcf.gz"]
VECTORS = Path("tests/vectors/vcf")


def text_of(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    return data.decode("latin-1")


def names_in(text: str) -> list[str]:
    header = next(line for line in text.splitlines() if line.startswith("#CHROM"))
    return header.split("\t")[9:]


def renamed(names: Sequence[str]) -> dict[str, str]:
    return {name: f"S{number:09d}" for number, name in enumerate(names)}


def view(*arguments: str) -> str:
    told = pysam.bcftools.view(*arguments)
    assert isinstance(told, str)
    return told


def bcftools_view(text: str, names: Sequence[str]) -> str:
    """Subset as bcftools does: samples, unused ALT trimmed, uncarried sites dropped."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "source.vcf")
        contigs = {line.split("\t")[0] for line in text.splitlines()} - {"#CHROM"}
        missing = "".join(  # without them bcftools refuses to subset
            f"##contig=<ID={contig}>\n"
            for contig in sorted(contigs)
            if contig[0] != "#" and f"##contig=<ID={contig}," not in text
        )
        text = text.replace("\n", f"\n{missing}", 1)
        # Made-up cohort counts make bcftools leave the whole process.
        text = re.sub(r"\bA[CN]=[\d,]*;?", "", text)
        source.write_bytes(text.encode("latin-1"))
        chosen = Path(folder, "names")
        chosen.write_text("".join(f"{name}\n" for name in names))
        once = Path(folder, "once.vcf")
        once.write_text(view("-S", str(chosen), "--trim-alt-alleles", str(source)))
        return view("--min-ac", "1", str(once))


def assert_faithful(source: str, names: Sequence[str], release: Release) -> None:
    outputs = list(renamed(names).values())
    assert tell(source, names) == tell(release.text, outputs)
    check_self_consistent(release.text)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
@pytest.mark.parametrize("share", [0.002, 0.05, 0.3])
def test_a_real_call_set_is_cut_as_the_checker_tells_it(
    path: Path, share: float
) -> None:
    text = text_of(path)
    names = names_in(text)
    chosen = random.Random(share).sample(names, max(1, int(len(names) * share)))
    release = cut(path, renamed(chosen), build="GRCh37")
    assert_faithful(text, chosen, release)
    assert (
        release.result.records_in == text.count("\n") - text[: 10**6].count("\n#") - 1
    )
    assert release.result.records_out == len(release.records)


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
@pytest.mark.parametrize("seed", range(3))
def test_a_real_call_set_is_cut_as_bcftools_cuts_it(path: Path, seed: int) -> None:
    text = text_of(path)
    names = names_in(text)
    rng = random.Random(seed)
    chosen = rng.sample(names, rng.randint(2, len(names) // 3))
    expected = bcftools_view(text, chosen)
    release = cut(path, renamed(chosen))
    outputs = list(renamed(chosen).values())
    assert tell(expected, chosen, as_numbers=True) == tell(
        release.text, outputs, as_numbers=True
    )


@pytest.mark.parametrize(
    ("path", "records"), [(REAL[0], (381, 366)), (REAL[1], (346, 346))]
)
def test_everyone_together_loses_only_sites_that_nobody_carries(
    path: Path, records: tuple[int, int]
) -> None:
    text = text_of(path)
    chosen = renamed(names_in(text))
    release = cut(path, chosen)
    assert (release.result.records_in, release.result.records_out) == records
    assert tell(text, list(chosen), with_values=False) == tell(
        release.text, list(chosen.values()), with_values=False
    )


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_call_set_is_cut_as_the_checker_tells_it(seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=2, sites=10)
    text = sources.written(group, strangers=rng.randint(0, 3), rng=rng)
    chosen = rng.sample(group.names, rng.randint(1, len(group.names)))
    assert_faithful(text, chosen, cut(text, renamed(chosen)))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_call_set_is_cut_as_bcftools_cuts_it(seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=1, sites=15, ploidies=(1, 2, 2))
    text = sources.written(group, strangers=2, rng=rng)
    chosen = rng.sample(group.names, rng.randint(1, len(group.names)))
    expected = bcftools_view(text, chosen)
    release = cut(text, renamed(chosen))
    outputs = list(renamed(chosen).values())
    assert tell(expected, chosen, as_numbers=True) == tell(
        release.text, outputs, as_numbers=True
    )


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_bcftools_reads_a_release_and_its_index(seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=2, sites=10)
    text = sources.written(group, strangers=2, rng=rng)
    release = cut(text, renamed(group.names), build="GRCh38")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "release.vcf.gz")
        path.write_bytes(release.variants)
        Path(folder, "release.vcf.gz.tbi").write_bytes(release.index)
        again = view("-H", str(path))
        assert len(again.splitlines()) == len(release.records)
        # The index finds every record where it stands.
        for columns in release.records:
            place = f"{columns[0]}:{columns[1]}-{columns[1]}"
            found = view("-H", str(path), place).splitlines()
            same = [line.split("\t")[:5] for line in found]
            assert columns[:5] in same


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
@example(seed=55509)  # a position that no index holds
def test_a_mangled_record_gives_a_sound_release_or_an_error_of_this_room(
    seed: int,
) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=1, sites=4)
    header, body = sources.written(group, strangers=1, rng=rng).split("#CHROM")
    columns, *records = body.splitlines()
    at = rng.randrange(len(records))
    fields = records[at].split("\t")
    place = rng.randrange(len(fields))
    text = fields[place]
    spot = rng.randrange(len(text) + 1)
    scrap = rng.choice(
        [*"\t:;,./|<>[]*=-+0129AGNx\xff\0 ", "99999999999", "", "e9", ":,:"]
    )
    fields[place] = text[:spot] + scrap + text[spot + rng.randrange(2) :]
    records[at] = "\t".join(fields)
    mangled = "\n".join([f"{header}#CHROM{columns}", *records]) + "\n"
    try:
        release = cut(mangled, renamed(group.names), build="GRCh38")
    except BuildFailed:
        return
    assert {len(record) for record in release.records} <= {9 + len(group.names)}


def test_the_published_case_of_excluding_a_sample_holds() -> None:
    source = text_of(VECTORS / "bcftools_view" / "view.vcf")
    published = text_of(VECTORS / "bcftools_view" / "view.exclude.out")
    release = cut(source, renamed(["NA00001", "NA00002"]))
    expected = tell(published, ["NA00001", "NA00002"])
    assert tell(release.text, ["S000000000", "S000000001"]) == expected
    assert len(expected) == 11


def test_the_published_case_of_private_sites_holds() -> None:
    source = text_of(VECTORS / "bcftools_view" / "view.vcf")
    published = text_of(VECTORS / "bcftools_view" / "view.3.out")
    places = [
        {(columns[0], columns[1]) for columns in cut(source, renamed(names)).records}
        for names in (["NA00003"], ["NA00001", "NA00002"])
    ]
    expected = {
        tuple(line.split("\t")[:2])
        for line in published.splitlines()
        if not line.startswith("#")
    }
    assert places[0] - places[1] == expected
    assert len(expected) == 2


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_intake_changes_nothing_of_a_release(path: Path, tmp_path: Path) -> None:
    store = tmp_path / "store.vcf.gz"
    intake = child.run(
        IntakeJob(source=path.resolve(), store=store, build="GRCh37"), timeout_s=60
    )
    chosen = renamed(names_in(text_of(path))[::4])
    release = cut(store, chosen, build="GRCh37", source_sha256=intake.sha256_store)
    assert release.text == cut(path, chosen, build="GRCh37").text


def test_no_name_or_command_line_of_a_real_call_set_is_left() -> None:
    names = names_in(text_of(REAL[1]))
    release = cut(REAL[1], renamed(names[:40]), build="GRCh37")
    for name in names:
        for part in (name, *name.split("::")):
            assert part not in release.text
    for word in ("GATK", "/seq/", "VQSR", "culprit", "2014"):
        assert word in text_of(REAL[1])
        assert word not in "".join(release.header)
    assert all(columns[5:7] == [".", "."] for columns in release.records)


def test_the_same_job_gives_the_same_bytes() -> None:
    chosen = renamed(names_in(text_of(REAL[1]))[::3])
    first, second = (cut(REAL[1], chosen, build="GRCh37") for _ in range(2))
    assert (first.variants, first.index) == (second.variants, second.index)


def test_the_order_in_which_samples_are_asked_for_does_not_matter() -> None:
    chosen = renamed(names_in(text_of(REAL[1]))[:20])
    backwards = dict(reversed(chosen.items()))
    assert cut(REAL[1], chosen).variants == cut(REAL[1], backwards).variants
