"""Uploads and jobs as Hypothesis makes them: whatever a VCF may hold, and stranger.

A `Case` is an upload, the job to be done on it, how large the blocks of its columns
are, and in how many parts it is cut. What the file is made of is drawn piece by piece,
so a failing example shrinks to few records and people; what stands in a cell comes from
a seed.
"""

import gzip
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from genomics.builds import LENGTHS, Build
from genomics.fields import FieldDefinition
from tests.genomics import cells, rows
from tests.genomics.cells import Shape
from tests.genomics.misspelling import OTHER_NAMES, misspelt
from tests.genomics.rows import KINDS
from tests.genomics.uploads import bgzf

BUILD: Build = "GRCh38"
# Names that are data and nothing else.
NAMES = (
    *(f"S{number}" for number in range(12)),
    "Zoë",
    "名前",
    "x::y",
    "a b",
    "a,b",
    "../../x",
    "=cmd|' /C calc'!A0",
    "<script>alert(1)</script>",
    '"quoted"',
    "%s{0}\\n",
    "-",
    "0",
)
# Contigs of the build and others; the last two cannot be placed in it.
CONTIGS = ("1", "chr2", "X", "Y", "MT", "chrM", "HLA-A*01:01:01:01", "un~1|a;b")
# Where records stand: telomere, plain, and around borders of windows.
ANCHORS = (0, 1, 4000, (1 << 20) - 25, (1 << 20) - 2, (1 << 21) - 40)
_PHASED = (1, (1 << 20) - 25)
MT_ANCHORS = (0, 1, 4000, 16_500)

# Names of phase sets, by the Type that PS is declared with; "" for not declared.
_SETS = {
    "": cells.SET_NAMES,
    "Integer": [name for name in cells.SET_NUMBERS if len(name) < 10],
    "String": cells.SET_NAMES,
}
_PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bgzf": bgzf,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An upload and what to do with it; `text` is the upload as it is plainest."""

    upload: bytes = field(repr=False)
    text: str
    job: Mapping[str, Any]
    block_sites: int
    parts: int = 0  # to be cut in, once more
    intake_build: Build | None = None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw an upload that is sound, and a job that cuts it."""
    version = draw(st.sampled_from(["4.2", "4.3", "4.4", "4.5"]))
    people = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=9, unique=True))
    # More than one tile of genotypes, now and then.
    people += [f"P{n}" for n in range(draw(st.sampled_from([0] * 15 + [64])))]
    contigs = draw(
        st.lists(st.sampled_from(CONTIGS), min_size=1, max_size=3, unique=True)
    )
    is_stated = draw(st.booleans())
    header = _header(draw, version, contigs, is_stated=is_stated)
    sets = draw(st.sampled_from(sorted(_SETS)))
    if sets:
        header.append(f'##FORMAT=<ID=PS,Number=1,Type={sets},Description="s">')
    by_contig = {
        contig: _records(draw, version, contig, contigs, len(people), _SETS[sets])
        for contig in contigs
    }
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        _add_pair(draw, version, by_contig, len(people), _SETS[sets])
    lines = [
        line
        for found in by_contig.values()
        for _, line in sorted(found, key=lambda item: item[0])
    ]
    if not any(map(cells.is_telling, lines)):
        lines = []  # a file of which nothing could be released is refused
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    every = [*header, "\t".join([*columns, *people]), *lines]
    is_misspelt = draw(st.booleans())
    spelt = every
    if is_misspelt:
        spelt = misspelt(random.Random(draw(st.integers(0, 2**32 - 1))), every)
    return Case(
        upload=_packed(draw, spelt),
        text="\n".join([*every, ""]),
        job=_job(draw, people, contigs),
        block_sites=draw(st.sampled_from([512, 1, 2, 5])),
        parts=draw(st.sampled_from([0, 0, 0, 2, 3])),
        intake_build=BUILD if is_misspelt else None,
    )


def _packed(draw: st.DrawFn, lines: list[str]) -> bytes:
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(lines) + draw(st.sampled_from([end, ""]))
    return _PACKINGS[draw(st.sampled_from(sorted(_PACKINGS)))](text.encode())


def _header(
    draw: st.DrawFn, version: str, contigs: list[str], *, is_stated: bool
) -> list[str]:
    lines = [f"##fileformat=VCFv{version}"]
    lines += ['##SAMPLE=<ID=Secret,Description="x">', "##source=/home/secret/call.sh"]
    if is_stated:
        lines += [f"##contig=<ID={name},length={_length(name)}>" for name in contigs]
    if draw(st.booleans()):
        # Cardinalities that are lies are common in real files.
        number = draw(st.sampled_from(["R", ".", "1"]))
        lines.append(f'##FORMAT=<ID=AD,Number={number},Type=Integer,Description="d">')
        lines.append('##FORMAT=<ID=PL,Number=G,Type=Integer,Description="p">')
        lines.append('##FORMAT=<ID=GQ,Number=1,Type=Float,Description="q">')
    if draw(st.booleans()):
        number = draw(st.sampled_from(["G", "."]))
        lines.append(f'##FORMAT=<ID=GP,Number={number},Type=Float,Description="p">')
        number = draw(st.sampled_from(["A", "1", "."]))
        lines.append(f'##FORMAT=<ID=DS,Number={number},Type=Float,Description="d">')
        lines.append('##FORMAT=<ID=HDS,Number=2,Type=Float,Description="h">')
        lines.append('##FORMAT=<ID=CN,Number=1,Type=String,Description="c">')
    if draw(st.booleans()):
        lines.append('##INFO=<ID=END,Number=1,Type=Integer,Description="e">')
        lines.append('##INFO=<ID=SVLEN,Number=.,Type=Integer,Description="l">')
    return lines


def _length(contig: str) -> int:
    name = "MT" if contig == "chrM" else contig.removeprefix("chr")
    return LENGTHS[BUILD].get(name, 5_000_000)


def _records(
    draw: st.DrawFn,
    version: str,
    contig: str,
    contigs: list[str],
    people: int,
    sets: Sequence[str],
) -> list[tuple[int, str]]:
    is_short = contig in ("MT", "chrM")
    anchors = st.sampled_from(MT_ANCHORS if is_short else ANCHORS)
    is_phased = draw(st.sampled_from([False, False, True]))
    some = st.sampled_from(["snv", *KINDS] if is_phased else KINDS)
    kinds = draw(st.lists(some, min_size=4 * is_phased, max_size=10))
    if is_phased:
        # Sets of many records around one place, so that spans come between them.
        anchors = st.just(1 if is_short else draw(st.sampled_from(_PHASED)))
    lines = []
    for kind in kinds:
        rng = random.Random(draw(st.integers(0, 2**32 - 1)))
        shape = Shape(
            kind=kind,
            contig=contig,
            mates=contigs,
            pos=draw(anchors) + rng.randint(0, 30),
            people=people,
            version=version,
            ploidy=rows.ploidies(contig, rng),
            sets=sets,
            is_phased=is_phased,
        )
        lines.append((shape.pos, rows.record(rng, shape)))
    return lines


def _add_pair(
    draw: st.DrawFn,
    version: str,
    by_contig: dict[str, list[tuple[int, str]]],
    people: int,
    sets: Sequence[str],
) -> None:
    """Put two mates among the records, on one contig or on two."""
    contigs = sorted(by_contig)
    rng = random.Random(draw(st.integers(0, 2**32 - 1)))
    shapes = []
    for contig in draw(st.lists(st.sampled_from(contigs), min_size=2, max_size=2)):
        anchors = MT_ANCHORS if contig in ("MT", "chrM") else ANCHORS
        shape = Shape(
            kind="breakend",
            contig=contig,
            mates=contigs,
            pos=draw(st.sampled_from(anchors)) + rng.randint(1, 30),
            people=people,
            version=version,
            ploidy=rows.ploidies(contig, rng),
            sets=sets,
        )
        shapes.append(shape)
    for shape, line in zip(shapes, rows.pair(rng, shapes), strict=True):
        by_contig[shape.contig].append((shape.pos, line))


def _job(draw: st.DrawFn, people: list[str], contigs: list[str]) -> dict[str, Any]:
    included = draw(
        st.lists(st.sampled_from(people), min_size=1, max_size=12, unique=True)
    )
    outputs = draw(st.permutations([f"Q{n:03d}" for n in range(len(included))]))
    build = draw(st.sampled_from([BUILD, None]))
    spans = _spans(contigs, has_build=build is not None)
    withheld = {}
    if build:
        masked = draw(st.lists(st.sampled_from(included), max_size=5, unique=True))
        withheld = {name: tuple(draw(spans)) for name in masked}
    return {
        "samples": tuple(zip(included, outputs, strict=True)),
        "build": build,
        "regions": draw(st.none() | st.none() | spans.map(tuple)),
        "withheld": withheld,
        "excluded_regions": tuple(draw(st.just([]) | st.just([]) | spans)),
        "filter_is_cohort_independent": draw(st.booleans()),
        "bgzf_level": draw(st.sampled_from([1, 1, 6])),
        "info_keep": draw(st.sampled_from([(), (), (), (_MAPPABLE,)])),
        "format_keep": draw(st.sampled_from([(), (), (), (), (_DOSAGE,)])),
    }


_MAPPABLE = FieldDefinition(id="MAPQ", number="1", type="Integer", description="x")
_DOSAGE = FieldDefinition(id="GD", number="1", type="Float", description="x")


def _spans(
    contigs: list[str], *, has_build: bool
) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """Spans around the places where records stand, under any name of the contig."""
    names = [name for contig in contigs for name in _spellings(contig)]
    if has_build:
        names += [other for contig in contigs for other in OTHER_NAMES.get(contig, ())]

    def around(name: str, anchor: int, start: int, size: int) -> tuple[str, int, int]:
        first = max(anchor + start, 0)
        return name, first, first + size

    span = st.builds(
        around,
        st.sampled_from(names),
        st.sampled_from([*_PHASED, *_PHASED, *ANCHORS]),
        st.integers(-10, 35),
        st.sampled_from([1, 1, 5, 20, 60, 3000, 1 << 20]),
    )
    return st.lists(span, min_size=1, max_size=6)


def _spellings(contig: str) -> list[str]:
    bare = contig.removeprefix("chr")
    if bare in ("M", "MT"):
        return ["MT", "chrM", "M"]
    return [bare, f"chr{bare}"] if bare in LENGTHS[BUILD] else [contig]
