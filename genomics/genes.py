"""Find the regions of a gene by its symbol.

A symbol may stand in several places: SHOX lies on X and on Y, and all of its regions
are given, for a donor who withholds a gene means every copy of it. Transcripts, flanks
and what a region is used for are left to others.

Source: NCBI RefSeq genes and the ACMG SF v3.3 list; `genomics/data/SOURCE.md`.
"""

import difflib
import gzip
from functools import cache
from importlib import resources

from genomics import builds, gene_names, regions
from genomics.builds import Build
from genomics.errors import UnknownGene
from genomics.gene_names import OtherName
from genomics.regions import Region

_TABLES: dict[Build, str] = {
    "GRCh37": "refseq_genes_hg19.bed.gz",
    "GRCh38": "refseq_genes_hg38.bed.gz",
}
_ACMG_TABLES: dict[Build, str] = {
    "GRCh37": "acmg_sf_v3.3_hg19.bed",
    "GRCh38": "acmg_sf_v3.3_hg38.bed",
}
# RefSeq writes ND1 for what HGNC and everyone else call MT-ND1; these four also have
# another stem.
_MITOCHONDRIAL = {
    "COX1": "MT-CO1",
    "COX2": "MT-CO2",
    "COX3": "MT-CO3",
    "CYTB": "MT-CYB",
}
_MAX_SYMBOL_LENGTH = 40
_MAX_SUGGESTIONS = 5


def resolve_gene(symbol: str, build: Build) -> list[Region]:
    """Return every region of the gene in the build, whatever the symbol's case.

    Raises UnknownGene with the genes that go by the name too, for an alias is never
    taken for a symbol, or else with up to five similar symbols.

    >>> [str(region) for region in resolve_gene("shox", "GRCh38")]
    ['X:624344-659411', 'Y:624344-659411']
    """
    wanted = symbol.strip().upper()
    found = _genes(build).get(wanted)
    if found is None:
        others = also_called(wanted, build)
        similar = () if others else suggest(wanted, build)
        raise UnknownGene(_shown(wanted), build, similar, others)
    return list(found.regions)


def symbols(build: Build) -> tuple[str, ...]:
    """Return every symbol that can be resolved in the build, in upper case."""
    return tuple(_genes(build))


def also_called(name: str, build: Build) -> tuple[OtherName, ...]:
    """Return the genes of the build whose alias, former or newer symbol a name is."""
    genes = _genes(build)
    found = gene_names.stands_for(name)
    return tuple(one for one in found if one.symbol.upper() in genes)


def suggest(symbol: str, build: Build) -> tuple[str, ...]:
    """Return up to five symbols that start like, or are spelt like, the given one."""
    # difflib is quadratic in length: a pasted page must not cost seconds.
    wanted = symbol.strip().upper()[:_MAX_SYMBOL_LENGTH]
    if not wanted:
        return ()
    genes = _genes(build)
    close = difflib.get_close_matches(wanted, genes, n=20, cutoff=0.75)
    # Swapped letters are the commonest slip, and a first letter is seldom wrong.
    close.sort(key=lambda key: (sorted(key) != sorted(wanted), key[0] != wanted[0]))
    longer = sorted(
        (key for key in genes if key.startswith(wanted)),
        key=lambda key: (len(key), key),
    )
    # dict.fromkeys keeps the first of each, in order.
    both = list(dict.fromkeys([*longer[:2], *close, *longer[2:]]))
    return tuple(genes[key].symbol for key in both[:_MAX_SUGGESTIONS])


def acmg_genes(build: Build) -> tuple[str, ...]:
    """Return the symbols of ACMG SF v3.3: the preset of secondary findings."""
    return tuple(_acmg(build))


def acmg_regions(build: Build) -> list[Region]:
    """Return the regions of ACMG SF v3.3 genes, merged, in the genome's order."""
    return regions.merge(region for found in _acmg(build).values() for region in found)


class _Gene:
    """One symbol as RefSeq spells it, and where it stands."""

    __slots__ = ("regions", "symbol")

    def __init__(self, symbol: str, found: list[Region]) -> None:
        self.symbol = symbol
        self.regions = tuple(regions.merge(found))


@cache
def _genes(build: Build) -> dict[str, _Gene]:
    """Return the genes by upper-case symbol; read once, 0.1 s and 15 MB a build."""
    places: dict[str, list[Region]] = {}
    for symbol, region in _rows(_TABLES[build]):
        places.setdefault(symbol, []).append(region)
    if build == "GRCh37":
        # The table of hg19 leaves out the mitochondrion, as hg19's is an older one;
        # that of GRCh37 is, base by base, that of GRCh38.
        for symbol, region in _rows(_TABLES["GRCh38"]):
            if region.contig == "MT":
                places.setdefault(symbol, []).append(region)
    genes: dict[str, _Gene] = {}
    for symbol, found in places.items():
        genes[symbol.upper()] = _Gene(symbol, found)
        if all(region.contig == "MT" for region in found):
            alias = _MITOCHONDRIAL.get(symbol, f"MT-{symbol}")
            genes[alias] = _Gene(alias, found)
    return genes


@cache
def _acmg(build: Build) -> dict[str, list[Region]]:
    found: dict[str, list[Region]] = {}
    for symbol, region in _rows(_ACMG_TABLES[build]):
        found.setdefault(symbol, []).append(region)
    return found


def _rows(name: str) -> list[tuple[str, Region]]:
    """Return (symbol, region) of each row of a shipped BED table."""
    data = resources.files("genomics").joinpath("data", name).read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    rows = []
    for line in text.decode("ascii").splitlines():
        contig, start_0, end, symbol, *_ = line.split("\t")
        found = builds.chromosome(contig)
        if found is None:
            raise AssertionError(f"{name} holds {contig}, which is no chromosome")
        rows.append((symbol, Region(found, int(start_0), int(end))))
    return rows


def _shown(symbol: str) -> str:
    """Return a symbol that may stand in a message: short and printable."""
    if len(symbol) <= _MAX_SYMBOL_LENGTH and symbol.isprintable():
        return symbol
    return "a text that is no gene symbol"
