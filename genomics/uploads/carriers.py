"""Count the records of an upload by the field that says who carries their alleles.

No release holds a record without such a field, and a file that has no other records is
refused. How each field is read is left to `genomics.carriage`.
"""

from collections import Counter
from collections.abc import Collection, Iterable

from genomics import carriage, local_alleles, probabilities
from genomics.errors import IntakeRefused
from genomics.lines import Version
from genomics.uploads.definitions import Definition
from genomics.uploads.refusal import refusal
from genomics.uploads.tally import Count
from genomics.uploads.values import Field

# The fields that say who carries; a record counts once, for the first that it has.
GENOTYPE, LOCAL, VALUES, NONE = "GT", "LGT", "GP, DS, HDS, EC or CN", "none"

_FORMAT = 9  # the column


def may_carry_by_values(keys: Collection[str]) -> bool:
    """Whether values of these FORMAT keys other than GT may tell a carrier."""
    others = set(keys) - {"GT"}
    return teller_of(others) != NONE


def teller_of(keys: Collection[str]) -> str:
    """Return the field that says who carries, in a record with these FORMAT keys."""
    if "GT" in keys:
        return GENOTYPE
    has_list = local_alleles.LIST in keys or local_alleles.HAIL_LIST in keys
    if has_list and local_alleles.GENOTYPE in keys:
        return LOCAL
    if has_list and local_alleles.COUNTS in keys:
        return VALUES
    return VALUES if any(key in keys for key in carriage.KEYS) else NONE


class CarrierCounts:
    """Counts records other than those with GT, which are the rest.

    `is_carried` says whether a sample may carry an ALT allele in any of the records.
    """

    def __init__(self) -> None:
        self.is_carried = False
        self._others: Counter[str] = Counter()
        self._first_other = 0  # a line
        self._first_silent = 0

    def add(self, teller: str, line: int) -> None:
        """Count a record that has no GT."""
        self._others[teller] += 1
        self._first_other = self._first_other or line
        if teller == NONE:
            self._first_silent = self._first_silent or line

    def of(self, records: int) -> dict[str, int]:
        """Return the counts of so many records."""
        counts = {key: self._others[key] for key in (LOCAL, VALUES, NONE)}
        return {GENOTYPE: records - sum(counts.values())} | counts

    def refusal_of(self, records: int) -> IntakeRefused | None:
        """Return the refusal of a file of which no record can ever be released."""
        if not records or self._others[NONE] != records:
            return None
        return refusal(
            "nothing-to-release",
            "expected records whose FORMAT says who carries their alleles (GT, LGT "
            "with LAA or LA, GP, DS, HDS, EC or CN), got none among "
            f"{records} record(s), so every release would be empty; export genotypes, "
            "dosages or probabilities (GT, DS or GP) from the program that made "
            "the file and upload the new file",
            self._first_silent,
            _FORMAT,
        )

    def warnings(self, records: int) -> list[str]:
        """Return what the steward should know of records without GT."""
        others = self._others.total()
        if not others:
            if self.is_carried or not records:
                return []
            return [
                f"no sample has an ALT allele in any of {records} record(s): every "
                "release will be empty; releases hold only what somebody carries"
            ]
        listed = ", ".join(
            f"{count} by {key}" for key, count in self.of(records).items() if count
        )
        warnings = [
            f"line {self._first_other}: {others} of {records} record(s) have no GT, "
            f"this one is the first; the carriers of alleles are read: {listed}"
        ]
        if self._others[NONE]:
            warnings.append(
                f"line {self._first_silent}: {self._others[NONE]} record(s), this one "
                "is the first, have none of GT, LGT with LAA or LA, GP, DS, HDS, EC "
                "and CN: no release will hold them"
            )
        return warnings


class ProbabilityField(Field):
    """GP or LGP of an upload; counts the values that are on no scale."""

    __slots__ = ("_unreadable", "_version", "line")

    def __init__(
        self,
        definition: Definition,
        version: Version,
        *,
        is_ours: bool,
        may_be_empty: bool = False,
    ) -> None:
        self._version = version
        self.line = 0  # of the record whose values are looked at
        self._unreadable = Count()
        super().__init__(definition, is_ours=is_ours, may_be_empty=may_be_empty)

    def fits(self, values: Iterable[bytes | None]) -> bool:
        """Whether all values fit; those that mean nothing are counted."""
        if self.accepted.issuperset(values):
            return True
        new = [value for value in values if value not in self.accepted]
        if not super().fits(new):
            return False
        means_nothing = {
            value
            for value in set(new)
            if value and not probabilities.is_readable(value, self._version)
        }
        if means_nothing:
            times = sum(value in means_nothing for value in new)
            self._unreadable.add(self.line, times)
            self.accepted -= means_nothing  # to be counted each time
        return True

    def warnings(self) -> list[str]:
        """Return what the steward should know of the values."""
        if not self._unreadable.total:
            return []
        scale = "from 0 to 1 with the sum 1"
        if self._version <= probabilities.LAST_PHRED:
            scale += ", or scaled by Phred"
        return [
            f"line {self._unreadable.line}: {self._unreadable.total} value(s) of "
            f"FORMAT {self.definition.id}, the first of them in this line, are not "
            f"probabilities {scale}: releases will have '.' instead"
        ]


def field_of(
    definition: Definition, version: Version, *, is_ours: bool, may_be_empty: bool
) -> Field:
    """Return a FORMAT field of an upload of this version."""
    if definition.id in probabilities.FIELDS:
        return ProbabilityField(
            definition, version, is_ours=is_ours, may_be_empty=may_be_empty
        )
    return Field(definition, is_ours=is_ours, may_be_empty=may_be_empty)
