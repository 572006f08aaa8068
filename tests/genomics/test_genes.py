"""Gene symbols and the ACMG preset."""

import pytest

from genomics import builds, genes
from genomics.errors import UnknownGene
from genomics.regions import Region


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        ("GRCh37", Region("17", 41_196_311, 41_277_381)),
        ("GRCh38", Region("17", 43_044_294, 43_170_327)),
    ],
)
@pytest.mark.parametrize("symbol", ["BRCA1", "brca1", " Brca1 "])
def test_gene_is_found_whatever_its_case(
    symbol: str, build: builds.Build, expected: Region
) -> None:
    assert genes.resolve_gene(symbol, build) == [expected]


@pytest.mark.parametrize("build", builds.BUILDS)
def test_pseudoautosomal_gene_has_its_regions_on_x_and_on_y(
    build: builds.Build,
) -> None:
    found = genes.resolve_gene("SHOX", build)
    assert [region.contig for region in found] == ["X", "Y"]


def test_symbol_with_lower_case_letters_is_found_in_any_case() -> None:
    found = genes.resolve_gene("C9orf72", "GRCh38")
    assert found == genes.resolve_gene("c9ORF72", "GRCh38")


@pytest.mark.parametrize("build", builds.BUILDS)
@pytest.mark.parametrize(
    ("symbol", "start_0"), [("ND1", 3306), ("MT-ND1", 3306), ("MT-CYB", 14746)]
)
def test_mitochondrial_genes_go_by_both_names_in_both_builds(
    symbol: str, start_0: int, build: builds.Build
) -> None:
    [region] = genes.resolve_gene(symbol, build)
    assert (region.contig, region.start_0) == ("MT", start_0)


@pytest.mark.parametrize(
    ("symbol", "suggestion"),
    [("BRAC1", "BRCA1"), ("BRCA", "BRCA1"), ("LDRL", "LDLR"), ("c9orf7", "C9orf72")],
)
def test_unknown_gene_comes_with_suggestions(symbol: str, suggestion: str) -> None:
    with pytest.raises(UnknownGene, match="did you mean") as refused:
        genes.resolve_gene(symbol, "GRCh38")
    assert suggestion in refused.value.suggestions[:2]
    assert len(refused.value.suggestions) <= 5


@pytest.mark.parametrize("symbol", ["", "   ", "\x00", "x" * 1_000_000, "<script>"])
def test_nonsense_is_an_unknown_gene_and_costs_no_time(symbol: str) -> None:
    with pytest.raises(UnknownGene) as refused:
        genes.resolve_gene(symbol, "GRCh38")
    assert len(str(refused.value)) < 300
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("build", builds.BUILDS)
def test_acmg_preset_holds_84_genes_that_can_be_looked_up(build: builds.Build) -> None:
    symbols = genes.acmg_genes(build)
    assert len(symbols) == 84
    assert {"BRCA1", "BRCA2", "LDLR", "SDHB"} <= set(symbols)
    covered = genes.acmg_regions(build)
    for symbol in symbols:
        for region in genes.resolve_gene(symbol, build):
            assert any(
                found.contig == region.contig
                and found.start_0 <= region.start_0
                and region.end <= found.end
                for found in covered
            )


@pytest.mark.parametrize("build", builds.BUILDS)
def test_every_gene_lies_within_its_chromosome(build: builds.Build) -> None:
    lengths = builds.LENGTHS[build]
    for _, region in genes._rows(genes._TABLES[build]):
        assert region.end <= lengths[region.contig]
