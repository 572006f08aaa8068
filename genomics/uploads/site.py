"""Check the columns CHROM to INFO of a record.

Records must stand together by contig and in the order of their positions, as the index
needs them. A file in another order is refused, not sorted: line numbers stay true,
memory stays flat, and `bcftools sort` is one command. The order of contigs is free.

Source: VCF 4.5, sections 1.6.1 and 5.4 (breakends).
"""

import re
from dataclasses import dataclass, replace
from typing import NoReturn

from genomics.limits import Limits
from genomics.uploads.definitions import as_text, undeclared
from genomics.uploads.header import (
    CONTIG_NAME,
    EXTENT_KEYS,
    FILTER_KEY,
    KEY,
    MAX_FIELDS,
    MAX_POSITION,
    Header,
)
from genomics.uploads.refusal import Code, refusal
from genomics.uploads.statements import StatementReport
from genomics.uploads.values import LONGEST_REMEMBERED, Field, is_quality

MAX_INFO_ENTRIES = 4096
MAX_FILTERS = 256
_EXTENT_KEYS = tuple(key.encode() for key in EXTENT_KEYS)

_COLUMN = {
    name: number
    for number, name in enumerate(
        ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"), start=1
    )
}
_BASES = b"ACGTN"
_ID = re.compile(rb"[^\s;]+(?:;[^\s;]+)*")
_BASE = rb"[ACGTNacgtn]"
_CONTIG = rb"(?:<[^<>\[\]\s,]+>|[^<>\[\]\s,]+)"
_ALT = re.compile(
    rb"%(base)s+"
    rb"|\*"
    rb"|%(base)s*<[^<>\s,]+>"  # <DEL>, and C<ctg1>: an assembled insertion
    rb"|(?:%(base)s+|\.)(?:\[%(contig)s:[0-9]{1,10}\[|\]%(contig)s:[0-9]{1,10}\])"
    rb"|(?:\[%(contig)s:[0-9]{1,10}\[|\]%(contig)s:[0-9]{1,10}\])(?:%(base)s+|\.)"
    rb"|\.%(base)s+"  # single breakends
    rb"|%(base)s+\." % {b"base": _BASE, b"contig": _CONTIG}
)
_REMEMBERED = 1 << 14
_LONGEST_FILTERS = 256


@dataclass(frozen=True, slots=True)
class Site:
    """What the samples' columns must agree with; whether canonical form differs."""

    alt_count: int
    is_changed: bool


class SiteReader:
    """Checks the sites of a file in their order, and learns what they use."""

    def __init__(self, header: Header, limits: Limits) -> None:
        self._header = header
        self._limits = limits
        self._contig: bytes | None = None
        self._last_position = 0
        self._position = 0
        self._in_contig = 0
        self._counts: dict[bytes, int] = {}
        self._filters: set[bytes] = {b".", b"PASS"}
        self._qualities: set[bytes] = {b"."}
        self._info: dict[bytes, Field] = {
            key.encode(): Field(definition, is_ours=False)
            for key, definition in header.info.items()
        }
        self._statements = StatementReport(header.version)
        self._number = 0

    def read(self, columns: list[bytes], number: int) -> Site:
        """Check CHROM to INFO, put them into canonical form within `columns`."""
        self._number = number
        if columns[0] != self._contig:
            self._enter_contig(columns[0])
        self._check_position(columns[1])
        self._in_contig += 1
        if columns[2] != b"." and not _ID.fullmatch(columns[2]):
            self._refuse("id", "expected ids parted by ';', or '.', as ID", "ID")
        is_changed = self._check_ref(columns)
        if self._position + len(columns[3]) - 1 > MAX_POSITION:
            self._refuse(
                "position-beyond-contig",
                f"expected bases up to {MAX_POSITION} as REF, got more than a contig "
                "has",
                "REF",
            )
        alt_count = 0
        if columns[4] != b".":
            alts = self._alts(columns[4])
            alt_count = len(alts)
            is_changed |= self._check_alts(alts, columns)
        if columns[5] not in self._qualities:
            self._check_quality(columns[5])
        if columns[6] not in self._filters:
            self._check_filter(columns[6])
        if columns[7] != b".":
            is_changed |= self._check_info(columns)
            if alt_count:
                self._statements.read(columns, number)
        return Site(alt_count, is_changed)

    def contig_counts(self) -> dict[str, int]:
        """Return how many records each contig has, in the order of the file."""
        if self._contig is not None:
            self._counts[self._contig] = self._in_contig
        return {name.decode(): count for name, count in self._counts.items()}

    def finish(self) -> None:
        """Put the INFO keys that the records brought into the header."""
        ours = [key.decode() for key, field in self._info.items() if field.is_ours]
        if ours:
            self._header.warnings.append(
                f"{len(ours)} INFO key(s) are not declared, such as {ours[0]}"
            )
        self._header.warnings += self._statements.warnings()
        for key, field in self._info.items():
            if field.is_ours and field.has_bare and not field.has_values:
                # A key that always stands alone is a flag, declared or not.
                flag = undeclared("INFO", key.decode(), self._header.version)
                field.redefine(replace(flag, number="0", type="Flag"))
        self._header.info = {
            key.decode(): field.definition for key, field in self._info.items()
        }

    def _refuse(self, code: Code, message: str, column: str) -> NoReturn:
        raise refusal(code, message, self._number, _COLUMN[column])

    def _enter_contig(self, name: bytes) -> None:
        if name in self._counts:
            self._refuse(
                "contig-order",
                "expected the records of a contig to stand together, got a contig "
                "again after another one; sort the file with `bcftools sort`",
                "CHROM",
            )
        text = name.decode()
        if not CONTIG_NAME.fullmatch(text):
            self._refuse(
                "contig-name",
                "expected the name of a contig, without blanks, commas and brackets",
                "CHROM",
            )
        if text not in self._header.contigs:
            if len(self._header.contigs) == self._limits.contigs:
                self._refuse(
                    "too-many-contigs",
                    f"expected at most {self._limits.contigs} contigs",
                    "CHROM",
                )
            self._header.add_contig(text)
        if self._contig is not None:
            self._counts[self._contig] = self._in_contig
        self._counts[name] = 0
        self._contig, self._in_contig, self._position = name, 0, 0
        self._last_position = self._header.last_position(text)

    def _check_position(self, text: bytes) -> None:
        # bytes.isdigit is true of ASCII digits alone.
        is_number = text.isdigit() and len(text) <= 10
        if not is_number or (text[0] == ord("0") and len(text) > 1):
            self._refuse("position", "expected a whole number from 0 as POS", "POS")
        position = int(text)
        if position < self._position:
            self._refuse(
                "position-order",
                f"expected a POS of at least {self._position}, that of the record "
                f"before it, got {position}; sort the file with `bcftools sort`",
                "POS",
            )
        if position > self._last_position:
            self._refuse(
                "position-beyond-contig",
                f"expected a POS of at most {self._last_position} on this contig, "
                f"got {position}",
                "POS",
            )
        self._position = position

    def _check_ref(self, columns: list[bytes]) -> bool:
        ref = columns[3]
        if ref and not ref.translate(None, _BASES):
            return False
        upper = ref.upper()
        if not ref or upper.translate(None, _BASES):
            self._refuse("ref", "expected bases A, C, G, T or N as REF", "REF")
        columns[3] = upper
        return True

    def _alts(self, alt: bytes) -> list[bytes]:
        if alt.count(b",") + 2 > self._limits.alleles:
            self._refuse(
                "too-many-alleles",
                f"expected at most {self._limits.alleles} alleles with REF, "
                f"got {alt.count(b',') + 2}",
                "ALT",
            )
        return alt.split(b",")

    def _check_alts(self, alts: list[bytes], columns: list[bytes]) -> bool:
        """Check ALT; return whether bases had to be put into upper case."""
        is_changed = False
        seen = {columns[3]}
        for index, alt in enumerate(alts):
            if alt.translate(None, _BASES) or not alt:
                if not _ALT.fullmatch(alt):
                    self._refuse(
                        "alt",
                        "expected bases, *, <ID> or a breakend as ALT allele "
                        f"{index + 1}, got something else",
                        "ALT",
                    )
                if not alt.isalpha():
                    continue  # symbolic alleles may come twice, told apart in INFO
                alt = alts[index] = alt.upper()
                is_changed = True
            if alt in seen:
                self._refuse(
                    "alt",
                    f"expected alleles that differ, ALT allele {index + 1} is the same "
                    "as REF or one before it",
                    "ALT",
                )
            seen.add(alt)
        if is_changed:
            columns[4] = b",".join(alts)
        return is_changed

    def _check_quality(self, quality: bytes) -> None:
        if not is_quality(quality):
            self._refuse("qual", "expected a number or '.' as QUAL", "QUAL")
        if len(quality) <= LONGEST_REMEMBERED:
            if len(self._qualities) >= _REMEMBERED:
                self._qualities.clear()
            self._qualities.add(quality)

    def _check_filter(self, filter_: bytes) -> None:
        if filter_.count(b";") >= MAX_FILTERS:
            self._refuse(
                "too-many-fields",
                f"expected at most {MAX_FILTERS} filters of one record",
                "FILTER",
            )
        for key in filter_.decode().split(";"):
            if not FILTER_KEY.fullmatch(key) or key == "0":
                self._refuse(
                    "filter", "expected PASS, '.' or filters parted by ';'", "FILTER"
                )
            if key not in self._header.filters and key != "PASS":
                if len(self._header.filters) >= MAX_FIELDS:
                    self._refuse(
                        "too-many-fields",
                        f"expected at most {MAX_FIELDS} filters",
                        "FILTER",
                    )
                self._header.filters[key] = "Not declared in the upload"
        if len(filter_) <= _LONGEST_FILTERS:
            if len(self._filters) >= _REMEMBERED:
                self._filters.clear()
            self._filters.add(filter_)

    def _check_info(self, columns: list[bytes]) -> bool:
        """Check INFO; return whether empty entries had to be taken out."""
        info = columns[7]
        if info.count(b";") >= MAX_INFO_ENTRIES:
            self._refuse(
                "too-many-fields",
                f"expected at most {MAX_INFO_ENTRIES} entries in INFO",
                "INFO",
            )
        entries = info.split(b";")
        is_changed = b"" in entries
        if is_changed:
            entries = [entry for entry in entries if entry]
            if not entries:
                self._refuse("info", "expected entries or '.' as INFO", "INFO")
            columns[7] = b";".join(entries)
        keys = set()
        for entry in entries:
            key, equals, value = entry.partition(b"=")
            keys.add(key)
            field = self._info.get(key) or self._learn(key)
            if not equals:
                field.has_bare = True
                if key in _EXTENT_KEYS:
                    self._refuse_extent(key, field)
            elif value not in field.accepted and not field.fits([value]):
                self._give_way(key, field)
            elif key == b"END" and b"," in value:
                self._refuse_extent(key, field)
            field.has_values |= equals != b""
        if len(keys) != len(entries):
            self._refuse("info-duplicate", "expected each INFO key once", "INFO")
        return is_changed

    def _learn(self, key: bytes) -> Field:
        text = key.decode()
        if not KEY.fullmatch(text):
            self._refuse("info", "expected entries KEY=value or KEY in INFO", "INFO")
        if len(self._info) == MAX_FIELDS:
            self._refuse(
                "too-many-fields", f"expected at most {MAX_FIELDS} INFO keys", "INFO"
            )
        definition = undeclared("INFO", text, self._header.version)
        field = self._info[key] = Field(definition, is_ours=True)
        return field

    def _give_way(self, key: bytes, field: Field) -> None:
        """Keep as text what is not of its type.

        Annotations often break their own types, and a release computes INFO anew: it
        passes on only what describes the allele, so nothing wrong can come of it.
        """
        if key in _EXTENT_KEYS:
            self._refuse_extent(key, field)
        if field.definition.type in ("String", "Character"):
            return  # an empty text
        self._header.warnings.append(
            f"line {self._number}: INFO {key.decode()} is no {field.definition.type}; "
            "kept as String"
        )
        field.redefine(as_text(field.definition))

    def _refuse_extent(self, key: bytes, field: Field) -> NoReturn:
        self._refuse(
            "info-value",
            f"expected {field.wanted} as INFO {key.decode()}, for it says which bases "
            "the record covers",
            "INFO",
        )
