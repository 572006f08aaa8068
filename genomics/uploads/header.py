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
from typing import NoReturn, get_args

from genomics import builds
from genomics.builds import Build
from genomics.errors import IntakeRefused
from genomics.limits import Limits
from genomics.uploads.definitions import FORMAT, INFO, NUMBER, Definition, Type, Version
from genomics.uploads.refusal import Code, refusal

MAX_FIELDS = 10_000
MAX_POSITION = 2**31 - 1
MAX_NAME_CHARACTERS = 255
COLUMNS = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")

# These say which bases a record covers, so a guess would withhold the wrong ones.
EXTENT_KEYS = ("END", "SVLEN")

# VCF 4.3, section 1.6.1, and the names in angle brackets of assembled contigs. Not
# with a leading '#': a record would look like a comment to the index.
CONTIG_NAME = re.compile(
    r"[0-9A-Za-z!$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]{0,254}"
    r"|<[0-9A-Za-z!#$%&*+./:;?@^_|~-]{1,253}>"
)
# Wider than the specification, for keys such as GERP++_RS and 1000G are common.
KEY = re.compile(r"[!#-+\-./0-9?@A-Z\[\]^_`a-z{|}~]{1,255}")
FILTER_KEY = re.compile(KEY.pattern.replace("0-9", "0-9:"))
_TABLED = ("INFO", "FORMAT")
_TYPES: dict[str, Type] = {name: name for name in get_args(Type)}
_VERSION = re.compile(r"##fileformat=VCFv4\.([0-5])")
_PAIR = re.compile(r'([^=,<>"\s]+)=("(?:[^"\\]|\\.)*"|[^",][^,]*|)(,\s*|$)')


class Header:
    """What the header says, and what the records add to it."""

    def __init__(self, build: Build | None, limits: Limits) -> None:
        self.version: Version = (4, 3)
        self.samples: tuple[str, ...] = ()
        self.contigs: dict[str, int | None] = {}
        self.filters: dict[str, str] = {}  # id -> escaped description
        self.info: dict[str, Definition] = {}
        self.format: dict[str, Definition] = {}
        self.alts: dict[str, str] = {}
        self.warnings: list[str] = []
        self.is_complete = False
        self.build = build
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
            self._read_meta(line.decode())
        elif line.startswith(b"#"):
            self._read_columns(line)
            self.build = self.build or builds.detect_build(self.contigs.items())
            self.is_complete = True
        else:
            self._refuse(
                "header-missing",
                "expected a header line, or the line of column names that begins "
                "with #CHROM, before the first record",
            )

    def add_contig(self, name: str) -> None:
        """Declare a contig that a record uses."""
        self.contigs[name] = None

    def last_position(self, name: str) -> int:
        """Return the last POS that a record on the contig may have.

        Where the upload states no length, the build's counts. It is not written down:
        a length in the store proves the build, so it must come from the upload.
        """
        length = self.contigs[name]
        # Nobody can tell which mitochondrion chrM of GRCh37 is: UCSC's is longer.
        is_unclear = self.build == "GRCh37" and name.startswith("chrM")
        if length is None and self.build is not None and not is_unclear:
            length = builds.expected_length(self.build, name)
        # VCF 4.5, section 1.6.1: telomeres stand at 0 and at the length + 1.
        return MAX_POSITION if length is None else length + 1

    def lines(self) -> list[str]:
        """Return the lines of the canonical header, without their ends."""
        lines = [f"##fileformat=VCFv4.{self.version[1]}"]
        for key, description in self.filters.items():
            lines.append(f'##FILTER=<ID={key},Description="{description}">')
        for key, description in self.alts.items():
            lines.append(f'##ALT=<ID={key},Description="{description}">')
        lines += [item.line("INFO") for item in self.info.values()]
        lines += [item.line("FORMAT") for item in self.format.values()]
        for name, length in self.contigs.items():
            stated = "" if length is None else f",length={length}"
            lines.append(f"##contig=<ID={name}{stated}>")
        lines.append("\t".join([*COLUMNS, *self.samples]))
        return lines

    def _refuse(self, code: Code, message: str, column: int | None = None) -> NoReturn:
        raise refusal(code, message, self._number, column)

    def _read_version(self, line: bytes) -> None:
        match = _VERSION.fullmatch(line.decode())
        if match is None:
            self._refuse("version", "expected VCFv4.0 to VCFv4.5, got another version")
        self.version = (4, int(match[1]))

    def _read_meta(self, line: str) -> None:
        kind, _, value = line[2:].partition("=")
        match kind:
            case "INFO" | "FORMAT":
                self._read_definition(kind, self._pairs(kind, value))
            case "FILTER" | "ALT":
                self._read_description(kind, value)
            case "contig":
                self._read_contig(self._pairs(kind, value))

    def _pairs(self, kind: str, value: str) -> dict[str, str]:
        """Return key and value of each pair in <...>; quotes off, escapes left on."""
        if not (value.startswith("<") and value.endswith(">")):
            self._refuse("header-line", f"expected ##{kind}=<...>, got no brackets")
        inside, at = value[1:-1], 0
        pairs: dict[str, str] = {}
        while at < len(inside):
            match = _PAIR.match(inside, at)
            if match is None:
                self._refuse(
                    "header-line",
                    f'expected KEY=value or KEY="text", parted by commas, in ##{kind}'
                    f"=<...>, got something else after {len(pairs)} pair(s)",
                )
            key, text, _ = match.groups()
            if key in pairs:
                self._refuse("header-line", f"expected one {key} in ##{kind}=<...>")
            is_quoted = text.startswith('"')
            pairs[key] = text[1:-1] if is_quoted else text.replace('"', '\\"')
            at = match.end()
        return pairs

    def _key(self, kind: str, pairs: dict[str, str]) -> str:
        key = pairs.get("ID", "")
        if not (KEY if kind in _TABLED else FILTER_KEY).fullmatch(key):
            self._refuse("header-line", f"expected a key as ID of ##{kind}")
        return key

    def _read_definition(self, kind: str, pairs: dict[str, str]) -> None:
        key = self._key(kind, pairs)
        number = pairs.get("Number", "")
        if number == "-1":  # how version 3 wrote '.', still met in 4.0
            number = "."
        if not NUMBER.fullmatch(number):
            self._refuse(
                "header-line",
                f"expected a count, A, R, G or '.' as Number of {kind} {key}",
            )
        type_ = _TYPES.get(pairs.get("Type", ""))
        if type_ is None or (kind == "FORMAT" and type_ == "Flag"):
            allowed = "Integer, Float, Character or String"
            allowed = f"Flag, {allowed}" if kind == "INFO" else allowed
            self._refuse("header-line", f"expected {allowed} as Type of {kind} {key}")
        if (type_ == "Flag") != (number == "0"):
            self.warnings.append(
                f"line {self._number}: {kind} {key} has Type={type_} and "
                f"Number={number}; kept with Number={'0' if type_ == 'Flag' else '.'}"
            )
            number = "0" if type_ == "Flag" else "."
        found = Definition(
            id=key,
            number=number,
            type=type_,
            description=pairs.get("Description", ""),
        )
        if kind == "FORMAT" and key == "GT" and (number, type_) != ("1", "String"):
            self.warnings.append(
                f"line {self._number}: FORMAT GT is not Number=1,Type=String; kept so"
            )
            found = FORMAT["GT"]
        if kind == "INFO" and key in EXTENT_KEYS and type_ != "Integer":
            self.warnings.append(
                f"line {self._number}: INFO {key} is not Type=Integer; kept so"
            )
            found = INFO[key]
        table = self.info if kind == "INFO" else self.format
        known = table.setdefault(key, found)
        if (known.number, known.type) != (found.number, found.type):
            self._refuse(
                "header-conflict",
                f"expected one definition of {kind} {key}, got two that differ",
            )
        self._check_fields(len(table), kind)

    def _read_description(self, kind: str, value: str) -> None:
        # ALT ids may hold what the grammar of pairs cannot part, and no engine reads
        # them; FILTER ids are checked against the records.
        try:
            pairs = self._pairs(kind, value)
            key = self._key(kind, pairs)
        except IntakeRefused:
            if kind == "FILTER":
                raise
            return
        table = self.filters if kind == "FILTER" else self.alts
        table.setdefault(key, pairs.get("Description", ""))
        self._check_fields(len(table), kind)

    def _check_fields(self, count: int, kind: str) -> None:
        if count > MAX_FIELDS:
            self._refuse(
                "too-many-fields", f"expected at most {MAX_FIELDS} {kind} definitions"
            )

    def _read_contig(self, pairs: dict[str, str]) -> None:
        name = pairs.get("ID", "")
        if not CONTIG_NAME.fullmatch(name):
            self._refuse("contig-name", "expected a contig's name as ID of ##contig")
        length = None
        if "length" in pairs:
            text = pairs["length"]
            is_number = text.isascii() and text.isdigit() and len(text) <= 10
            if not is_number or not 0 < int(text) <= MAX_POSITION:
                self._refuse(
                    "header-line",
                    f"expected a length from 1 to {MAX_POSITION} of contig {name}",
                )
            length = int(text)
        if name not in self.contigs and len(self.contigs) == self._limits.contigs:
            self._refuse(
                "too-many-contigs", f"expected at most {self._limits.contigs} contigs"
            )
        if length is not None and self.build is not None:
            self._check_build(name, length, self.build)
        known = self.contigs.get(name)
        if known is not None and length is not None and known != length:
            self._refuse(
                "header-conflict",
                f"expected one length of contig {name}, got {known} and {length}",
            )
        self.contigs[name] = known if length is None else length

    def _check_build(self, name: str, length: int, build: Build) -> None:
        if not builds.is_length_of(build, name, length):
            self._refuse(
                "build-mismatch",
                f"expected {builds.expected_length(build, name)} as length of {name}, "
                f"for the dataset is stated to be on {build}, got {length}",
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
