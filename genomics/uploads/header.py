"""Read the header of an upload, and write the canonical one of the store.

Kept are the version, and the contigs and the INFO, FORMAT, FILTER and ALT definitions,
each written anew. Every other line is left behind: command lines, sample and pedigree
lines and paths name people and places, and no engine reads them.

Source: VCF 4.5, section 1.4. The specification's own examples:

    ##fileformat=VCFv4.5
    ##contig=<ID=20,length=62435964,species="Homo sapiens">
    ##INFO=<ID=DP,Number=1,Type=Integer,Description="Total Depth">
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn, get_args

from genomics import builds, extent, fields
from genomics.builds import Build
from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads.contigs import MAX_POSITION, Contigs
from genomics.uploads.definitions import FORMAT, INFO, NUMBER, Definition, Type, Version
from genomics.uploads.pairs import Pairs, PairsInvalid, read_pairs
from genomics.uploads.refusal import Code, refusal
from genomics.uploads.tally import Tally

MAX_FIELDS = 10_000
MAX_NAME_CHARACTERS = 255
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")

# These say which bases a record covers, so a guess would withhold the wrong ones.
EXTENT_KEYS = ("END", "SVLEN")
# INFO of which two differing definitions or values would cut in two ways.
CUTTING_KEYS = frozenset(
    {*fields.INFO, *extent.INTERVALS, *extent.OTHER_END} - {*fields.RECOUNTED_INFO}
)

# VCF 4.3, section 1.6.1, and the names in angle brackets of assembled contigs. Not
# with a leading '#': a record would look like a comment to the index.
CONTIG_NAME = re.compile(
    r"[0-9A-Za-z!$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]{0,254}"
    r"|<[0-9A-Za-z!#$%&*+./:;=?@^_|~-]{1,253}>"
)
# Wider than the specification, for keys such as GERP++_RS and 1000G are common.
KEY = re.compile(r"[!#-+\-./0-9?@A-Z\[\]^_`a-z{|}~]{1,255}")
FILTER_KEY = re.compile(KEY.pattern.replace("0-9", "0-9:"))
_TYPES: dict[str, Type] = {name: name for name in get_args(Type)}
_TYPES_BY_CASE = {name.lower(): type_ for name, type_ in _TYPES.items()}
_VERSION = re.compile(r"##fileformat=VCFv4\.([0-5])[ \t]*")
_SPELT_OUT = {"<": "lt", ">": "gt", "=": "eq"}
_PLINK_1 = "##source=PLINKv1"


class Header:
    """What the header says, and what the records add to it.

    `faults` are those of lines that cannot be blamed before a later one is read.
    """

    def __init__(self, build: Build | None, limits: Limits) -> None:
        self.version: Version = (4, 3)
        self.samples: tuple[str, ...] = ()
        self.contigs = Contigs(build)
        self.filters: dict[str, str] = {}  # id -> escaped description
        self.info: dict[str, Definition] = {}
        self.format: dict[str, Definition] = {}
        self.alts: dict[str, str] = {}
        self.warnings: list[str] = []
        self.tally = Tally()
        self.faults: list[IntakeRefused] = []
        self.is_complete = False
        self._limits = limits
        self._bytes = 0
        self._number = 0

    def read(self, line: bytes, number: int) -> None:
        """Take the next line; `is_complete` is set by the line of column names."""
        self._number = number
        self._bytes += len(line) + 1
        if self._bytes > self._limits.header_bytes:
            self._refuse(
                "header-length",
                f"expected a header of at most {self._limits.header_bytes} bytes",
            )
        if number == 1:
            self._read_version(line)
        elif line.startswith(b"##"):
            self._read_meta(self._text(line))
        elif line.startswith(b"#"):
            self.faults += self.contigs.judge()
            self._read_columns(line)
            self.is_complete = True
        else:
            self._refuse(
                "header-missing",
                "expected a header line, or the line of column names that begins "
                "with #CHROM, before the first record",
            )

    def finish(self, last_positions: Mapping[str, int]) -> list[IntakeRefused]:
        """Judge what only the last POS of each contig can; return what is refused."""
        faults = self.contigs.finish(last_positions)
        self.warnings += self.contigs.warnings()
        self.warnings += self.tally.warnings()
        return faults

    def lines(self) -> list[str]:
        """Return the lines of the canonical header, without their ends."""
        lines = [f"##fileformat=VCFv4.{self.version[1]}"]
        for key, description in self.filters.items():
            lines.append(f'##FILTER=<ID={key},Description="{description}">')
        for key, description in self.alts.items():
            lines.append(f'##ALT=<ID={key},Description="{description}">')
        lines += [item.line("INFO") for item in self.info.values()]
        lines += [item.line("FORMAT") for item in self.format.values()]
        for name, length in self.contigs.standard_lengths().items():
            stated = "" if length is None else f",length={length}"
            lines.append(f"##contig=<ID={name}{stated}>")
        lines.append("\t".join([*COLUMNS, *self.samples]))
        return lines

    def _refuse(self, code: Code, message: str, column: int | None = None) -> NoReturn:
        raise refusal(code, message, self._number, column)

    def _warn(self, text: str) -> None:
        self.tally.note(self._number, text)

    def _text(self, line: bytes) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            # Of such a line at most the description is kept, and no release has it.
            self._warn(
                f"expected UTF-8, got the byte 0x{line[error.start]:02x} in a header "
                "line; convert the file with `iconv -f latin1 -t utf-8`"
            )
            return line.decode(errors="replace")

    def _read_version(self, line: bytes) -> None:
        match = _VERSION.fullmatch(self._text(line))
        if match is None:
            self._refuse("version", "expected VCFv4.0 to VCFv4.5, got another version")
        self.version = (4, int(match[1]))

    def _read_meta(self, line: str) -> None:
        kind, equals, value = line[2:].partition("=")
        if line.startswith(_PLINK_1):
            self.contigs.is_plink_1 = True
        if not equals:
            return
        match kind:
            case "INFO" | "FORMAT":
                self._read_definition(kind, self._pairs(kind, value))
            case "FILTER" | "ALT":
                self._read_description(kind, value)
            case "contig":
                self._read_contig(self._pairs(kind, value))

    def _pairs(self, kind: str, value: str) -> Pairs:
        try:
            pairs = read_pairs(kind, value)
        except PairsInvalid as error:
            self._refuse("header-line", str(error))
        for problem in pairs.problems:
            self._warn(f"{problem} (##{kind})")
        return pairs

    def _read_definition(self, kind: str, pairs: Pairs) -> None:
        key = pairs.get("ID")
        if kind == "INFO" and key and not KEY.fullmatch(key):
            self._warn(
                "the ID of an ##INFO line has a blank or another character that is not "
                "allowed in keys; the line and the entries of this key are left out; "
                "rename it"
            )
            return
        if not KEY.fullmatch(key):
            self._refuse("header-line", f"expected a key as ID of ##{kind}")
        definition = Definition(
            id=key,
            number=self._number_of(kind, key, pairs),
            type=self._type_of(kind, key, pairs),
            description=self._description_of(kind, key, pairs),
        )
        if (definition.type == "Flag") != (definition.number == "0"):
            number = "0" if definition.type == "Flag" else "."
            self.warnings.append(
                f"line {self._number}: {kind} {key} has Type={definition.type} and "
                f"Number={definition.number}; kept with Number={number}"
            )
            definition = replace(definition, number=number)
        is_bare = (definition.number, definition.type) == ("1", "String")
        if kind == "FORMAT" and key == "GT" and not is_bare:
            self.warnings.append(
                f"line {self._number}: FORMAT GT is not Number=1,Type=String; kept so"
            )
            definition = FORMAT["GT"]
        if kind == "INFO" and key in EXTENT_KEYS and definition.type != "Integer":
            self.warnings.append(
                f"line {self._number}: INFO {key} is not Type=Integer; kept so"
            )
            definition = INFO[key]
        table = self.info if kind == "INFO" else self.format
        known = table.setdefault(key, definition)
        if (known.number, known.type) != (definition.number, definition.type):
            if kind == "FORMAT" or key in CUTTING_KEYS:
                self._refuse(
                    "header-conflict",
                    f"expected one definition of {kind} {key}, got two that differ; "
                    "remove the wrong one with `bcftools reheader -h`",
                )
            self._warn(
                f"INFO {key} is defined twice in two ways; the first one counts; "
                "remove the wrong one"
            )
        self._check_fields(len(table), kind)

    def _number_of(self, kind: str, key: str, pairs: Pairs) -> str:
        if "Number" not in pairs.values:
            is_flag = pairs.get("Type").lower() == "flag"
            number = "0" if is_flag else "."
            self._warn(
                f"{kind} {key} has no Number; read with Number={number}, write it so"
            )
            return number
        number = pairs.get("Number")
        if number == "-1":  # how version 3 wrote '.', still met in 4.0
            number = "."
        if not NUMBER.fullmatch(number):
            self._refuse(
                "header-line",
                f"expected a count, A, R, G or '.' as Number of {kind} {key}",
            )
        return number

    def _type_of(self, kind: str, key: str, pairs: Pairs) -> Type:
        stated = pairs.get("Type")
        type_ = _TYPES.get(stated)
        if type_ is None:
            type_ = _TYPES_BY_CASE.get(stated.lower() or "string")
            if type_ is not None:
                problem = f"has Type={stated}" if stated else "has no Type"
                self._warn(
                    f"{kind} {key} {problem}; read with Type={type_}, write it so"
                )
        if type_ is None or (kind == "FORMAT" and type_ == "Flag"):
            allowed = "Integer, Float, Character or String"
            allowed = f"Flag, {allowed}" if kind == "INFO" else allowed
            self._refuse("header-line", f"expected {allowed} as Type of {kind} {key}")
        return type_

    def _description_of(self, kind: str, key: str, pairs: Pairs) -> str:
        if "Description" not in pairs.values:
            self._warn(f'{kind} {key} has no Description; write Description=""')
        return pairs.get("Description")

    def _read_description(self, kind: str, value: str) -> None:
        # ALT ids may hold what the grammar of pairs cannot part, and no engine reads
        # them; FILTER ids are checked against the records.
        if kind == "FILTER":
            pairs = self._pairs(kind, value)
            if not pairs.get("ID"):
                self._refuse("header-line", "expected a key as ID of ##FILTER")
            self.add_filter(pairs.get("ID"), pairs.get("Description"), self._number)
            return
        try:
            pairs = read_pairs(kind, value)
        except PairsInvalid:
            return
        if FILTER_KEY.fullmatch(pairs.get("ID")):
            self.alts.setdefault(pairs.get("ID"), pairs.get("Description"))
            self._check_fields(len(self.alts), kind)

    def add_filter(
        self, name: str, description: str, line: int, *, is_used: bool = False
    ) -> str:
        """Declare a filter; return the name that the store has for it.

        Names with signs that htslib cannot read, as QD<2.0, are spelt out: QDlt2.0.
        """
        key = name
        if not FILTER_KEY.fullmatch(name):
            key = clean_filter(name)
            shown = ascii(name[:40])
            self.tally.note(
                line,
                f"the filter {shown} has a blank or another character that is not "
                f"allowed in filters; the store has {key}; rename it in the file",
            )
        if key not in self.filters and not (is_used and key == "PASS"):
            if len(self.filters) >= MAX_FIELDS:
                self._refuse(
                    "too-many-fields", f"expected at most {MAX_FIELDS} filters"
                )
            self.filters[key] = description
        return key

    def _check_fields(self, count: int, kind: str) -> None:
        if count > MAX_FIELDS:
            self._refuse(
                "too-many-fields", f"expected at most {MAX_FIELDS} {kind} definitions"
            )

    def _read_contig(self, pairs: Pairs) -> None:
        name = pairs.get("ID")
        if not CONTIG_NAME.fullmatch(name):
            got = ", got one with a blank" if re.search(r"\s", name) else ""
            self._refuse(
                "contig-name", f"expected a contig's name as ID of ##contig{got}"
            )
        length = None
        if pairs.get("length"):
            text = pairs.get("length")
            is_number = text.isascii() and text.isdigit() and len(text) <= 10
            length = int(text) if is_number else -1
            if not 0 < length <= MAX_POSITION and not builds.is_placeholder(length):
                self._refuse(
                    "header-line",
                    f"expected a length from 1 to {MAX_POSITION} of contig {name}",
                )
        if name not in self.contigs and len(self.contigs) == self._limits.contigs:
            self._refuse(
                "too-many-contigs", f"expected at most {self._limits.contigs} contigs"
            )
        if not self.contigs.declare(name, length, self._number):
            self._refuse(
                "header-conflict",
                f"expected one length of contig {name}, got "
                f"{self.contigs.lengths[name]} and {length}",
            )

    def _read_columns(self, line: bytes) -> None:
        count = line.count(b"\t") + 1
        if count - len(COLUMNS) > self._limits.samples:
            self._refuse(
                "too-many-samples",
                f"expected at most {self._limits.samples} samples, "
                f"got {count - len(COLUMNS)}",
                len(COLUMNS) + self._limits.samples + 1,
            )
        columns = line.decode().split("\t")
        for number, expected in enumerate(COLUMNS, start=1):
            if number > len(columns) >= len(COLUMNS) - 1:
                break  # a sites-only VCF ends with INFO
            got = columns[number - 1] if number <= len(columns) else None
            if got != expected:
                hint = "" if "\t" in line.decode() else "; columns are parted by tabs"
                self._refuse(
                    "column-header",
                    f"expected {expected} as name of column {number}{hint}",
                    number,
                )
        if len(columns) <= len(COLUMNS):
            self._refuse(
                "no-samples",
                "expected at least one sample column behind FORMAT, got none: "
                "the file holds sites only",
                len(columns) + 1,
            )
        self._read_samples(columns[len(COLUMNS) :])

    def _read_samples(self, names: list[str]) -> None:
        seen: set[str] = set()
        for column, name in enumerate(names, start=len(COLUMNS) + 1):
            # isprintable is False for controls, and for the invisible characters that
            # make one name look like another.
            is_sound = name.strip() and name.isprintable()
            if not is_sound or len(name) > MAX_NAME_CHARACTERS:
                self._refuse(
                    "sample-name",
                    "expected a sample name of printable characters, at most "
                    f"{MAX_NAME_CHARACTERS} of them",
                    column,
                )
            if name in seen:
                self._refuse(
                    "sample-duplicate",
                    "expected each sample once, got the name of an earlier column "
                    "again",
                    column,
                )
            seen.add(name)
        self.samples = tuple(names)


def clean_filter(name: str) -> str:
    """Return a filter's name in letters, digits and signs that every reader takes.

    >>> clean_filter("QD<2.0"), clean_filter(" PASS"), clean_filter("hard filter")
    ('QDlt2.0', 'PASS', 'hard_filter')
    """
    spelt = "".join(_SPELT_OUT.get(sign, sign) for sign in name.strip())
    return re.sub(r"[^0-9A-Za-z_.:+-]", "_", spelt)[:MAX_NAME_CHARACTERS]
