"""Names of contigs other than the build's: read at intake, judged in older stores."""

from pathlib import Path
from typing import Any

import pytest

from genomics import builds, contig_names
from genomics.builds import LENGTHS, Build
from genomics.contig_names import ContigNames
from genomics.errors import IntakeRefused
from tests.genomics.release import ANN_AND_CID, EVERYONE, Release, cut, cut_upload
from tests.genomics.release import source as store_text
from tests.genomics.uploads import bgzf, store_records, take_in

REPAIR = "bcftools reheader -f"
VECTORS = Path("tests/vectors/odd_uploads")


def upload(
    *rows: str, contigs: tuple[str, ...] = (), header: tuple[str, ...] = ()
) -> bytes:
    """Return an upload of Ann, Ben and Cid; columns of rows are separated by blanks."""
    lines = [*(f"##contig=<ID={contig}>" for contig in contigs), *header]
    return store_text(*rows, header="\n".join(lines)).encode()


def row(contig: str, pos: int, alt: str = "C", info: str = ".") -> str:
    return f"{contig} {pos} . A {alt} . . {info} GT 0/1 0/0 1/1"


def placed(records: list[str]) -> list[tuple[str, int]]:
    return [(text.split("\t")[0], int(text.split("\t")[1])) for text in records]


def released(folder: Path, data: bytes, **options: Any) -> Release:
    return cut_upload(
        folder,
        data,
        samples=tuple(EVERYONE.items()),
        build="GRCh38",
        intake_build="GRCh38",
        **options,
    )


@pytest.mark.parametrize("build", builds.BUILDS)
def test_accessions_name_chromosome_and_build(build: Build) -> None:
    for index, chromosome in enumerate(builds.CHROMOSOMES[:-1]):
        refseq = contig_names.accession_of(chromosome, build)
        genbank = f"CM{663 + index:06}.{1 + (build == 'GRCh38')}"
        for name in (refseq, genbank):
            assert contig_names.named_by_accession(name) == (chromosome, (build,))
            assert contig_names.chromosome_in(build, name) == chromosome
            (other,) = set(builds.BUILDS) - {build}
            assert contig_names.chromosome_in(other, name) is None
    assert contig_names.chromosome_in(build, "NC_012920.1") == "MT"


@pytest.mark.parametrize(
    ("name", "others", "standard"),
    [
        ("23", "1 22", "X"),
        ("24", "1 22", "Y"),
        ("26", "1 22", "MT"),
        ("chr23", "chr1", "chrX"),
        ("chr26", "chr1", "chrM"),
        ("23", "chr1 chr2", "chrX"),
        ("chrXY", "chr1", "chrX"),
        ("XY", "1 X", "X"),
        ("PAR1", "1 X", "X"),
        ("01", "10", "1"),
        ("chr09", "chr10", "chr9"),
        ("0X", "01", "X"),
        ("0M", "01", "MT"),
        ("M", "1", "MT"),
        ("chrMT", "chr1", "chrM"),
        ("NC_000023.11", "NC_000001.11", "X"),
        ("CM000685.2", "", "X"),
        ("J01415.2", "", "MT"),
        # What the build has, or does not have at all, stays.
        ("chrM", "chr1", "chrM"),
        ("chrX", "1", "chrX"),
        ("GL000207.1", "1", "GL000207.1"),
        ("NC_000023.10", "1", "NC_000023.10"),
        ("0", "1", "0"),
        # Chromosomes of another species, or two things in one file.
        ("23", "1 27", "23"),
        ("23", "1 X", "23"),
        ("26", "1 M", "26"),
    ],
)
def test_release_has_the_name_of_the_build(
    name: str, others: str, standard: str
) -> None:
    names = ContigNames("GRCh38", dict.fromkeys([*others.split(), name]))
    assert names.standard(name) == standard
    assert ContigNames(None, dict.fromkeys([name])).standard(name) == name


@pytest.mark.parametrize(
    ("length", "is_x"),
    [(None, True), (0, True), (2**31 - 1, True), (156_040_895, True),
     (52_530_062, True), (200_000_000, False)],
)  # fmt: skip
def test_code_counts_where_its_length_leaves_no_other_reading(
    length: int | None, is_x: bool
) -> None:
    names = ContigNames("GRCh38", {"1": None, "23": length})
    assert (names.chromosome("23") == "X") is is_x
    # Beside the build's own lengths another length is another contig's.
    real = {"1": LENGTHS["GRCh38"]["1"], "23": 52_530_062}
    assert ContigNames("GRCh38", real).chromosome("23") is None


def test_part_of_x_is_merged_in_the_order_of_positions(tmp_path: Path) -> None:
    rows = [
        row("1", 5),
        *(row("23", pos) for pos in (100, 3_000_000, 3_000_001)),
        row("24", 7_000_000),
        *(row("25", pos) for pos in (20, 100, 3_000_000, 155_800_000)),
        row("26", 9),
    ]
    data = upload(*rows, contigs=("1", "23", "24", "25", "26"))
    result = take_in(tmp_path, bgzf(data), build="GRCh38")
    assert placed(store_records(tmp_path)) == [
        ("1", 5), ("X", 20), ("X", 100), ("X", 100), ("X", 3_000_000),
        ("X", 3_000_000), ("X", 3_000_001), ("X", 155_800_000), ("Y", 7_000_000),
        ("MT", 9),
    ]  # fmt: skip
    assert [(name, n) for name, _, n in result.contigs] == [
        ("1", 1), ("X", 7), ("Y", 1), ("MT", 1),
    ]  # fmt: skip
    (warning,) = [text for text in result.warnings if "23 is now X" in text]
    assert "25 is now X (its pseudoautosomal part), 26 is now MT" in warning


@pytest.mark.parametrize("order", ["X XY", "XY X", "PAR1 X PAR2", "chrX chrXY"])
def test_parts_merge_whatever_their_order_and_where_none_is_declared(
    tmp_path: Path, order: str
) -> None:
    names = order.split()
    rows = [row(name, 10 * n + 5) for n, name in enumerate(names)]
    expected = [10 * n + 5 for n in range(len(names))]
    take_in(tmp_path, upload(*rows), build="GRCh38")
    assert [pos for _, pos in placed(store_records(tmp_path))] == expected
    take_in(tmp_path, upload(*rows, contigs=tuple(names)), build="GRCh38")
    assert [pos for _, pos in placed(store_records(tmp_path))] == expected


def test_part_merges_with_one_of_two_contigs_of_x_alone(tmp_path: Path) -> None:
    rows = [row("X", 5), row("chrX", 4), row("chrX", 7), row("XY", 3), row("XY", 6)]
    data = upload(*rows, contigs=("X", "chrX", "XY"))
    assert take_in(tmp_path, data, build="GRCh38").records == 5
    assert placed(store_records(tmp_path)) == [
        ("X", 3), ("X", 5), ("X", 6), ("chrX", 4), ("chrX", 7),
    ]  # fmt: skip


def test_part_of_x_that_no_line_declares_is_refused_behind_x(tmp_path: Path) -> None:
    data = upload(row("X", 5), row("XY", 9), contigs=("X",))
    with pytest.raises(IntakeRefused, match="declare both") as refused:
        take_in(tmp_path, data, build="GRCh38")
    assert (refused.value.code, refused.value.line) == ("contig-order", 5)
    taken = take_in(tmp_path, upload(row("XY", 9), contigs=("X",)), build="GRCh38")
    assert taken.contigs == (("X", None, 1),)


def test_chromosome_under_two_names_is_refused(tmp_path: Path) -> None:
    for names in (("1", "01"), ("NC_000001.11", "1")):
        data = upload(*(row(name, 5) for name in names), contigs=names)
        with pytest.raises(IntakeRefused, match="under one name") as refused:
            take_in(tmp_path, data, build="GRCh38")
        assert (refused.value.code, refused.value.column) == ("contig-name", 1)


def test_mate_that_is_named_before_its_build_is_known_misleads_nobody(
    tmp_path: Path,
) -> None:
    rows = [row("5", 5, "<BND>", "CHR2=NC_000023.11"), row("NC_000023.11", 5)]
    take_in(tmp_path, upload(*rows))
    assert placed(store_records(tmp_path)) == [("5", 5), ("X", 5)]


def test_contig_that_comes_later_renames_nothing_that_is_written(
    tmp_path: Path,
) -> None:
    result = take_in(tmp_path, upload(row("23", 5), row("27", 5)), build="GRCh38")
    assert placed(store_records(tmp_path)) == [("X", 5), ("27", 5)]
    assert [name for name, _, _ in result.contigs] == ["X", "27"]
    # Told before the first record, it says that 23 is no X.
    data = upload(row("23", 5), row("27", 5), contigs=("23", "27"))
    result = take_in(tmp_path, data, build="GRCh38")
    assert [name for name, _, _ in result.contigs] == ["23", "27"]
    data = upload(row("23", 5), row("27", 5), contigs=("23,length=100",))
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, data, build="GRCh38")
    assert refused.value.code == "build-mismatch"


def test_mates_and_chr2_are_renamed_as_their_contigs_are(tmp_path: Path) -> None:
    rows = [
        row("01", 5, "A[25:700[,]0X:8]A,<BND>", "CHR2=0Y;POS2=9"),
        row("0X", 700, "]01:5]A"),
    ]
    take_in(tmp_path, upload(*rows), build="GRCh38")
    first, second = (text.split("\t") for text in store_records(tmp_path))
    assert first[4] == "A[X:700[,]X:8]A,<BND>"
    assert first[7] == "CHR2=Y;POS2=9"
    assert (second[0], second[4]) == ("X", "]1:5]A")


def test_without_a_build_codes_keep_their_names_and_a_warning_says_so(
    tmp_path: Path,
) -> None:
    result = take_in(tmp_path, upload(row("23", 5), row("01", 5)))
    assert [name for name, _, _ in result.contigs] == ["23", "01"]
    assert any("contigs 23 keep their names" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("contigs", "build", "line", "named"),
    [
        (("NC_000001.10",), "GRCh38", 2, ("NC_000001.11", "GRCh38", "GRCh37")),
        (("CM000664.2",), "GRCh37", 2, ("NC_000002.11", "GRCh37", "GRCh38")),
        (("NC_000001.9",), "GRCh38", 2, ("NC_000001.11", "another assembly")),
        (("NC_000001.10", "NC_000002.12"), None, 3, ("GRCh37", "GRCh38")),
        ((), "GRCh38", 3, ("NC_000001.10", "GRCh37")),
        (("NC_000001.11,length=249250621",), "GRCh38", 2, ("248956422", "GRCh37")),
    ],
)
def test_accession_of_another_build_is_refused_with_both_named(
    tmp_path: Path,
    contigs: tuple[str, ...],
    build: str | None,
    line: int,
    named: tuple[str, ...],
) -> None:
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, upload(row("NC_000001.10", 5), contigs=contigs), build=build)
    error = refused.value
    assert (error.code, error.line) == ("build-mismatch", line)
    assert all(name in error.message for name in named)


def test_accession_proves_the_build(tmp_path: Path) -> None:
    for contigs in ((), ("NC_000001.10",)):
        result = take_in(tmp_path, upload(row("NC_000001.10", 5), contigs=contigs))
        assert result.contigs == (("1", 249_250_621, 1),)
        assert builds.detect_build((n, length) for n, length, _ in result.contigs)
        assert not any("proves its build" in text for text in result.warnings)


def test_plink_file_is_released_by_region_gene_and_wish(tmp_path: Path) -> None:
    def run(name: str, **options: Any) -> list[list[str]]:
        folder = tmp_path / name
        folder.mkdir()
        data = (VECTORS / "plink_numeric.vcf").read_bytes()
        samples = (("P1", "A0"), ("P2", "B0"), ("P3", "C0"))
        release = cut_upload(
            folder,
            data,
            samples=samples,
            build="GRCh38",
            intake_build="GRCh38",
            **options,
        )
        return release.records

    on_x = (("X", 99_999_990, 100_000_010), ("X", 999_990, 1_000_010))
    asked = run("asked", regions=(*on_x, ("MT", 0, 16_000)))
    assert [record[:2] for record in asked] == [
        ["X", "1000000"],
        ["X", "100000000"],
        ["MT", "8000"],
    ]
    masked = run("masked", withheld={"P1": on_x})
    assert [record[9] for record in masked] == ["0/1", "./.", "0"]
    closed = run("closed", excluded_regions=on_x)
    assert [record[0] for record in closed] == ["1", "MT"]


@pytest.mark.parametrize("intake_build", ["GRCh38", None])
def test_plink_lengths_mask_nobody_elsewhere(
    tmp_path: Path, intake_build: str | None
) -> None:
    release = cut_upload(
        tmp_path,
        (VECTORS / "plink19.vcf").read_bytes(),
        samples=(("P1", "A0"), ("P2", "B0"), ("P3", "C0")),
        build="GRCh38",
        intake_build=intake_build,
        withheld={"P1": (("17", 43_044_294, 43_125_483),)},
    )
    assert [record[9] for record in release.records] == ["0/1", "./."]
    assert "##contig=<ID=17,length=83257441,assembly=GRCh38>" in release.header


@pytest.mark.parametrize(
    ("contig", "span"),
    [
        ("23", "X"),
        ("25", "X"),
        ("chr26", "MT"),
        ("01", "1"),
        ("NC_000017.11", "17"),
        ("CM000685.2", "chrX"),
    ],
)
@pytest.mark.parametrize("length", ["", ",length=2147483647"])
def test_older_store_is_judged_by_the_same_names(
    contig: str, span: str, length: str
) -> None:
    text = store_text(row(contig, 105), header=f"##contig=<ID={contig}{length}>")
    here, away = ((span, 100, 200),), ((span, 300, 400),)

    def genotypes(**options: Any) -> list[list[str]]:
        release = cut(text, ANN_AND_CID, build="GRCh38", **options)
        return [record[9:] for record in release.records]

    assert genotypes(regions=here) == [["0/1", "1/1"]]
    assert genotypes(regions=away) == []
    assert genotypes(withheld={"Ann": here}) == [["./.", "1/1"]]
    assert genotypes(withheld={"Ann": away}) == [["0/1", "1/1"]]
    assert genotypes(excluded_regions=here) == []
    assert genotypes(excluded_regions=away) == [["0/1", "1/1"]]


def test_mate_on_a_contig_by_another_name_is_judged(tmp_path: Path) -> None:
    text = store_text(
        row("1", 5, "A[23:105["), row("1", 9, "<BND>", "CHR2=23;POS2=105")
    )
    release = cut(
        text, ANN_AND_CID, build="GRCh38", withheld={"Ann": (("X", 100, 200),)}
    )
    assert [record[9] for record in release.records] == ["./.", "./."]


def test_memory_of_a_merge_is_in_files(tmp_path: Path) -> None:
    # Each half alone is longer than what is written at once.
    rows = [row("X", 2 * n + 1) for n in range(3000)]
    rows += [row("XY", 2 * n + 2) for n in range(3000)]
    take_in(tmp_path, upload(*rows, contigs=("X", "XY")), build="GRCh38")
    assert [pos for _, pos in placed(store_records(tmp_path))] == [*range(1, 6001)]
