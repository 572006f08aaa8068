"""Count what the records of an upload say that a release will say in another way.

Nothing is refused for it. What a release says of alleles is decided by
`genomics.describing`; here stands only what the steward is told of it.
"""

from dataclasses import dataclass

from genomics.alleles import is_spanning, symbolic_type
from genomics.describing import LENGTHS_SINCE, TYPES, has_contradiction
from genomics.extent import SourceSite
from genomics.lines import ENCODING, Version

# No record without one of these is looked at.
_KEYS = (b"END=", b"SVLEN=", b"SVCLAIM", b"SVTYPE=")


@dataclass(slots=True)
class _Count:
    """How many records, and the first of them."""

    records: int = 0
    line: int = 0

    def add(self, line: int) -> None:
        self.records += 1
        self.line = self.line or line


class StatementReport:
    """Takes the sites of an upload, one after another."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._differing = _Count()
        self._early = _Count()
        self._claims = _Count()
        self._lengths = _Count()
        self._types = _Count()

    def read(self, columns: list[bytes], number: int) -> None:
        """Take CHROM to INFO of a sound record that has ALT alleles."""
        info = columns[7]
        if not any(key in info for key in _KEYS):
            return
        entries = (entry.partition("=") for entry in info.decode(ENCODING).split(";"))
        source = SourceSite(
            line=number,
            contig=columns[0].decode(ENCODING),
            pos=int(columns[1]),
            ref=columns[3].decode(ENCODING),
            alts=tuple(columns[4].decode(ENCODING).split(",")),
            info={key: value for key, _, value in entries},
            version=self._version,
        )
        if has_contradiction(source):
            self._differing.add(number)
        every = range(1, len(source.alts) + 1)
        end = source.end(every)
        if end is not None and end < source.pos and any(map(source.is_end_here, every)):
            self._early.add(number)
        if "SVCLAIM" in source.info:
            self._claims.add(number)
        types = {symbolic_type(alt) for alt in source.alts}
        if "SVLEN" in source.info and types & {"INV", "CNV"}:
            self._lengths.add(number)
        is_known = source.sv_type in TYPES or any(map(is_spanning, types))
        if "SVTYPE" in source.info and not is_known:
            self._types.add(number)

    def warnings(self) -> list[str]:
        """Return a line for each kind that occurred."""
        decides = "SVLEN" if self._version >= LENGTHS_SINCE else "END"
        version = ".".join(map(str, self._version))
        told = [
            (
                self._differing,
                f"END and SVLEN that differ: releases state {decides}, which decides "
                f"in VCF {version}, and withhold by the wider of them",
            ),
            (self._early, "END before POS: END is left out"),
            (self._lengths, "SVLEN of <INV> or <CNV>: releases state END instead"),
            (self._claims, "SVCLAIM, which VCF 4.3 lacks: releases leave it out"),
            (self._types, "an SVTYPE that VCF does not define: releases leave it out"),
        ]
        return [
            f"{count.records} record(s) with {what}; the first is line {count.line}"
            for count, what in told
            if count.records
        ]
