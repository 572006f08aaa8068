"""Pairs of call sets that differ in strangers alone, and the release of each."""

import functools
import gzip
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.genomics import rows, sources
from tests.genomics.perturbing import perturbed
from tests.genomics.release import Release, cut

_DATA = Path(__file__).parents[2] / "platform/gemmule/demo/data"
_REAL = ("1kg_629_samples.vcf.gz", "multipleChromosomes.vcf.gz")
_PEOPLE, _RECORDS = 40, 60  # of a real call set, at once


def check_pair(seed: int) -> Release:
    """Assert that other strangers in a call set change no byte of a release."""
    rng = random.Random(seed)
    text, included = _source(rng)
    options = _options(rng, text, included)
    first, second = (
        cut(
            perturbed(rng, text, included, options["withheld"]),
            outputs(included),
            **options,
        )
        for _ in range(2)
    )
    for release in (first, second):
        told = release.variants + gzip.decompress(release.variants)
        told += gzip.decompress(release.index)
        for secret in (sources.STRANGER, sources.SECRET_BASES, "secret", "strangers"):
            assert secret.encode() not in told
    assert first.text == second.text
    assert first.variants == second.variants
    assert first.index == second.index
    assert first.result.records_out == second.result.records_out
    assert first.result.genotypes_withheld == second.result.genotypes_withheld
    assert first.result.records_withheld == second.result.records_withheld
    return first


def outputs(names: Iterable[str]) -> dict[str, str]:
    """Give output names whose order is not that of the source names."""
    return {name: f"G{9 - n:09d}" for n, name in enumerate(sorted(names))}


def _source(rng: random.Random) -> tuple[str, list[str]]:
    """Return a call set, made up or real, and whom a release is to hold."""
    if rng.random() < 0.2:
        text = _real(rng)
    else:
        names = [f"Donor{number}" for number in range(rng.randint(2, 9))]
        text = rows.call_set(rng, names, rng.randint(1, 12))
    columns = next(row for row in text.splitlines() if row.startswith("#CHROM"))
    people = columns.split("\t")[9:]
    return text, rng.sample(people, rng.randint(1, min(len(people), 8)))


def _real(rng: random.Random) -> str:
    """Return some people and some records of a real call set."""
    header, columns, every = _lines(rng.choice(_REAL))
    people = sorted(rng.sample(range(9, len(columns)), _PEOPLE))
    picked = [*range(9), *people]
    chosen = sorted(rng.sample(range(len(every)), _RECORDS))
    cells = [columns, *(every[number] for number in chosen)]
    return "\n".join(
        [*header, *("\t".join([row[n] for n in picked]) for row in cells), ""]
    )


@functools.cache
def _lines(name: str) -> tuple[list[str], list[str], list[list[str]]]:
    text = gzip.decompress((_DATA / name).read_bytes()).decode("latin-1")
    lines = text.splitlines()
    header = [line for line in lines if line.startswith("##")]
    columns, *every = (line.split("\t") for line in lines[len(header) :])
    return header, columns, every


def _options(rng: random.Random, text: str, included: list[str]) -> dict[str, Any]:
    places = [line.split("\t", 2)[:2] for line in text.splitlines() if line[0] != "#"]

    def spans() -> tuple[tuple[str, int, int], ...]:
        found = []
        for contig, pos in rng.sample(places, min(len(places), 4)):
            start = max(int(pos) - rng.randint(0, 20), 0)
            found.append((contig, start, start + rng.choice([1, 15, 40, 1 << 19])))
        return tuple(found)

    masked = rng.sample(included, rng.randint(0, len(included)))
    return {
        "build": "GRCh37",
        "regions": rng.choice([None, None, spans()]),
        "withheld": rng.choice([{}, {name: spans() for name in masked}]),
        "excluded_regions": rng.choice([(), (), spans()]),
    }
