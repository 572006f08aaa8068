"""The whole interface of this room: jobs in, results out, as JSON or as values.

A job is written to the standard input of `python -m genomics`; its result comes back
as the last line of standard output. Parsing is strict: an unknown or missing key, a
wrong type or an impossible value raises `JobInvalid`, on either side of the pipe.
Why a sample or a region was chosen is left to the caller.

Coordinates are 0-based, half-open: `("17", 43044294, 43125483)` is BRCA1 on GRCh38.
"""

import base64
import dataclasses
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from genomics.errors import JobInvalid
from genomics.fields import FieldDefinition, check_definitions, definitions_of
from genomics.jsonfields import (
    JSON,
    Fields,
    Span,
    contig_count_of,
    contig_lengths_of,
    list_of,
    megabases_of,
    pair_of,
    spans_of,
)
from genomics.limits import Limits
from genomics.naming_fields import FORMAT as NAMING_FORMAT
from genomics.naming_fields import INFO as NAMING_INFO
from genomics.samples import check_samples, check_span, check_withheld

BUILDS = ("GRCh37", "GRCh38")
FILE_STEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+){0,4}")
# What belongs to a store and lies beside it: its index, and its columns.
INDEX_SUFFIX, COLUMNS_SUFFIX = ".csi", ".columns"
RESERVED_INFO = ("AC", "AF", "AN", "NS", "END", "SVTYPE", "SVLEN")
RECIPIENT_KEY_BYTES = 32


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job has come: records done of records known, bytes written or read.

    `records_out` is how many were kept, where a job keeps some: unlike the others it
    tells nothing of people who are left out.
    """

    records: int
    records_total: int | None
    bytes: int
    records_out: int | None = None

    def to_json(self) -> dict[str, JSON]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: JSON) -> "Progress":
        fields = Fields(value, "progress")
        progress = cls(
            records=fields.integer("records"),
            records_total=fields.optional_integer("records_total"),
            bytes=fields.integer("bytes"),
            records_out=fields.optional_integer("records_out"),
        )
        fields.finish()
        return progress


ProgressSink = Callable[[Progress], None]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntakeJob:
    """Check an uploaded VCF and rewrite it as the canonical store."""

    source: Path
    store: Path
    build: str | None = None
    limits: Limits = dataclasses.field(default_factory=Limits)

    def __post_init__(self) -> None:
        _check_build(self.build)
        if self.source == self.store:
            raise JobInvalid("expected a store path apart from the source, both equal")

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "intake",
            "source": str(self.source),
            "store": str(self.store),
            "build": self.build,
            "limits": self.limits.to_json(),
        }

    @classmethod
    def from_json(cls, value: JSON) -> "IntakeJob":
        fields = Fields(value, "intake job")
        fields.constant("kind", "intake")
        job = cls(
            source=fields.path("source"),
            store=fields.path("store"),
            build=fields.optional_text("build"),
            limits=Limits.from_json(fields.take("limits")),
        )
        fields.finish()
        return job


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class IntakeResult:
    """What intake found; `contigs` holds (name, length or None, records).

    `megabases` says where the records lie: (contig, megabase, records that begin in it)
    in the order of the store; POS (1-based) p lies in megabase p // 1,000,000.
    """

    samples: tuple[str, ...]
    records: int
    contigs: tuple[tuple[str, int | None, int], ...]
    sha256_source: str
    sha256_store: str
    sha256_columns: str
    size_bytes: int
    warnings: tuple[str, ...] = ()
    megabases: tuple[tuple[str, int, int], ...] = ()
    carriers: Mapping[str, int] = dataclasses.field(default_factory=dict)  # by field

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "intake",
            "samples": list(self.samples),
            "records": self.records,
            "contigs": [list(contig) for contig in self.contigs],
            "sha256_source": self.sha256_source,
            "sha256_store": self.sha256_store,
            "sha256_columns": self.sha256_columns,
            "size_bytes": self.size_bytes,
            "warnings": list(self.warnings),
            "megabases": [list(megabase) for megabase in self.megabases],
            "carriers": dict(self.carriers),
        }

    @classmethod
    def from_json(cls, value: JSON) -> "IntakeResult":
        fields = Fields(value, "intake result")
        fields.constant("kind", "intake")
        result = cls(
            samples=fields.texts("samples"),
            records=fields.integer("records"),
            contigs=tuple(
                contig_count_of(item)
                for item in list_of(fields.take("contigs"), "contigs")
            ),
            sha256_source=fields.text("sha256_source"),
            sha256_store=fields.text("sha256_store"),
            sha256_columns=fields.text("sha256_columns"),
            size_bytes=fields.integer("size_bytes"),
            warnings=fields.texts("warnings"),
            megabases=megabases_of(fields.take("megabases")),
            carriers=fields.counts("carriers"),
        )
        fields.finish()
        return result


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SubsetJob:
    """Cut a store to some samples and seal it for one recipient.

    `samples` are (source name, output name); the output's columns are sorted by output
    name. `regions` None means everywhere. `withheld` maps a source name to the spans
    in which that donor's values become missing; `excluded_regions` are dropped for all.
    `contig_lengths` are the build's, in the order that contigs shall have; lengths and
    order must not be taken from anything that depends on who is in the source.
    `source_sha256`, when given, must be the digest of the source file, and
    `columns_sha256` that of the directory of the columns beside it: with it the cut is
    made from the columns, without it from the source's text, to the same bytes.
    `bgzf_level` 1 is fast, 9 is small.
    """

    source: Path
    samples: tuple[tuple[str, str], ...]
    recipient_public_key: bytes
    output_dir: Path
    name: str
    build: str | None = None
    contig_lengths: Mapping[str, int] = dataclasses.field(default_factory=dict)
    regions: tuple[Span, ...] | None = None
    withheld: Mapping[str, tuple[Span, ...]] = dataclasses.field(default_factory=dict)
    excluded_regions: tuple[Span, ...] = ()
    filter_is_cohort_independent: bool = False
    format_keep: tuple[FieldDefinition, ...] = ()
    info_keep: tuple[FieldDefinition, ...] = ()
    bgzf_level: int = 1
    source_sha256: str | None = None
    columns_sha256: str | None = None
    records_total: int | None = None

    def __post_init__(self) -> None:
        _check_build(self.build)
        check_samples(self.samples)
        check_withheld(self.samples, self.withheld, self.build)
        if not FILE_STEM.fullmatch(self.name) or len(self.name) > 100:
            raise JobInvalid("expected a file stem of letters, digits, '-', '_', '.'")
        if len(self.recipient_public_key) != RECIPIENT_KEY_BYTES:
            raise JobInvalid(
                f"expected a public key of {RECIPIENT_KEY_BYTES} bytes, "
                f"got {len(self.recipient_public_key)}"
            )
        if not 1 <= self.bgzf_level <= 9:
            raise JobInvalid(f"expected a BGZF level 1 to 9, got {self.bgzf_level}")
        for contig, length in self.contig_lengths.items():
            if not contig or length <= 0:
                raise JobInvalid("expected contig names with lengths above 0")
        for span in (*(self.regions or ()), *self.excluded_regions):
            check_span(span)
        check_definitions(self.format_keep, "format_keep", ("GT",), NAMING_FORMAT)
        check_definitions(self.info_keep, "info_keep", RESERVED_INFO, NAMING_INFO)
        if any(definition.number[0] in "GL" for definition in self.info_keep):
            raise JobInvalid("expected Number A, R, . or a count in info_keep")
        if any(item.number == "0" or item.type == "Flag" for item in self.format_keep):
            raise JobInvalid("expected no Flag in format_keep: FORMAT has none")

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "subset",
            "source": str(self.source),
            "samples": [list(pair) for pair in self.samples],
            "recipient_public_key": base64.b64encode(
                self.recipient_public_key
            ).decode(),
            "output_dir": str(self.output_dir),
            "name": self.name,
            "build": self.build,
            "contig_lengths": [list(item) for item in self.contig_lengths.items()],
            "regions": None
            if self.regions is None
            else [list(s) for s in self.regions],
            "withheld": {
                name: [list(s) for s in spans] for name, spans in self.withheld.items()
            },
            "excluded_regions": [list(s) for s in self.excluded_regions],
            "filter_is_cohort_independent": self.filter_is_cohort_independent,
            "format_keep": [item.to_json() for item in self.format_keep],
            "info_keep": [item.to_json() for item in self.info_keep],
            "bgzf_level": self.bgzf_level,
            "source_sha256": self.source_sha256,
            "columns_sha256": self.columns_sha256,
            "records_total": self.records_total,
        }

    @classmethod
    def from_json(cls, value: JSON) -> "SubsetJob":
        fields = Fields(value, "subset job")
        fields.constant("kind", "subset")
        regions = fields.take("regions")
        withheld = fields.take("withheld")
        if not isinstance(withheld, dict):
            raise JobInvalid("expected an object of spans by sample as withheld")
        job = cls(
            source=fields.path("source"),
            samples=tuple(
                pair_of(item) for item in list_of(fields.take("samples"), "samples")
            ),
            recipient_public_key=fields.base64("recipient_public_key"),
            output_dir=fields.path("output_dir"),
            name=fields.text("name"),
            build=fields.optional_text("build"),
            contig_lengths=contig_lengths_of(fields.take("contig_lengths")),
            regions=None if regions is None else spans_of(regions),
            withheld={name: spans_of(spans) for name, spans in withheld.items()},
            excluded_regions=spans_of(fields.take("excluded_regions")),
            filter_is_cohort_independent=fields.boolean("filter_is_cohort_independent"),
            format_keep=definitions_of(fields.take("format_keep")),
            info_keep=definitions_of(fields.take("info_keep")),
            bgzf_level=fields.integer("bgzf_level"),
            source_sha256=fields.optional_text("source_sha256"),
            columns_sha256=fields.optional_text("columns_sha256"),
            records_total=fields.optional_integer("records_total"),
        )
        fields.finish()
        return job


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FileDigest:
    """One delivered file; `size_bytes` is the ciphertext's, `segments` Crypt4GH's."""

    name: str
    role: str
    sha256_plain: str
    sha256_cipher: str
    size_plain: int
    size_bytes: int
    segments: int

    def to_json(self) -> dict[str, JSON]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: JSON) -> "FileDigest":
        fields = Fields(value, "file digest")
        digest = cls(
            name=fields.text("name"),
            role=fields.text("role"),
            sha256_plain=fields.text("sha256_plain"),
            sha256_cipher=fields.text("sha256_cipher"),
            size_plain=fields.integer("size_plain"),
            size_bytes=fields.integer("size_bytes"),
            segments=fields.integer("segments"),
        )
        fields.finish()
        return digest


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SubsetResult:
    """What was cut and sealed.

    `records_in` counts the source's records, so it depends on excluded donors: show it
    to no researcher. `records_withheld` counts those that are missing because their
    place is closed to all, as far as someone included carries them unmasked. The
    digests of the plaintext are the same wherever the same job is done with the same
    `software`.
    """

    files: tuple[FileDigest, ...]
    records_in: int
    records_out: int
    genotypes_withheld: int
    records_withheld: int
    software: Mapping[str, str]

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "subset",
            "files": [item.to_json() for item in self.files],
            "records_in": self.records_in,
            "records_out": self.records_out,
            "genotypes_withheld": self.genotypes_withheld,
            "records_withheld": self.records_withheld,
            "software": dict(self.software),
        }

    @classmethod
    def from_json(cls, value: JSON) -> "SubsetResult":
        fields = Fields(value, "subset result")
        fields.constant("kind", "subset")
        software = fields.take("software")
        if not isinstance(software, dict):
            raise JobInvalid("expected an object of versions as software")
        result = cls(
            files=tuple(
                FileDigest.from_json(item)
                for item in list_of(fields.take("files"), "files")
            ),
            records_in=fields.integer("records_in"),
            records_out=fields.integer("records_out"),
            genotypes_withheld=fields.integer("genotypes_withheld"),
            records_withheld=fields.integer("records_withheld"),
            software={name: str(version) for name, version in software.items()},
        )
        fields.finish()
        return result


def _check_build(build: str | None) -> None:
    if build is not None and build not in BUILDS:
        raise JobInvalid(f"expected a build of {BUILDS} or none")
