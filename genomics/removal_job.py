"""The job that takes people out of a store for good, and its result, as JSON.

Beside `genomics.job`, whose rules hold: parsing is strict, and why somebody is taken
out is left to the caller.
"""

import dataclasses
from pathlib import Path

from genomics.errors import JobInvalid
from genomics.job import BUILDS
from genomics.jsonfields import JSON, Fields, contig_count_of, list_of, megabases_of


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RemovalJob:
    """Write a store anew without some of its people.

    `without` holds source names; names the source does not have are no error, so that
    a job that ran once may run again. `source_sha256`, when given, must be the digest
    of the source.
    """

    source: Path
    store: Path
    without: tuple[str, ...]
    build: str | None = None
    filter_is_cohort_independent: bool = False
    source_sha256: str | None = None
    records_total: int | None = None

    def __post_init__(self) -> None:
        if self.build is not None and self.build not in BUILDS:
            raise JobInvalid(f"expected a build of {BUILDS} or none")
        if self.source == self.store:
            raise JobInvalid("expected a store path apart from the source, both equal")
        if not self.without or len(set(self.without)) != len(self.without):
            raise JobInvalid("expected at least one sample to leave out, each once")

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "removal",
            "source": str(self.source),
            "store": str(self.store),
            "without": list(self.without),
            "build": self.build,
            "filter_is_cohort_independent": self.filter_is_cohort_independent,
            "source_sha256": self.source_sha256,
            "records_total": self.records_total,
        }

    @classmethod
    def from_json(cls, value: JSON) -> "RemovalJob":
        fields = Fields(value, "removal job")
        fields.constant("kind", "removal")
        job = cls(
            source=fields.path("source"),
            store=fields.path("store"),
            without=fields.texts("without"),
            build=fields.optional_text("build"),
            filter_is_cohort_independent=fields.boolean("filter_is_cohort_independent"),
            source_sha256=fields.optional_text("source_sha256"),
            records_total=fields.optional_integer("records_total"),
        )
        fields.finish()
        return job


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RemovalResult:
    """What the new store holds; `contigs` and `megabases` are as in intake's result."""

    samples: tuple[str, ...]
    records: int
    contigs: tuple[tuple[str, int | None, int], ...]
    sha256_store: str
    sha256_columns: str
    megabases: tuple[tuple[str, int, int], ...] = ()

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "removal",
            "samples": list(self.samples),
            "records": self.records,
            "contigs": [list(contig) for contig in self.contigs],
            "sha256_store": self.sha256_store,
            "sha256_columns": self.sha256_columns,
            "megabases": [list(megabase) for megabase in self.megabases],
        }

    @classmethod
    def from_json(cls, value: JSON) -> "RemovalResult":
        fields = Fields(value, "removal result")
        fields.constant("kind", "removal")
        result = cls(
            samples=fields.texts("samples"),
            records=fields.integer("records"),
            contigs=tuple(
                contig_count_of(item)
                for item in list_of(fields.take("contigs"), "contigs")
            ),
            sha256_store=fields.text("sha256_store"),
            sha256_columns=fields.text("sha256_columns"),
            megabases=megabases_of(fields.take("megabases")),
        )
        fields.finish()
        return result
