"""Whoever was left out, and whatever they have, the release is the same to the byte."""

import gzip
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.genomics import sources
from tests.genomics.consistency import check_self_consistent
from tests.genomics.interference import check_pair, outputs
from tests.genomics.release import Release, cut


def all_bytes(release: Release) -> bytes:
    files = "".join(digest.name for digest in release.result.files).encode()
    parts = [release.variants, gzip.decompress(release.variants)]
    parts += [release.index, gzip.decompress(release.index), files]
    return b"\n".join(parts)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_release_does_not_depend_on_who_was_left_out(seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=2, sites=8)
    options = {
        "build": "GRCh37",
        "regions": rng.choice([None, (("20", 500, 2500), ("21", 0, 1000))]),
        "withheld": rng.choice([{}, {group.names[0]: (("20", 900, 1500),)}]),
    }
    releases = [
        cut(
            sources.written(group, strangers=strangers, rng=rng),
            outputs(group.names),
            **options,
        )
        for strangers in (0, rng.randint(1, 4), rng.randint(1, 4))
    ]
    alone, *joint = releases
    for release in joint:
        assert release.text == alone.text
        assert release.variants == alone.variants
        assert release.index == alone.index
        assert release.result.records_out == alone.result.records_out
        assert release.result.genotypes_withheld == alone.result.genotypes_withheld
        assert release.result.records_withheld == alone.result.records_withheld


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_other_strangers_in_any_call_set_change_no_byte(seed: int) -> None:
    check_pair(seed)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_no_byte_tells_of_a_person_who_was_left_out(seed: int) -> None:
    rng = random.Random(seed)
    group = sources.people(rng, contigs=1, sites=10)
    text = sources.written(group, strangers=3, rng=rng)
    release = cut(text, outputs(group.names))
    told = all_bytes(release)
    columns = re.search(r"#CHROM.*", text)
    assert columns is not None
    assert sources.STRANGER in columns[0]
    for secret in (sources.STRANGER, sources.SECRET_BASES, "secret-", "CommandLine"):
        assert secret.encode() not in told
    for name in group.names:  # nor by what name the included came
        assert name.encode() not in told
    assert b"UNLISTED" not in told  # a field that nobody listed
    check_self_consistent(release.text)


def test_the_generator_makes_what_the_claim_is_about() -> None:
    """Guard against a generator that has become too tame to test anything."""
    seen: set[str] = set()
    for seed in range(60):
        rng = random.Random(seed)
        group = sources.people(rng)
        alone = sources.written(group)
        joint = sources.written(group, strangers=3, rng=rng)
        for what, pattern in {
            "padded": r"\t[ACGT]{13,}\t",
            "star": r"\t[ACGT]+\t[^\t]*\*",
            "private allele": sources.SECRET_BASES,
            "stranger's deletion": r"-888",
            "breakend": r"\]20:\d+\][ACGT]",
            "half call": r"\t\./[1-9]",
            "haploid": r"\t[1-9]:",
            "triploid": r"\t\d\|\d\|\d:",
        }.items():
            if re.search(pattern, joint):
                seen.add(what)
        assert len(joint) > len(alone)
    assert len(seen) == 8


SOURCE = """\
##fileformat=VCFv4.2
##contig=<ID=20,length=64444167>
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tAnn\tBen\tCid
{}
"""


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        # Ben's long deletion padded REF.
        (
            "20\t100\t.\tCAAAT\tC,GAAAT\t9\tq\tAF=0.3\tGT\t0/2\t1/1\t0/0",
            "20\t100\t.\tC\tG\t.\t.\tAC=1;AF=0.25;AN=4;NS=2\tGT\t0/1\t0/0",
        ),
        # Trimming moves POS.
        (
            "20\t100\t.\tCAAAT\tC,CAAGT\t9\tq\tAF=0.3\tGT\t0/2\t1/1\t0/0",
            "20\t103\t.\tA\tG\t.\t.\tAC=1;AF=0.25;AN=4;NS=2\tGT\t0/1\t0/0",
        ),
        # END, SVTYPE and SVLEN were those of Ben's allele, too.
        (
            "20\t100\trs5;ben7\tC\t<DUP>,<DEL>\t9\tq\tEND=900;SVTYPE=CNV;"
            "SVLEN=800,-50\tGT\t0/2\t1/1\t0/0",
            "20\t100\t.\tC\t<DEL>\t.\t.\tAC=1;AF=0.25;AN=4;NS=2;END=150;"
            "SVTYPE=DEL;SVLEN=-50\tGT\t0/1\t0/0",
        ),
        # Nothing is left of an END that only a symbolic allele brought.
        (
            "20\t100\t.\tC\tT,<DEL>\t9\tq\tEND=900;SVTYPE=DEL;SVLEN=.,-800\tGT"
            "\t0/1\t2/2\t0/0",
            "20\t100\t.\tC\tT\t.\t.\tAC=1;AF=0.25;AN=4;NS=2\tGT\t0/1\t0/0",
        ),
        # Only Ben has a phase set.
        (
            "20\t100\t.\tC\tT\t9\tq\t.\tGT:PS\t0|1:.\t1|1:77\t0|0:.",
            "20\t100\t.\tC\tT\t.\t.\tAC=1;AF=0.25;AN=4;NS=2\tGT\t0|1\t0|0",
        ),
        # Only Ben carries it.
        ("20\t100\t.\tC\tT\t9\tq\t.\tGT\t0/0\t1/1\t./.", None),
    ],
)
def test_a_record_keeps_nothing_of_ben(record: str, kept: str | None) -> None:
    release = cut(SOURCE.format(record), {"Ann": "A0", "Cid": "C0"})
    assert ["\t".join(columns) for columns in release.records] == (
        [kept] if kept else []
    )


def test_records_are_sorted_anew_after_trimming() -> None:
    records = [
        "20\t100\t.\tCAAAT\tC,CAAAG\t.\t.\t.\tGT\t0/2\t1/1\t0/0",  # becomes 104
        "20\t101\t.\tA\tG\t.\t.\t.\tGT\t0/1\t1/1\t0/0",
        "20\t104\t.\tT\tA\t.\t.\t.\tGT\t0/1\t1/1\t0/0",
    ]
    release = cut(SOURCE.format("\n".join(records)), {"Ann": "A0", "Cid": "C0"})
    assert [(columns[1], columns[4]) for columns in release.records] == [
        ("101", "G"),
        ("104", "A"),
        ("104", "G"),
    ]


def test_a_long_allele_of_someone_else_pulls_nothing_into_a_region() -> None:
    # Ben's deletion reaches 200, Ann's base change stays at 100.
    ref = "C" + "A" * 150
    record = f"20\t100\t.\t{ref}\tC,G{ref[1:]}\t.\t.\t.\tGT\t0/2\t1/1\t0/0"
    regions = (("20", 150, 300),)
    source = SOURCE.format(record)
    assert cut(source, {"Ann": "A0"}, regions=regions).records == []
    assert len(cut(source, {"Ann": "A0", "Ben": "B0"}, regions=regions).records) == 1


def test_the_index_says_nothing_more_than_the_file() -> None:
    record = "20\t100\t.\tC\tT\t.\t.\t.\tGT\t0/1\t1/1\t0/0"
    far = "20\t9000000\t.\tC\tT\t.\t.\t.\tGT\t0/0\t1/1\t0/0"
    other = "21\t5\t.\tC\tT\t.\t.\t.\tGT\t0/0\t1/1\t0/0"
    short = cut(SOURCE.format(record), {"Ann": "A0"})
    long = cut(SOURCE.format(f"{record}\n{far}\n{other}"), {"Ann": "A0"})
    assert (short.index, short.variants) == (long.index, long.variants)
    assert b"21" not in gzip.decompress(long.index)
