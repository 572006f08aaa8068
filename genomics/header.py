"""The header of a release: written anew, from an allow-list, line by line.

Nothing of a source header is copied: its lines may name samples, files, people and
command lines. What stands here follows from the job and from the records written.
"""

import dataclasses
from collections.abc import Iterable, Mapping

from genomics import builds
from genomics.fields import (
    RECOUNTED_INFO,
    FieldDefinition,
    format_fields,
    info_fields,
)
from genomics.job import SubsetJob

_FIXED = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"


@dataclasses.dataclass(slots=True, kw_only=True)
class Usage:
    """What the records of a release make use of."""

    # Those that have records, in their order.
    contigs: dict[str, None] = dataclasses.field(default_factory=dict)
    filters: set[str] = dataclasses.field(default_factory=set)
    infos: set[str] = dataclasses.field(default_factory=set)
    formats: set[str] = dataclasses.field(default_factory=set)
    fractions: set[str] = dataclasses.field(default_factory=set)  # Integer, but is not
    _forms: set[str] = dataclasses.field(default_factory=set)

    def note(self, contig: str, form: str) -> None:
        """Note a record: its contig, its FORMAT and that what it has was counted."""
        if contig not in self.contigs:
            self.contigs[contig] = None
        if form not in self._forms:
            self._forms.add(form)
            keys = form.split(":")
            self.formats.update(keys)
            # Without genotypes only the samples with a value are counted.
            self.infos.update(RECOUNTED_INFO if keys[0] == "GT" else ("NS",))

    def add(self, other: "Usage") -> None:
        """Add what later records make use of."""
        self.contigs |= other.contigs
        self.filters |= other.filters
        self.infos |= other.infos
        self.formats |= other.formats
        self.fractions |= other.fractions


def write_header(
    job: SubsetJob,
    usage: Usage,
    source_lengths: Mapping[str, int | None],
    infos: Mapping[str, FieldDefinition] | None = None,
) -> str:
    """Return the header text; samples come sorted by output name.

    `infos` are the definitions of INFO where they are not those of a release.
    """
    if infos is None:
        infos = info_fields(job.info_keep)
    formats = list(format_fields(job.format_keep).values())
    in_use = [item for item in formats if item.id in usage.formats]
    # Local fields came with VCF 4.5; 4.3 is what every tool reads.
    is_new = any(item.number[0] == "L" for item in in_use)
    lines = [f"##fileformat=VCFv{'4.5' if is_new else '4.3'}"]
    if job.build is not None:
        lines.append(f"##reference={job.build}")
    lines += [_contig(job, name, source_lengths.get(name)) for name in usage.contigs]
    lines += [
        f'##FILTER=<ID={name},Description="Declared independent of the cohort">'
        for name in sorted(usage.filters)
    ]
    used_infos = (item for item in infos.values() if item.id in usage.infos)
    lines += _definitions("INFO", used_infos, usage)
    lines += _definitions("FORMAT", in_use, usage)
    lines.append("\t".join([_FIXED, *sorted(output for _, output in job.samples)]))
    return "\n".join(lines) + "\n"


def contig_length(job: SubsetJob, name: str, source_length: int | None) -> int | None:
    """Return the length of a contig by the job or the build, None when unknown.

    The source's own word serves only to tell that its contig is another one.
    """
    chromosome = builds.chromosome(name)
    given = job.contig_lengths.get(name)
    if given is None and chromosome is not None:
        given = job.contig_lengths.get(chromosome)
    build = known_build(job.build)
    if given is None and build and builds.is_placeable(build, name, source_length):
        given = builds.expected_length(build, name)
    return given


def known_build(name: str | None) -> builds.Build | None:
    """Return a checked job's build as one of the builds known here."""
    return next((build for build in builds.BUILDS if build == name), None)


def _contig(job: SubsetJob, name: str, source_length: int | None) -> str:
    length = contig_length(job, name, source_length)
    parts = [f"ID={name}"]
    if length is not None:
        parts.append(f"length={length}")
    if job.build is not None:
        parts.append(f"assembly={job.build}")
    return f"##contig=<{','.join(parts)}>"


def _definitions(
    kind: str, definitions: Iterable[FieldDefinition], usage: Usage
) -> list[str]:
    return [
        f"##{kind}=<ID={item.id},Number={item.number},"
        f"Type={'Float' if item.id in usage.fractions else item.type},"
        f'Description="{_escaped(item.description)}">'
        for item in definitions
    ]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
