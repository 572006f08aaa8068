"""Mates are masked for the same donors, asked for and closed together."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from genomics import removal
from genomics.removal_job import RemovalJob
from tests.genomics.release import (
    ANN_AND_CID,
    EVERYONE,
    Release,
    cut,
    cut_upload,
    source,
)

# Only the first says how unsure its place is, and reaches into 20:900-910 by it.
NEAR = ("20", 899, 910)
PAIR = (
    "20 1000 a A A[21:5000[ . . SVTYPE=BND;CIPOS=-95,0 GT 0/1 0/0 0/1",
    "21 5000 b C ]20:1000]C . . SVTYPE=BND GT 0/1 0/0 0/1",
)
# Told apart by ids alone: the second names a place that is near the first one's.
UNSURE = (
    "20 1000 a A <BND> . . SVTYPE=BND;MATEID=b;CIPOS=-95,0 GT 0/1 0/0 0/1",
    "21 5000 b C <BND> . . SVTYPE=BND;MATEID=a GT 0/1 0/0 0/1",
)
PARTNERS = (
    "20 1000 a A A. . . SVTYPE=BND;PARID=b;CIPOS=-95,0 GT 0/1 0/0 0/1",
    "21 5000 b C .C . . SVTYPE=BND GT 0/1 0/0 0/1",
)
SYMBOLIC = (
    "20 1000 . A <TRA> . . CHR2=21;POS2=5000;CIPOS=-95,0 GT 0/1 0/0 0/1",
    "21 5000 . C <TRA> . . CHR2=chr20;POS2=1000 GT 0/1 0/0 0/1",
)
PAIRS = [PAIR, UNSURE, PARTNERS, SYMBOLIC]


def places(release: Release) -> list[str]:
    return [record[1] for record in release.records]


def cells(release: Release) -> list[list[str]]:
    return [record[9:] for record in release.records]


def assert_together(text: str | Path, samples: dict[str, str] = ANN_AND_CID) -> None:
    masked = cut(text, samples, withheld={"Ann": (NEAR,)}, build="GRCh38")
    assert {row[0] for row in cells(masked)} == {"./."}
    assert places(masked) == places(cut(text, samples, regions=(NEAR,)))
    assert places(masked) == ["1000", "5000"]
    closed = cut(text, samples, excluded_regions=(NEAR,))
    assert (places(closed), closed.result.records_withheld) == ([], 2)


@pytest.mark.parametrize("pair", PAIRS, ids=["breakends", "ids", "partner", "symbolic"])
def test_a_mate_shares_what_the_other_says_of_its_place(pair: tuple[str, str]) -> None:
    assert_together(source(*pair))


@pytest.mark.parametrize("pair", PAIRS, ids=["breakends", "ids", "partner", "symbolic"])
def test_mates_stay_together_once_somebody_was_erased(
    tmp_path: Path, pair: tuple[str, str]
) -> None:
    contigs = "##contig=<ID=20>\n##contig=<ID=21>"
    path = tmp_path / "old.vcf.gz"
    path.write_bytes(gzip.compress(source(*pair, header=contigs).encode()))
    job = RemovalJob(source=path, store=tmp_path / "new.vcf.gz", without=("Ben",))
    removal.run(job, lambda _: None)
    stored = gzip.decompress(job.store.read_bytes()).decode()
    rows = [line.split("\t") for line in stored.splitlines() if line[0] != "#"]
    assert [row[2] for row in rows] == [".", "."]
    assert not any(key in stored for key in ("MATEID", "PARID", "EVENT"))
    assert_together(job.store)
    # Once more, now by the numbers that took the place of ids.
    again = RemovalJob(source=job.store, store=tmp_path / "third", without=("Eve",))
    removal.run(again, lambda _: None)
    assert_together(again.store)


def test_a_donor_who_is_masked_in_one_is_masked_in_all_of_an_event() -> None:
    text = source(
        "20 1000 a A <BND> . . MATEID=b GT 0/1 0/0 0/1",
        "21 5000 b C <BND> . . MATEID=c GT 0/0 0/0 0/1",
        "22 7000 c C <BND> . . . GT 0/1 0/0 0/1",
    )
    span = (("20", 999, 1000),)
    masked = cut(text, ANN_AND_CID, withheld={"Ann": span}, build="GRCh38")
    assert cells(masked) == [["./.", "0/1"]] * 3


def test_a_stranger_joins_no_records() -> None:
    # The record that names both is Ben's alone.
    rows = (
        "20 1000 a A <BND> . . CIPOS=-95,0 GT 0/1 0/0 0/1",
        "21 5000 b C <BND> . . . GT 0/1 0/0 0/1",
    )
    bens = "22 7000 c C <BND> . . MATEID=a,b GT 0/0 0/1 0/0"
    options: dict[str, Any] = {"withheld": {"Ann": (NEAR,)}, "build": "GRCh38"}
    with_ben = cut(source(*rows, bens), ANN_AND_CID, **options)
    without = cut(source(*rows), ANN_AND_CID, **options)
    assert with_ben.text == without.text
    assert cells(without) == [["./.", "0/1"], ["0/1", "0/1"]]
    assert cells(cut(source(*rows, bens), EVERYONE, **options))[1][0] == "./."


def test_an_allele_of_a_stranger_joins_no_records() -> None:
    far = (
        "20 1000 . A A[22:1[,A[21:5000[ . . CIPOS=0,0,-95,0 GT 0/1 0/2 0/1",
        "21 5000 . C ]20:1000]C . . . GT 0/1 0/0 0/1",
    )
    assert places(cut(source(*far), ANN_AND_CID, regions=(NEAR,))) == []
    asked = cut(source(*far), EVERYONE, regions=(NEAR,))
    assert places(asked) == ["1000", "5000"]


def test_a_masked_mate_pulls_nothing_into_a_region() -> None:
    # Ann's record alone reaches the region, and she withholds her own.
    text = source(
        "20 1000 a A <BND> . . MATEID=b;CIPOS=-95,0 GT 0/1 0/0 0/0",
        "21 5000 b C <BND> . . MATEID=a GT 0/1 0/0 0/1",
    )
    withheld = {"Ann": (("21", 4999, 5000),)}
    release = cut(text, ANN_AND_CID, regions=(NEAR,), withheld=withheld, build="GRCh38")
    assert places(release) == []


def test_the_parts_of_a_release_decide_alike(tmp_path: Path) -> None:
    far = 5 << 20
    text = source(
        f"20 1000 . A A[20:{far}[ . . CIPOS=-95,0 GT 0/1 0/0 0/1",
        f"20 {far} . C ]20:1000]C . . . GT 0/1 0/0 0/1",
        "21 5 . C A . . . GT 0/1 0/0 0/1",
    )
    release = cut_upload(
        tmp_path,
        text.encode(),
        parts=3,
        samples=tuple(ANN_AND_CID.items()),
        withheld={"Ann": (NEAR,)},
        build="GRCh38",
    )
    assert cells(release) == [["./.", "0/1"], ["./.", "0/1"], ["0/1", "0/1"]]


@pytest.mark.timeout(30)
def test_many_mates_at_one_place_take_no_longer_than_others() -> None:
    rows = [
        f"20 1000 a A A[21:5000[ . . MATEID=b;X={n} GT 0/1 0/0 0/1" for n in range(4000)
    ]
    rows += ["21 5000 b C ]20:1000]C . . MATEID=a GT 0/1 0/0 0/1"] * 4000
    release = cut(source(*rows), ANN_AND_CID, regions=(("20", 999, 1000),))
    assert len(release.records) == 8000
