"""Simulate the cohorts that the release engine is measured on, with msprime.

People of three populations (YRI, CEU, CHB) after Gutenkunst et al. 2009, doi
10.1371/journal.pgen.1000695: the out-of-Africa model of msprime's documentation. A seed
gives the same sites wherever the versions of msprime and numpy are the same.

    uv run --group bench python -m benchmarks.simulating NAME FOLDER
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msprime
import numpy as np
import tskit

from benchmarks import called, genotyped

_GENERATION_YEARS = 25


@dataclass(frozen=True, slots=True)
class Cohort:
    """Diploid people, the megabases simulated, and what is written of each site."""

    people: int
    megabases: int
    seed: int
    write: Callable[["tskit.TreeSequence", IO[bytes]], int]


COHORTS = {
    "c2504": Cohort(2504, 20, 11, genotyped.write),
    "r500": Cohort(500, 10, 13, called.write),
    "c10k": Cohort(10_000, 5, 17, genotyped.write),
}


def simulate(cohort: Cohort) -> "tskit.TreeSequence":
    """Return trees with mutations; a third of the people of each population."""
    third = cohort.people // 3
    trees = msprime.sim_ancestry(
        {"YRI": third, "CEU": third, "CHB": cohort.people - 2 * third},
        demography=_out_of_africa(),
        sequence_length=cohort.megabases * 1_000_000,
        recombination_rate=1e-8,
        random_seed=cohort.seed,
    )
    return msprime.sim_mutations(
        trees, rate=1.29e-8, random_seed=cohort.seed + 1, model=msprime.JC69()
    )


def _out_of_africa() -> "msprime.Demography":
    out_of_africa = 21.2e3 / _GENERATION_YEARS
    bottleneck = 140e3 / _GENERATION_YEARS
    growth_africa = 220e3 / _GENERATION_YEARS
    growth_europe, growth_asia = 0.004, 0.0055
    model = msprime.Demography()
    model.add_population(name="YRI", initial_size=12_300)
    for name, founders, growth in (
        ("CEU", 1000, growth_europe),
        ("CHB", 510, growth_asia),
    ):
        size = founders / np.exp(-growth * out_of_africa)
        model.add_population(name=name, initial_size=size, growth_rate=growth)
    model.add_population(name="OOA", initial_size=2100)
    model.add_population(name="AMH", initial_size=12_300)
    model.add_population(name="ANC", initial_size=7300)
    for pair, rate in (
        (["CEU", "CHB"], 9.6e-5),
        (["YRI", "CHB"], 1.9e-5),
        (["YRI", "CEU"], 3e-5),
    ):
        model.set_symmetric_migration_rate(pair, rate)
    model.add_population_split(
        time=out_of_africa, derived=["CEU", "CHB"], ancestral="OOA"
    )
    model.add_symmetric_migration_rate_change(
        time=out_of_africa, populations=["YRI", "OOA"], rate=25e-5
    )
    model.add_population_split(time=bottleneck, derived=["YRI", "OOA"], ancestral="AMH")
    model.add_population_split(time=growth_africa, derived=["AMH"], ancestral="ANC")
    return model


def main(name: str, folder: str) -> None:
    """Write `NAME.vcf.gz` into the folder; print how many sites it has."""
    cohort = COHORTS[name]
    final = Path(folder) / f"{name}.vcf.gz"
    part = final.with_suffix(".part")
    with _bgzip(part) as file:
        sites = cohort.write(simulate(cohort), file)
    part.rename(final)
    print(sites)


@contextmanager
def _bgzip(path: Path) -> Iterator[IO[bytes]]:
    bgzip = shutil.which("bgzip") or "bgzip"
    with (
        path.open("wb") as target,
        subprocess.Popen(
            [bgzip, "-c", "-@", "2"], stdin=subprocess.PIPE, stdout=target
        ) as process,
    ):
        assert process.stdin is not None, "a pipe was asked for"
        yield process.stdin
    if process.returncode:
        raise SystemExit(f"bgzip failed with {process.returncode}")


if __name__ == "__main__":
    main(*sys.argv[1:])
