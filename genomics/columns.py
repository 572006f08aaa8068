"""The sample columns of a record: FORMAT and the values below it, cut and renumbered.

Works a field at a time across all samples, because looking a value up in a table of
values already seen is many times faster than taking it apart again.
"""

import dataclasses
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from genomics import carriage, local_alleles
from genomics.carriage import CarriageReader
from genomics.errors import BuildFailed
from genomics.fields import FieldDefinition, format_fields
from genomics.genotypes import (
    BY_PLOIDY,
    MISSING,
    NO_CALL,
    Shortener,
    alleles_of,
    count_of,
    ploidy_of,
    renumber,
)
from genomics.header import Usage
from genomics.lines import Version
from genomics.local_alleles import HAIL_LIST, LIST, LocalShortener, is_local
from genomics.phase_sets import SLOT, as_written, read
from genomics.probabilities import shortener

_GENOTYPE = "GT"
_SET, _SETS = "PS", "PSL"
_SHORTENERS = 2_000


class Calls(NamedTuple):
    """The alleles that samples carry, and their genotypes if the record has them.

    Both are texts of genotypes; the carried alleles may come from other fields.
    """

    genotypes: Sequence[str] | None
    carried: Sequence[str]

    @property
    def written(self) -> Sequence[str] | None:
        """Return the genotypes to be written, None if no allele is called.

        Like any field that is missing for all, GT is then left out: the record may have
        it only because of people who are left out.
        """
        if self.genotypes is None or not any(map(_is_called, set(self.genotypes))):
            return None
        return self.genotypes

    def without(self, masked: frozenset[int]) -> "Calls":
        """Return the same with nothing known of these columns."""
        return Calls(
            None if self.genotypes is None else _masked(self.genotypes, masked),
            _masked(self.carried, masked),
        )


class Written(NamedTuple):
    """FORMAT, the sample columns with tabs between them, samples with any value.

    `samples` is None where genotypes are written. `sets` are (column, name of the
    source), one for each `SLOT` in the cells.
    """

    form: str
    cells: str
    samples: int | None
    sets: Sequence[tuple[int, str]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Layout:
    """What one FORMAT string holds of the allow-list, in the order of writing.

    `sets_at` are the places of PS and PSL, None where it has neither.
    """

    width: int
    genotype_at: int | None
    sets_at: tuple[int | None, int | None] | None
    plain: tuple[tuple[FieldDefinition, int], ...]
    local: tuple[tuple[FieldDefinition, int], ...]
    list_at: int | None  # of LAA, or of Hail's LA
    is_hail: bool
    local_genotype_at: int | None
    local_counts_at: int | None  # of LEC
    carriers_at: tuple[int | None, ...]  # of `carriage.KEYS`


class Columns:
    """Cuts sample columns; remembers layouts and values between records."""

    def __init__(
        self, extra: tuple[FieldDefinition, ...], usage: Usage, version: Version
    ) -> None:
        self._definitions = format_fields(extra)
        self._order = {field_id: n for n, field_id in enumerate(self._definitions)}
        self._usage = usage
        self._layouts: dict[str, _Layout] = {}
        self._version = version
        self._local = LocalShortener(self._definitions, version)
        self._carriage = CarriageReader(version)
        self._shorteners: dict[
            tuple[str, int, tuple[int, ...], int | None], Shortener
        ] = {}

    def calls(
        self, form: str, samples: Sequence[str], alts: tuple[str, ...]
    ) -> Calls | None:
        """Return what each sample carries, None when no field of FORMAT says it."""
        layout = self._layout(form)
        genotypes = _genotypes(layout, samples)
        if layout.local_genotype_at is not None:
            genotypes = _with_local(layout, samples, genotypes, len(alts))
        places = (*layout.carriers_at, layout.local_counts_at)
        if all(at is None for at in places):
            return None if genotypes is None else Calls(genotypes, genotypes)
        if genotypes is None:
            record = carriage.Record(alts, has_genotypes=False, ploidy=None)
            carried = [self._carried(layout, sample, record) for sample in samples]
            return Calls(None, carried)
        if all(map(_is_called, set(genotypes))):
            return Calls(genotypes, genotypes)
        carried = list(genotypes)
        for number, genotype in enumerate(genotypes):
            if not _is_called(genotype):
                record = carriage.Record(
                    alts, has_genotypes=True, ploidy=ploidy_of(genotype)
                )
                carried[number] = self._carried(layout, samples[number], record)
        return Calls(genotypes, carried)

    def _carried(self, layout: _Layout, sample: str, record: carriage.Record) -> str:
        values = _telling(layout, sample.split(":"), len(record.alts))
        return self._carriage.read(values, record)

    def write(
        self,
        *,
        form: str,
        line: int,
        samples: Sequence[str],
        genotypes: Sequence[str] | None,
        masked: frozenset[int],
        alt_count: int,
        kept: tuple[int, ...],
    ) -> Written | None:
        """Return what is left of the sample columns, None when nothing is.

        `genotypes` are the source's, those of `masked` columns already missing.
        """
        layout = self._layout(form)
        numbers = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
        fields: dict[str, list[str]] = {}
        names: Sequence[str | None] = ()
        values: Sequence[Sequence[str]] = ()
        if layout.plain or layout.list_at is not None or layout.sets_at:
            values = _by_field(samples, masked, layout.width, line)
        if genotypes is None:
            genotypes = [MISSING] * len(samples)  # of any ploidy
        else:
            texts: Sequence[str] = genotypes
            if layout.sets_at:
                texts, names = _with_sets(layout.sets_at, values, genotypes)
                fields[_SET] = [MISSING if name is None else SLOT for name in names]
            written = {
                text: renumber(as_written(text).text, numbers) for text in set(texts)
            }
            fields[_GENOTYPE] = [written[text] for text in texts]
        for definition, at in layout.plain:
            fields[definition.id] = self._shorten(
                definition, values[at], genotypes, alt_count, kept
            )
        if layout.list_at is not None:
            fields |= self._shorten_local(layout, values, genotypes, alt_count, numbers)
        used = self._used(fields)
        if not used:
            return None
        columns = [fields[field_id] for field_id in used]
        cells = list(map(":".join, zip(*columns, strict=True)))
        count = None
        if _GENOTYPE not in fields:
            count = len(cells) - cells.count(":".join([MISSING] * len(used)))
        return Written(
            form=":".join(used),
            cells="\t".join(cells),
            samples=count,
            sets=[(at, name) for at, name in enumerate(names) if name is not None],
        )

    def _used(self, fields: dict[str, list[str]]) -> list[str]:
        used = {
            field_id
            for field_id, column in fields.items()
            if field_id == _GENOTYPE or any(value != MISSING for value in column)
        }
        if any(self._definitions[field_id].number[0] == "L" for field_id in used):
            used.add(LIST)  # local fields mean nothing without it
        return sorted(used, key=self._order.__getitem__)

    def _shorten(
        self,
        definition: FieldDefinition,
        values: Sequence[str],
        genotypes: Sequence[str],
        alt_count: int,
        kept: tuple[int, ...],
    ) -> list[str]:
        ploidies: list[int | None] = [None]
        if count_of(definition) in BY_PLOIDY:
            by_genotype = {genotype: ploidy_of(genotype) for genotype in set(genotypes)}
            ploidies = list(set(by_genotype.values()))
        tables = {
            ploidy: self._shortener(definition, alt_count, kept, ploidy)
            for ploidy in ploidies
        }
        if len(tables) == 1:
            short = list(map(tables[ploidies[0]].__getitem__, values))
        else:
            short = [
                tables[by_genotype[genotype]][value]
                for genotype, value in zip(genotypes, values, strict=True)
            ]
        if any(table.has_fraction for table in tables.values()):
            self._usage.fractions.add(definition.id)
        return short

    def _shortener(
        self,
        definition: FieldDefinition,
        alt_count: int,
        kept: tuple[int, ...],
        ploidy: int | None,
    ) -> Shortener:
        if count_of(definition) not in ("A", "R", *BY_PLOIDY):
            alt_count, kept = 0, ()  # one table serves every record
        key = (definition.id, alt_count, kept, ploidy)
        found = self._shorteners.get(key)
        if found is None:
            if len(self._shorteners) >= _SHORTENERS:
                self._shorteners.clear()
            found = shortener(definition, alt_count, kept, ploidy, self._version)
            self._shorteners[key] = found
        return found

    def _shorten_local(
        self,
        layout: _Layout,
        values: Sequence[Sequence[str]],
        genotypes: Sequence[str],
        alt_count: int,
        numbers: dict[int, int],
    ) -> dict[str, list[str]]:
        assert layout.list_at is not None, "without a list no local field is read"
        keys = [item.id for item, _ in layout.local]
        columns = [values[at] for _, at in layout.local]
        rows = [
            self._local.shorten(
                dict(zip(keys, row, strict=True)),
                local=local_alleles.listed(listed, alt_count, is_hail=layout.is_hail),
                numbers=numbers,
                ploidy=ploidy_of(genotype),
            )
            for genotype, listed, *row in zip(
                genotypes, values[layout.list_at], *columns, strict=True
            )
        ]
        return {field_id: [row[field_id] for row in rows] for field_id in [LIST, *keys]}

    def _layout(self, form: str) -> _Layout:
        found = self._layouts.get(form)
        if found is None:
            found = self._layouts[form] = _read_layout(form, self._definitions)
        return found


def _read_layout(form: str, definitions: dict[str, FieldDefinition]) -> _Layout:
    places = {key: place for place, key in enumerate(form.split(":"))}
    here = [
        (definition, places[field_id])
        for field_id, definition in definitions.items()
        if field_id in places and field_id not in (_GENOTYPE, _SET, LIST)
    ]
    local = tuple(item for item in here if is_local(item[0]))
    list_at = places.get(LIST)
    if list_at is None and (local or local_alleles.GENOTYPE in places):
        list_at = places.get(HAIL_LIST)  # alone it may be another program's
    has_list = list_at is not None
    sets_at = places.get(_SET), places.get(_SETS)
    return _Layout(
        width=len(places),
        genotype_at=places.get(_GENOTYPE),
        sets_at=None if sets_at == (None, None) else sets_at,
        plain=tuple(item for item in here if not is_local(item[0])),
        # Without the list the other local fields cannot be read.
        local=local if has_list else (),
        list_at=list_at,
        is_hail=LIST not in places,
        local_genotype_at=places.get(local_alleles.GENOTYPE) if has_list else None,
        local_counts_at=places.get(local_alleles.COUNTS) if has_list else None,
        carriers_at=tuple(places.get(key) for key in carriage.KEYS),
    )


def _genotypes(layout: _Layout, samples: Sequence[str]) -> Sequence[str] | None:
    """Return GT of each sample, None when FORMAT has no GT."""
    at = layout.genotype_at
    if at is None:
        return None
    if layout.width == 1:
        return samples
    if at == 0:
        return [sample.partition(":")[0] for sample in samples]
    return [_value(sample.split(":"), at) for sample in samples]


def _with_sets(
    sets_at: tuple[int | None, int | None],
    values: Sequence[Sequence[str]],
    genotypes: Sequence[str],
) -> tuple[Sequence[str], Sequence[str | None]]:
    """Return the genotypes as far as they are phased, and the names of their sets."""
    single, listed = (repeat(MISSING) if at is None else values[at] for at in sets_at)
    texts, names = zip(*map(read, genotypes, single, listed), strict=True)
    return texts, names


def _with_local(
    layout: _Layout,
    samples: Sequence[str],
    genotypes: Sequence[str] | None,
    alt_count: int,
) -> list[str]:
    """Return the genotypes, from LGT where GT calls no allele."""
    texts = []
    for number, sample in enumerate(samples):
        known = None if genotypes is None else genotypes[number]
        if known is None or not _is_called(known):
            row = sample.split(":")
            local = _listed(layout, row, alt_count)
            text = _value(row, layout.local_genotype_at)
            translated = local_alleles.genotype_of(text, local)
            if known is None or _is_called(translated):
                known = translated
        texts.append(known)
    return texts


def _telling(layout: _Layout, row: Sequence[str], alt_count: int) -> carriage.Values:
    """Return the values of a sample that tell what it carries."""
    values = carriage.Values(*(_value(row, at) for at in layout.carriers_at))
    if layout.local_counts_at is None or values.ec != MISSING:
        return values
    local = _listed(layout, row, alt_count)
    text = _value(row, layout.local_counts_at)
    return values._replace(ec=local_alleles.counts_of(text, local, alt_count))


def _listed(
    layout: _Layout, row: Sequence[str], alt_count: int
) -> tuple[int, ...] | None:
    text = _value(row, layout.list_at)
    return local_alleles.listed(text, alt_count, is_hail=layout.is_hail)


def _is_called(genotype: str) -> bool:
    # The rules of a release refuse texts that are no genotype.
    alleles = alleles_of(genotype)
    return alleles is None or max(alleles) >= 0


def _value(row: Sequence[str], at: int | None) -> str:
    return MISSING if at is None or at >= len(row) else row[at]


def _masked(texts: Sequence[str], masked: frozenset[int]) -> list[str]:
    return [NO_CALL if column in masked else text for column, text in enumerate(texts)]


def _by_field(
    samples: Sequence[str], masked: frozenset[int], width: int, line: int
) -> list[tuple[str, ...]]:
    rows = [sample.split(":") for sample in samples]
    for column, row in enumerate(rows):
        if column in masked:
            rows[column] = [MISSING] * width
        elif len(row) < width:  # VCF lets trailing values be dropped
            row.extend([MISSING] * (width - len(row)))
        elif len(row) > width:
            raise BuildFailed(
                "values", f"expected at most {width} values in a sample column", line
            )
    return list(zip(*rows, strict=True))
