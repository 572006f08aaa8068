"""Check the records of an upload, line by line, and give each in canonical form.

Canonical form is the line itself; only bases in lower case and empty entries of INFO
are changed, for they mean the same. Keys, filters and contigs that the header does not
declare are added to it. The columns before FORMAT are checked by `site`, the samples'
here.

Speed: a column of samples holds few distinct values or many; both are tested as sets
against values already seen, so Python's work is per value, not per character.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NoReturn

from genomics.columnar import codes, encoding
from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads.carriers import (
    GENOTYPE,
    NONE,
    CarrierCounts,
    ProbabilityField,
    field_of,
    may_carry_by_values,
    teller_of,
)
from genomics.uploads.definitions import as_text, undeclared
from genomics.uploads.header import COLUMNS, KEY, MAX_FIELDS, Header
from genomics.uploads.local_lists import LocalLists, has_local
from genomics.uploads.refusal import Code, refusal
from genomics.uploads.site import Site, SiteReader
from genomics.uploads.values import LONGEST_REMEMBERED, Field

MAX_FORMAT_KEYS = 256
# Bounds the memory that a line takes once cut into values: 64 bytes for each of them.
_SAMPLES_AT_ONCE = 4096
_PLANS_REMEMBERED = 4096
_LONGEST_PLAN = 1024
_GENOTYPES_REMEMBERED = 1 << 14
_ALT_COUNTS_REMEMBERED = 64

_FIRST_SAMPLE = len(COLUMNS)  # index; as a column it is one more
# VCF 4.4, section 1.6.2: a separator may also stand before the first allele.
_GENOTYPE = re.compile(rb"(?:\.|[0-9]{1,9})(?:[/|](?:\.|[0-9]{1,9}))*")
_PREFIXED_GENOTYPE = re.compile(rb"[/|]?" + _GENOTYPE.pattern)
_ALLELE = re.compile(rb"[0-9]+")
_BARE = b"GT"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What a FORMAT column says of the samples' columns; None stands for the GT."""

    keys: tuple[str, ...]
    fields: tuple[Field | None, ...]
    teller: str  # by what it tells who carries an allele
    has_values: bool  # whether other keys than GT may tell it
    has_local: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """A record whose genotypes are still to be checked."""

    number: int
    site: Site
    cells: bytes


class RecordReader:
    """Checks one record after another, in the order of the file."""

    def __init__(self, header: Header, limits: Limits) -> None:
        self.count = 0
        self._carriers = CarrierCounts()
        self._local_lists = LocalLists()
        self._header = header
        self._limits = limits
        self._sites = SiteReader(header, limits)
        self._tabs = _FIRST_SAMPLE + len(header.samples) - 1
        # VCF 4.5, section 1.6.2: lists of local alleles may be empty.
        self._may_be_empty = header.version >= (4, 5)
        self._fields: dict[str, Field] = {
            key: field_of(
                definition,
                header.version,
                is_ours=False,
                may_be_empty=self._may_be_empty,
            )
            for key, definition in header.format.items()
        }
        self._plans: dict[bytes, _Plan] = {}
        self._genotypes: dict[int, set[bytes | None]] = {}  # by number of ALT
        self._genotype = _PREFIXED_GENOTYPE if header.version >= (4, 4) else _GENOTYPE
        self._number = 0
        # Genotypes of single-digit alleles and nothing else: each has three bytes.
        self._bare_bytes = codes.CELL_BYTES * len(header.samples) - 1
        self._held: list[_Held] = []

    def read(self, line: bytes, number: int) -> bytes:
        """Return the record in canonical form; raise IntakeRefused if it is unsound."""
        self._number = number
        if self.count == self._limits.records:
            self._refuse(
                "too-many-records", f"expected at most {self._limits.records} records"
            )
        tabs = line.count(b"\t")
        if tabs != self._tabs:
            self._refuse(
                "column-count",
                f"expected {self._tabs + 1} columns, as the header has, got {tabs + 1}",
                min(tabs, self._tabs) + 2,
            )
        columns = line.split(b"\t", _FIRST_SAMPLE)
        site = self._sites.read(columns, number)
        format_, cells = columns[_FIRST_SAMPLE - 1 :]
        if format_ == _BARE and len(cells) == self._bare_bytes:
            self._held.append(_Held(number, site, cells))
        elif format_ == b".":
            self._check_nothing(cells.split(b"\t"))
            self._carriers.add(NONE, number)
        else:
            self._check_samples(format_, cells.split(b"\t"), site)
        self.count += 1
        if site.is_changed:
            return b"\t".join(columns)
        return line

    def check_held(self) -> list[IntakeRefused]:
        """Check the genotypes that `read` has put off, for many are checked at once.

        To be called before their records are used; returns what is refused.
        """
        held, self._held = self._held, []
        if not held:
            return []
        found = encoding.encode_rows([each.cells for each in held])
        largest = encoding.largest_of([each.site.alt_count for each in held])
        highest = (found.codes & codes.PAIR).max(axis=1)
        is_sound = found.sound & (highest <= largest)
        if highest.max() >= codes.FIRST_CARRIED:
            self._carriers.is_carried = True
        faults = []
        for each, sound in zip(held, is_sound.tolist(), strict=True):
            if not sound:
                self._number = each.number
                try:
                    self._check_samples(_BARE, each.cells.split(b"\t"), each.site)
                except IntakeRefused as refused:
                    faults.append(refused)
        self._plans.get(_BARE) or self._plan(_BARE)
        return faults

    @property
    def part(self) -> str | None:
        """Return which part of X the last record is on, None where nothing merges."""
        return self._sites.part

    def carrier_counts(self) -> dict[str, int]:
        """Return how many records tell their carriers by which field."""
        return self._carriers.of(self.count)

    def warnings(self) -> list[str]:
        """Return what the steward should know of records and values."""
        warnings = self._carriers.warnings(self.count) + self._local_lists.warnings()
        for field in self._fields.values():
            if isinstance(field, ProbabilityField):
                warnings += field.warnings()
        return warnings

    def contig_counts(self) -> dict[str, int]:
        """Return how many records each contig has, in the order of the file."""
        return self._sites.contig_counts()

    def finish(self) -> list[IntakeRefused]:
        """Put what the records brought into the header; return what is refused."""
        self._sites.finish()
        ours = [key for key, field in self._fields.items() if field.is_ours]
        if ours:
            self._header.warnings.append(
                f"{len(ours)} FORMAT key(s) are not declared, such as {ours[0]}"
            )
        self._header.format = {
            key: field.definition for key, field in self._fields.items()
        }
        faults = self._header.finish(self._sites.last_positions())
        if useless := self._carriers.refusal_of(self.count):
            faults.append(useless)
        return faults

    def _refuse(self, code: Code, message: str, column: int | None = None) -> NoReturn:
        raise refusal(code, message, self._number, column)

    def _check_nothing(self, samples: list[bytes]) -> None:
        for column, sample in enumerate(samples, start=_FIRST_SAMPLE + 1):
            if sample != b".":
                self._refuse(
                    "format-value",
                    "expected '.' for every sample, as FORMAT is '.', got a value",
                    column,
                )

    def _check_samples(self, format_: bytes, samples: list[bytes], site: Site) -> None:
        plan = self._plans.get(format_) or self._plan(format_)
        if plan.teller != GENOTYPE:
            self._carriers.add(plan.teller, self._number)
        if plan.has_values:
            self._carriers.is_carried = True
        if plan.fields == (None,):
            self._check_column(plan, 0, samples, site, samples)
            return
        for start in range(0, len(samples), _SAMPLES_AT_ONCE):
            part = samples[start : start + _SAMPLES_AT_ONCE]
            rows = [sample.split(b":", len(plan.keys)) for sample in part]
            # Trailing values may be left out; None marks them.
            columns = list(zip_longest(*rows))
            if len(columns) > len(plan.keys):
                for column, sample in enumerate(samples, start=_FIRST_SAMPLE + 1):
                    self._refuse_surplus(plan, sample, column)
            for index, values in enumerate(columns):
                self._check_column(plan, index, values, site, samples)
            if plan.has_local:
                self._local_lists.add(plan.keys, columns, site.alt_count, self._number)

    def _check_column(
        self,
        plan: _Plan,
        index: int,
        values: Sequence[bytes | None],
        site: Site,
        samples: list[bytes],
    ) -> None:
        """Check the values that some samples have for one key of FORMAT."""
        field = plan.fields[index]
        if isinstance(field, ProbabilityField):
            field.line = self._number
        if field is None:
            if not self._are_genotypes(values, site.alt_count):
                self._refuse_genotype(plan, samples, site)
        elif not field.fits(values):
            if not field.is_ours or b"" in values:
                self._refuse_value(plan, index, samples)
            self._give_way(plan.keys[index], field)

    def _are_genotypes(self, values: Iterable[bytes | None], alt_count: int) -> bool:
        if len(self._genotypes) > _ALT_COUNTS_REMEMBERED:
            self._genotypes.clear()
        sound = self._genotypes.setdefault(alt_count, set())
        if sound.issuperset(values):
            return True
        for value in values:
            if value in sound:
                continue
            if value is None or not self._genotype.fullmatch(value):
                return False
            highest = max(map(int, _ALLELE.findall(value)), default=0)
            if highest > alt_count:
                return False
            if highest:
                self._carriers.is_carried = True
            if len(value) <= LONGEST_REMEMBERED:
                if len(sound) >= _GENOTYPES_REMEMBERED:
                    sound.clear()
                sound.add(value)
        return True

    def _give_way(self, key: str, field: Field) -> None:
        """Keep as text what is not of the standard type: the upload never said so."""
        self._header.warnings.append(
            f"line {self._number}: FORMAT {key} is not declared, and is no "
            f"{field.definition.type} as in the specification; kept as String"
        )
        field.redefine(as_text(field.definition))

    def _plan(self, format_: bytes) -> _Plan:
        column = _FIRST_SAMPLE
        if format_.count(b":") >= MAX_FORMAT_KEYS:
            self._refuse(
                "too-many-fields",
                f"expected at most {MAX_FORMAT_KEYS} keys in FORMAT",
                column,
            )
        keys = format_.decode().split(":")
        for key in keys:
            if not KEY.fullmatch(key):
                self._refuse("format", "expected keys parted by ':' in FORMAT", column)
        if len(set(keys)) != len(keys):
            self._refuse("format-duplicate", "expected each FORMAT key once", column)
        if "GT" in keys[1:]:
            self._refuse("format", "expected GT as the first FORMAT key", column)
        plan = _Plan(
            keys=tuple(keys),
            fields=tuple(None if key == "GT" else self._field(key) for key in keys),
            teller=teller_of(keys),
            has_values=may_carry_by_values(keys),
            has_local=has_local(keys),
        )
        if keys[0] == "GT":
            self._field("GT")  # declares it where the header does not
        if len(self._plans) >= _PLANS_REMEMBERED:
            self._plans.clear()
        if len(format_) <= _LONGEST_PLAN:
            self._plans[format_] = plan
        return plan

    def _field(self, key: str) -> Field:
        field = self._fields.get(key)
        if field is None:
            if len(self._fields) == MAX_FIELDS:
                self._refuse(
                    "too-many-fields",
                    f"expected at most {MAX_FIELDS} FORMAT keys",
                    _FIRST_SAMPLE,
                )
            version = self._header.version
            field = self._fields[key] = field_of(
                undeclared("FORMAT", key, version),
                version,
                is_ours=True,
                may_be_empty=self._may_be_empty,
            )
        return field

    def _refuse_surplus(self, plan: _Plan, sample: bytes, column: int) -> None:
        if sample.count(b":") >= len(plan.keys):
            self._refuse(
                "format-value",
                f"expected at most {len(plan.keys)} value(s), one for each FORMAT "
                f"key, got {sample.count(b':') + 1}",
                column,
            )

    def _refuse_genotype(
        self, plan: _Plan, samples: list[bytes], site: Site
    ) -> NoReturn:
        for column, sample in enumerate(samples, start=_FIRST_SAMPLE + 1):
            self._refuse_surplus(plan, sample, column)
            genotype = sample.split(b":", 1)[0]
            if not self._genotype.fullmatch(genotype):
                self._refuse(
                    "genotype",
                    "expected allele indexes or '.', parted by '/' or '|', as GT, "
                    "got something else",
                    column,
                )
            if not self._are_genotypes([genotype], site.alt_count):
                self._refuse(
                    "genotype-allele",
                    f"expected allele indexes of at most {site.alt_count}, the number "
                    "of ALT alleles, in GT, got a larger one",
                    column,
                )
        raise AssertionError("one genotype is unsound")

    def _refuse_value(self, plan: _Plan, index: int, samples: list[bytes]) -> NoReturn:
        field = plan.fields[index]
        assert field is not None, "genotypes are refused elsewhere"
        for column, sample in enumerate(samples, start=_FIRST_SAMPLE + 1):
            value = sample.split(b":")[index : index + 1]
            if not field.fits(value):
                got = "something else" if value[0] else "nothing; '.' means missing"
                self._refuse(
                    "format-value",
                    f"expected {field.wanted} as FORMAT {plan.keys[index]}, got {got}",
                    column,
                )
        raise AssertionError("one value is unsound")
