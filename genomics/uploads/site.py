"""Check the columns CHROM to INFO of a record.

Records must stand together by contig and in the order of their positions, as the index
needs them. A file in another order is refused, not sorted: line numbers stay true,
memory stays flat, and `bcftools sort` is one command. The order of contigs is free.

Source: VCF 4.5, sections 1.6.1 and 5.4 (breakends).
"""

import re
from dataclasses import dataclass
from typing import NoReturn

from genomics.limits import Limits
from genomics.uploads.contigs import MAX_POSITION
from genomics.uploads.header import CONTIG_NAME, MAX_FIELDS, Header
from genomics.uploads.info import InfoReader
from genomics.uploads.refusal import Code, refusal
from genomics.uploads.statements import StatementReport
from genomics.uploads.values import LONGEST_REMEMBERED, is_quality

MAX_FILTERS = 256

_COLUMN = {
    name: number
    for number, name in enumerate(
        ("CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"), start=1
    )
}
_BASES = b"ACGTN"
# IUPAC codes for several bases, which are written as N.
_OPEN_BASES = bytes.maketrans(b"RYSWKMBDHV", b"N" * 10)
_IUPAC = b"ACGTNRYSWKMBDHV"
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
# Bases of ALT itself: all of it, or those before or behind a breakend's mate.
_OWN_BASES = re.compile(rb"^[A-Za-z]+(?=$|[\[\].])|(?<=[\[\].])[A-Za-z]+$")
_MATE = re.compile(rb"([\[\]])<?([^\[\]]+?)>?:([0-9]{1,10}[\[\]])")
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
        self.part: str | None = None
        self._contig: bytes | None = None
        self._standard: bytes | None = None  # its other name in the store, if any
        self._last_position = 0
        self._last_positions: dict[str, int] = {}
        self._standard_names: dict[bytes, bytes] = {}
        self._position = 0
        self._in_contig = 0
        self._counts: dict[bytes, int] = {}
        # As it came -> as it is in the store.
        self._filters: dict[bytes, bytes] = {b".": b".", b"PASS": b"PASS"}
        self._qualities: set[bytes] = {b"."}
        self._info = InfoReader(header, self._standard_name, MAX_FIELDS)
        self._statements = StatementReport(header.version)
        self._number = 0
        self._open_bases = b""  # the codes of this record's REF that are now N

    def read(self, columns: list[bytes], number: int) -> Site:
        """Check CHROM to INFO, put them into canonical form within `columns`."""
        self._number = number
        if columns[0] != self._contig:
            self._enter_contig(columns[0])
        self._check_position(columns[1])
        if columns[2] != b"." and not _ID.fullmatch(columns[2]):
            self._refuse("id", "expected ids parted by ';', or '.', as ID", "ID")
        is_changed = self._check_ref(columns)
        if self._standard is not None:
            columns[0] = self._standard
            is_changed = True
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
        filters = self._filters.get(columns[6]) or self._check_filter(columns[6])
        if filters != columns[6]:
            columns[6] = filters
            is_changed = True
        if columns[7] != b".":
            info = self._info.read(columns[7], number)
            is_changed |= info is not columns[7]
            columns[7] = info
            if alt_count:
                self._statements.read(columns, number)
        self._in_contig += 1
        return Site(alt_count, is_changed)

    def contig_counts(self) -> dict[str, int]:
        """Return how many records each contig of the store has."""
        self._leave_contig()
        counts: dict[str, int] = {}
        for name, count in self._counts.items():
            if count:
                standard = self._header.contigs.standard(name.decode())
                counts[standard] = counts.get(standard, 0) + count
        return counts

    def last_positions(self) -> dict[str, int]:
        """Return the last POS on each contig, as the upload names it."""
        self._leave_contig()
        return self._last_positions

    def finish(self) -> None:
        """Put the INFO keys that the records brought into the header."""
        self._info.finish()
        self._header.warnings += self._statements.warnings()

    def _refuse(self, code: Code, message: str, column: str) -> NoReturn:
        raise refusal(code, message, self._number, _COLUMN[column])

    def _enter_contig(self, name: bytes) -> None:
        self._leave_contig()
        if name in self._counts:
            # Reported once; the records behind it are checked like any others.
            self._contig, self._in_contig = name, self._counts[name]
            self._position = 0
            self._refuse(
                "contig-order",
                "expected the records of a contig to stand together, got a contig "
                "again after another one; sort the file with `bcftools sort`",
                "CHROM",
            )
        text = name.decode()
        if not CONTIG_NAME.fullmatch(text):
            got = ", got one with a blank" if re.search(r"\s", text) else ""
            self._refuse(
                "contig-name",
                "expected the name of a contig, without blanks, commas and brackets"
                + got,
                "CHROM",
            )
        contigs = self._header.contigs
        if text not in contigs:
            if len(contigs) == self._limits.contigs:
                self._refuse(
                    "too-many-contigs",
                    f"expected at most {self._limits.contigs} contigs",
                    "CHROM",
                )
            contigs.meet(text, self._number)
            # A contig that was only named so far, as that of a mate, may now be known.
            self._standard_names.clear()
        contigs.enter(text, self._number)
        self.part = contigs.part(text)
        self._counts[name] = 0
        self._contig, self._in_contig, self._position = name, 0, 0
        self._last_position = contigs.last_position(text)
        standard = self._standard_name(name)
        self._standard = None if standard == name else standard

    def _leave_contig(self) -> None:
        if self._contig is not None:
            self._counts[self._contig] = self._in_contig
            if self._in_contig:
                self._last_positions[self._contig.decode()] = self._position

    def _standard_name(self, name: bytes) -> bytes:
        standard = self._standard_names.get(name)
        if standard is None:
            if len(self._standard_names) >= _REMEMBERED:
                self._standard_names.clear()
            standard = self._header.contigs.standard(name.decode()).encode()
            self._standard_names[name] = standard
        return standard

    def _check_position(self, text: bytes) -> None:
        # bytes.isdigit is true of ASCII digits alone.
        is_number = text.isdigit() and len(text) <= 10
        if not is_number or (text[0] == ord("0") and len(text) > 1):
            self._refuse("position", "expected a whole number from 0 as POS", "POS")
        position = int(text)
        previous, self._position = self._position, position
        if position < previous:
            self._refuse(
                "position-order",
                f"expected a POS of at least {previous}, that of the record "
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

    def _check_ref(self, columns: list[bytes]) -> bool:
        self._open_bases = b""
        ref = columns[3]
        if ref and not ref.translate(None, _BASES):
            return False
        upper = ref.upper()
        if not ref or upper.translate(None, _IUPAC):
            self._refuse("ref", "expected bases A, C, G, T or N as REF", "REF")
        if upper.translate(None, _BASES):
            self._open_bases = upper.translate(None, _BASES)
            upper = upper.translate(_OPEN_BASES)
            self._header.tally.note(
                self._number,
                "REF has a code for several bases (IUPAC, such as R); it is written "
                "as N; `bcftools norm -c s -f reference.fa` corrects REF",
            )
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
                if self._open_bases:
                    written = alts[index] = self._with_open_bases(alt)
                    is_changed |= written != alt
                    alt = written
                if not _ALT.fullmatch(alt):
                    self._refuse_alt(alt, index + 1)
                if not alt.isalpha():
                    standard = _MATE.sub(self._standard_mate, alt)
                    is_changed |= standard != alt
                    alts[index] = standard
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

    def _with_open_bases(self, alt: bytes) -> bytes:
        """Return ALT with N for the codes that REF has: they are the same bases."""

        def with_n(match: "re.Match[bytes]") -> bytes:
            bases = match[0].upper()
            if bases.translate(None, _BASES + self._open_bases):
                return match[0]
            return bases.translate(_OPEN_BASES)

        return _OWN_BASES.sub(with_n, alt)

    def _standard_mate(self, match: "re.Match[bytes]") -> bytes:
        name = self._standard_name(match[2])
        if name == match[2]:
            return match[0]
        return match[1] + name + b":" + match[3]

    def _refuse_alt(self, alt: bytes, number: int) -> NoReturn:
        got = "something else"
        if alt and not alt.upper().translate(None, _IUPAC):
            got = "a code for several bases (IUPAC), which may be any of them"
        self._refuse(
            "alt",
            f"expected bases, *, <ID> or a breakend as ALT allele {number}, got {got}",
            "ALT",
        )

    def _check_quality(self, quality: bytes) -> None:
        if not is_quality(quality):
            self._refuse("qual", "expected a number or '.' as QUAL", "QUAL")
        if len(quality) <= LONGEST_REMEMBERED:
            if len(self._qualities) >= _REMEMBERED:
                self._qualities.clear()
            self._qualities.add(quality)

    def _check_filter(self, filter_: bytes) -> bytes:
        """Return the filters as they are in the store."""
        if filter_.count(b";") >= MAX_FILTERS:
            self._refuse(
                "too-many-fields",
                f"expected at most {MAX_FILTERS} filters of one record",
                "FILTER",
            )
        names: dict[str, None] = {}
        for key in filter_.decode().split(";"):
            if not key.strip() or key == "0":
                self._refuse(
                    "filter", "expected PASS, '.' or filters separated by ';'", "FILTER"
                )
            # Two filters, or one with a comma in its name.
            if "," in key:
                self._refuse(
                    "filter",
                    "expected PASS, '.' or filters separated by ';', got a comma",
                    "FILTER",
                )
            if key not in self._header.filters and key != "PASS":
                if len(self._header.filters) >= MAX_FIELDS:
                    self._refuse(
                        "too-many-fields",
                        f"expected at most {MAX_FIELDS} filters",
                        "FILTER",
                    )
                key = self._header.add_filter(
                    key, "Not declared in the upload", self._number, is_used=True
                )
            names[key] = None
        known = ";".join(names).encode()
        if len(filter_) <= _LONGEST_FILTERS:
            if len(self._filters) >= _REMEMBERED:
                self._filters.clear()
            self._filters[filter_] = known
        return known
