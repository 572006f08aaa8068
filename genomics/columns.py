"""The sample columns of a record: FORMAT and the values below it, cut and renumbered.

Works a field at a time across all samples, because looking a value up in a table of
values already seen is many times faster than taking it apart again.
"""

import dataclasses
from collections.abc import Sequence
from itertools import repeat

from genomics.errors import BuildFailed
from genomics.fields import FieldDefinition, format_fields
from genomics.genotypes import MISSING, Shortener, ploidy_of, renumber
from genomics.header import Usage
from genomics.local_alleles import LIST, LocalShortener, is_local
from genomics.phase_sets import SLOT, as_written, read

_GENOTYPE = "GT"
_SET, _SETS = "PS", "PSL"
_SHORTENERS = 2_000


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


class Columns:
    """Cuts sample columns; remembers layouts and values between records."""

    def __init__(self, extra: tuple[FieldDefinition, ...], usage: Usage) -> None:
        self._definitions = format_fields(extra)
        self._order = {field_id: n for n, field_id in enumerate(self._definitions)}
        self._usage = usage
        self._layouts: dict[str, _Layout] = {}
        self._local = LocalShortener(self._definitions)
        self._shorteners: dict[
            tuple[str, int, tuple[int, ...], int | None], Shortener
        ] = {}

    def genotypes(self, form: str, samples: Sequence[str]) -> Sequence[str] | None:
        """Return GT of each sample, None when FORMAT has no GT."""
        layout = self._layout(form)
        at = layout.genotype_at
        if at is None:
            return None
        if layout.width == 1:
            return samples
        if at == 0:
            return [sample.partition(":")[0] for sample in samples]
        rows = (sample.split(":") for sample in samples)
        return [row[at] if at < len(row) else MISSING for row in rows]

    def write(
        self,
        *,
        form: str,
        line: int,
        samples: Sequence[str],
        genotypes: Sequence[str],
        masked: frozenset[int],
        alt_count: int,
        kept: tuple[int, ...],
    ) -> tuple[str, str, list[tuple[int, str]]]:
        """Return FORMAT, the sample columns, tabs between them, and phase sets.

        `genotypes` are the source's, those of `masked` columns already missing. The
        sets are (column, name of the source), one for each `SLOT` in the columns.
        """
        layout = self._layout(form)
        numbers = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
        fields: dict[str, list[str]] = {}
        texts: Sequence[str] = genotypes
        names: Sequence[str | None] = ()
        if layout.plain or layout.local or layout.sets_at:
            values = _by_field(samples, masked, layout.width, line)
            if layout.sets_at:
                single, listed = (
                    repeat(MISSING) if at is None else values[at]
                    for at in layout.sets_at
                )
                texts, names = zip(*map(read, genotypes, single, listed), strict=True)
                fields[_SET] = [MISSING if name is None else SLOT for name in names]
            for definition, at in layout.plain:
                fields[definition.id] = self._shorten(
                    definition, values[at], genotypes, alt_count, kept
                )
            if layout.local:
                fields |= self._shorten_local(
                    {item.id: values[at] for item, at in layout.local},
                    genotypes,
                    alt_count,
                    numbers,
                )
        written = {
            text: renumber(as_written(text).text, numbers) for text in set(texts)
        }
        fields[_GENOTYPE] = [written[text] for text in texts]
        used = self._used(fields)
        rows = zip(*(fields[field_id] for field_id in used), strict=True)
        sets = [(at, name) for at, name in enumerate(names) if name is not None]
        return ":".join(used), "\t".join(map(":".join, rows)), sets

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
        if definition.number == "G":
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
        if definition.number not in ("A", "R", "G"):
            alt_count, kept = 0, ()  # one table serves every record
        key = (definition.id, alt_count, kept, ploidy)
        found = self._shorteners.get(key)
        if found is None:
            if len(self._shorteners) >= _SHORTENERS:
                self._shorteners.clear()
            found = Shortener(definition, alt_count, kept, ploidy)
            self._shorteners[key] = found
        return found

    def _shorten_local(
        self,
        values: dict[str, Sequence[str]],
        genotypes: Sequence[str],
        alt_count: int,
        numbers: dict[int, int],
    ) -> dict[str, list[str]]:
        rows = [
            self._local.shorten(
                dict(zip(values, row, strict=True)),
                alt_count=alt_count,
                numbers=numbers,
                ploidy=ploidy_of(genotype),
            )
            for genotype, *row in zip(genotypes, *values.values(), strict=True)
        ]
        return {field_id: [row[field_id] for row in rows] for field_id in values}

    def _layout(self, form: str) -> _Layout:
        found = self._layouts.get(form)
        if found is None:
            keys = form.split(":")
            here = [
                (definition, keys.index(field_id))
                for field_id, definition in self._definitions.items()
                if field_id in keys and field_id not in (_GENOTYPE, _SET)
            ]
            local = tuple(item for item in here if is_local(item[0]))
            sets_at = _place(keys, _SET), _place(keys, _SETS)
            found = _Layout(
                width=len(keys),
                genotype_at=_place(keys, _GENOTYPE),
                sets_at=None if sets_at == (None, None) else sets_at,
                plain=tuple(item for item in here if not is_local(item[0])),
                # Without LAA the others cannot be read.
                local=local if LIST in keys else (),
            )
            self._layouts[form] = found
        return found


def _place(keys: list[str], key: str) -> int | None:
    return keys.index(key) if key in keys else None


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
