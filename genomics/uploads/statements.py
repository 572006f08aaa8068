"""Count the records of an upload whose statements a release will change.

Nothing is refused for it. `genomics.describing` decides what a release states; this
module only makes the warnings for the steward.
"""

from genomics.alleles import is_spanning, symbolic_type
from genomics.describing import LENGTHS_SINCE, TYPES, has_contradiction
from genomics.extent import SourceSite
from genomics.lines import ENCODING, Version
from genomics.uploads.tally import Count

# No record without one of these is looked at.
_KEYS = (b"END=", b"SVLEN=", b"SVCLAIM", b"SVTYPE=")


class StatementReport:
    """Takes the sites of an upload, one after another."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._differing = Count()
        self._early = Count()
        self._claims = Count()
        self._lengths = Count()
        self._types = Count()

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
        kinds = [
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
            f"{count.total} record(s) with {what}; the first is line {count.line}"
            for count, what in kinds
            if count.total
        ]
