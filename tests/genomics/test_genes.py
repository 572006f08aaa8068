"""Gene symbols and the ACMG preset."""

import gzip
from importlib import resources

import pytest

from genomics import builds, gene_names, genes
from genomics.errors import UnknownGene
from genomics.regions import Region
from tests.genomics import generate_gene_names


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
    [("BRAC1", "BRCA1"), ("BRCA", "BRCA1"), ("LDRL", "LDLR"), ("c9orf7x", "C9orf72")],
)
def test_unknown_gene_comes_with_suggestions(symbol: str, suggestion: str) -> None:
    with pytest.raises(UnknownGene, match="did you mean") as refused:
        genes.resolve_gene(symbol, "GRCh38")
    assert suggestion in refused.value.suggestions[:2]
    assert len(refused.value.suggestions) <= 5


@pytest.mark.parametrize("build", builds.BUILDS)
@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("HER2", "ERBB2"),
        ("p53", "TP53"),
        ("MLL", "KMT2A"),
        (" fancd1 ", "BRCA2"),
        ("CD20", "MS4A1"),
        ("c-Myc", "MYC"),
        ("PARK8", "LRRK2"),
        ("DENND9", "C9orf72"),
    ],
)
def test_other_name_is_told_with_its_gene_and_never_taken_for_it(
    name: str, symbol: str, build: builds.Build
) -> None:
    with pytest.raises(UnknownGene, match=f"of {symbol}") as refused:
        genes.resolve_gene(name, build)
    assert [one.symbol for one in refused.value.others] == [symbol]
    assert refused.value.suggestions == ()
    assert genes.resolve_gene(refused.value.others[0].symbol, build)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("SEPT2", ["a former symbol of SEPTIN2", "an alias of SEPTIN6"]),
        ("p21", None),
        ("MDR1", None),
        ("HOX1", None),
    ],
)
def test_name_of_several_genes_is_told_with_all_of_them(
    name: str, told: list[str] | None
) -> None:
    found = [str(one) for one in genes.also_called(name, "GRCh38")]
    assert len(found) > 1
    assert told is None or found == told
    with pytest.raises(UnknownGene) as refused:
        genes.resolve_gene(name, "GRCh38")
    assert all(text in str(refused.value) for text in found)


@pytest.mark.parametrize(
    ("symbol", "also_alias_of"), [("TPP1", "ACD"), ("AR", "AKR1B1"), ("CAD", "ACOD1")]
)
def test_approved_symbol_is_no_alias_of_another_gene(
    symbol: str, also_alias_of: str
) -> None:
    assert genes.resolve_gene(symbol, "GRCh38") != genes.resolve_gene(
        also_alias_of, "GRCh38"
    )
    assert gene_names.stands_for(symbol) == ()


def test_symbol_that_is_newer_than_the_table_leads_to_the_former_one() -> None:
    with pytest.raises(UnknownGene, match="a newer symbol of C2orf88"):
        genes.resolve_gene("AKAP19", "GRCh38")


def test_every_row_of_other_names_leads_to_a_gene_and_is_read_as_written() -> None:
    data = resources.files("genomics").joinpath("data", "hgnc_other_names.tsv.gz")
    rows = [
        tuple(line.split("\t"))
        for line in gzip.decompress(data.read_bytes()).decode().splitlines()
    ]
    assert len(rows) > 50_000
    assert rows == sorted(set(rows))
    known = {build: set(genes.symbols(build)) for build in builds.BUILDS}
    for name, kind, symbol in rows:
        assert any(symbol.upper() in symbols for symbols in known.values())
        assert not all(name in symbols for symbols in known.values())
        assert (kind, symbol) in gene_names.stands_for(name)


def test_table_of_other_names_follows_from_its_source() -> None:
    source = [
        {"symbol": "ERBB2", "alias_symbol": "HER2|NEU", "prev_symbol": "NGL"},
        {"symbol": "SEPTIN2", "alias_symbol": "SEPT2", "prev_symbol": "SEPT2|DIFF6"},
        {"symbol": "ACD", "alias_symbol": "Tpp1|Ptop", "prev_symbol": ""},
        {"symbol": "TPP1", "alias_symbol": "", "prev_symbol": "CLN2"},
        {"symbol": "AKAP19", "alias_symbol": "X", "prev_symbol": "C2orf88|OLD"},
        {"symbol": "NOWHERE1", "alias_symbol": "HER2", "prev_symbol": "NOWHERE"},
    ]
    assert generate_gene_names.rows(source) == [
        ("AKAP19", "newer", "C2orf88"),
        ("CLN2", "previous", "TPP1"),
        ("DIFF6", "previous", "SEPTIN2"),
        ("HER2", "alias", "ERBB2"),
        ("NEU", "alias", "ERBB2"),
        ("NGL", "previous", "ERBB2"),
        ("PTOP", "alias", "ACD"),
        ("SEPT2", "previous", "SEPTIN2"),
    ]


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
