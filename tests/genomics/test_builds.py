"""Names, lengths and pseudoautosomal regions of GRCh37 and GRCh38."""

import subprocess
import sys

import pytest

from genomics import builds, genes


def test_lengths_sum_to_the_published_totals_of_the_24_nuclear_chromosomes() -> None:
    # Totals that UCSC gives for chr1-22, X and Y of hg19 and hg38.
    totals = {"GRCh37": 3_095_677_412, "GRCh38": 3_088_269_832}
    for build in builds.BUILDS:
        lengths = dict(builds.LENGTHS[build])
        assert lengths.pop("MT") == 16_569
        assert sum(lengths.values()) == totals[build]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1", "1"),
        ("chr22", "22"),
        ("CHRx", "X"),
        ("y", "Y"),
        ("M", "MT"),
        ("chrM", "MT"),
        ("chrMT", "MT"),
        ("0", None),
        ("23", None),
        ("chr01", None),
        ("chr", None),
        ("", None),
        ("1 ", None),
        ("GL000207.1", None),
        ("chr1_KI270706v1_random", None),
    ],
)
def test_chromosome_is_told_from_its_name(name: str, expected: str | None) -> None:
    assert builds.chromosome(name) == expected


@pytest.mark.parametrize(
    ("name", "contigs", "expected"),
    [
        ("17", ["chr1", "chr17"], "chr17"),
        ("chr17", ["1", "17"], "17"),
        ("MT", ["chr1", "chrM"], "chrM"),
        ("chrM", ["1", "MT"], "MT"),
        ("GL1", ["GL1"], "GL1"),
        ("GL1", ["chrGL1"], None),
        ("5", ["1"], None),
        # The same spelling wins where a file has both; otherwise nobody may guess.
        ("17", ["chr17", "17"], "17"),
        ("MT", ["chrM", "M"], None),
    ],
)
def test_contig_resolves_to_the_name_that_the_file_has(
    name: str, contigs: list[str], expected: str | None
) -> None:
    assert builds.resolve_contig(name, contigs) == expected


@pytest.mark.parametrize("build", builds.BUILDS)
@pytest.mark.parametrize("prefix", ["", "chr"])
def test_build_is_detected_by_lengths(build: builds.Build, prefix: str) -> None:
    contigs = [(prefix + name, n) for name, n in builds.LENGTHS[build].items()]
    assert builds.detect_build(contigs) == build
    assert builds.detect_build(contigs[6:7]) == build


@pytest.mark.parametrize(
    "contigs",
    [
        [],
        [("1", None)],
        [("MT", 16_569)],
        [("1", 1000)],
        [("1", 249_250_621), ("2", 242_193_529)],  # one of each build
        [("scaffold_1", 249_250_621)],
    ],
)
def test_build_stays_unknown_without_lengths_that_agree(
    contigs: list[tuple[str, int | None]],
) -> None:
    assert builds.detect_build(contigs) is None


def test_hg19_is_grch37_but_its_mitochondrion_takes_no_regions() -> None:
    contigs = [("chr1", 249_250_621), ("chrM", 16_571)]
    assert builds.detect_build(contigs) == "GRCh37"
    assert builds.is_length_of("GRCh37", "chrM", 16_571)
    assert not builds.is_length_of("GRCh38", "chrM", 16_571)
    assert not builds.is_placeable("GRCh37", "chrM", 16_571)
    assert builds.is_placeable("GRCh37", "MT", 16_569)
    assert builds.is_placeable("GRCh37", "1", None)
    assert not builds.is_placeable("GRCh37", "GL000207.1", 4262)


@pytest.mark.parametrize(
    ("build", "gene", "pair"),
    [
        ("GRCh37", "SHOX", 0),
        ("GRCh38", "SHOX", 0),
        ("GRCh38", "ASMT", 0),
        ("GRCh37", "VAMP7", 1),
        ("GRCh38", "VAMP7", 1),
    ],
)
def test_pseudoautosomal_regions_pair_up_as_their_genes_do(
    build: builds.Build, gene: str, pair: int
) -> None:
    on_x, on_y = genes.resolve_gene(gene, build)
    par = builds.PSEUDOAUTOSOMAL[build]
    (_, x_start_0, x_end), (_, y_start_0, y_end) = par[pair], par[pair + 2]
    assert x_end - x_start_0 == y_end - y_start_0
    assert x_start_0 <= on_x.start_0 < on_x.end <= x_end
    assert on_x.start_0 - x_start_0 == on_y.start_0 - y_start_0


def test_regions_genes_and_builds_load_neither_pysam_nor_django() -> None:
    code = (
        "import sys; from genomics import builds, genes, regions; "
        "sys.exit(any(m in sys.modules for m in ('pysam', 'django')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
