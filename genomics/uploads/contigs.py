"""Judge the contigs of an upload: their names, their lengths, and the build both tell.

The store uses the names of the build alone (`genomics.contig_names`), and a length in
it proves the build, so it holds none that is a placeholder. PLINK 1.9 states the last
position + 1 as the length, which is known once the records have been read.
"""

from collections.abc import Mapping

from genomics import builds, contig_names
from genomics.builds import Build
from genomics.contig_names import ContigNames
from genomics.errors import IntakeRefused
from genomics.uploads.refusal import refusal

MAX_POSITION = 2**31 - 1
_REPAIR = "correct the header with `bcftools reheader -f reference.fa.fai`"


class Contigs:
    """The contigs of one upload under the names it gives them, in its order."""

    def __init__(self, build: Build | None) -> None:
        self.build = build
        self.lengths: dict[str, int | None] = {}
        self.names = ContigNames(build, self.lengths)
        self.is_plink_1 = False  # by its ##source
        self._stated_build = build
        self._merges_x = False
        self._x_name: str | None = None  # of what the parts of X are merged into
        self._entered: dict[str, str] = {}  # name in the store -> in the upload
        # Decided once: a contig that comes later must not rename what is written.
        self._standard: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        # Neither lengths of the build nor known placeholders: judged at the end.
        self._pending: dict[str, int] = {}
        self._placeholders: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def declare(self, name: str, length: int | None, line: int) -> bool:
        """Take a ##contig line; return False if an earlier one has another length."""
        known = self.lengths.get(name)
        if known is not None and length is not None and known != length:
            return False
        if name not in self._lines or (known is None and length is not None):
            self._lines[name] = line
        self.lengths[name] = known if length is None else length
        return True

    def judge(self) -> list[IntakeRefused]:
        """Judge names and lengths once all lines are read; return what is refused."""
        faults: list[IntakeRefused] = []
        for name in self.lengths:
            try:
                self._judge_accession(name, self._lines.get(name))
            except IntakeRefused as refused:
                faults.append(refused)
        self._know(self.build or builds.detect_build(self.lengths.items()))
        # Where no contig is declared, a part of X may come yet.
        parts = [name for name in self.lengths if self._is_part_of_x(name)]
        self._merges_x = bool(parts) or (self.build is not None and not self.lengths)
        self._x_name = self.standard(parts[0]) if parts else None
        stated = self.lengths.items()
        for name, length in [(name, n) for name, n in stated if n is not None]:
            try:
                self._judge_length(name, length)
            except IntakeRefused as refused:
                faults.append(refused)
        return faults

    def meet(self, name: str, line: int) -> None:
        """Add a contig that a record has and no line declares; may refuse it."""
        self.lengths[name] = None
        self._judge_accession(name, line, column=1)

    def standard(self, name: str) -> str:
        """Return the name that the store has for a contig."""
        if name not in self.lengths:
            return self.names.standard(name)
        standard = self._standard.get(name)
        if standard is None:
            standard = self._standard[name] = self.names.standard(name)
        return standard

    def enter(self, name: str, line: int) -> None:
        """Begin with the records of a contig; refuse a second one of its chromosome."""
        standard = self.standard(name)
        other = self._entered.setdefault(standard, name)
        if self._is_part_of_x(name) and other == name:
            self._merges_x = True
        if other == name or (self._merges_x and self.part(name)):
            parts = [each for each in (name, other) if self._is_part_of_x(each)]
            if other == name or parts:
                return
        is_part = self._is_part_of_x(name) or self._is_part_of_x(other)
        raise refusal(
            "contig-order" if is_part else "contig-name",
            f"expected the records of {standard} under one name, got {other} and "
            f"{name}; "
            + (
                "declare both with ##contig lines to have them merged"
                if is_part
                else "rename one with `bcftools annotate --rename-chrs` and sort the "
                "file with `bcftools sort`"
            ),
            line,
            1,
        )

    def part(self, name: str) -> str | None:
        """Return the part of X that a contig is, None where nothing is to be merged."""
        if not self._merges_x or self.names.chromosome(name) != "X":
            return None
        # A file may have both X and chrX; the parts belong to one of them.
        self._x_name = self._x_name or self.standard(name)
        return name if self.standard(name) == self._x_name else None

    def last_position(self, name: str) -> int:
        """Return the last POS that a record on the contig may have.

        Where the upload states no length, the build's counts. It is not written down:
        a length in the store proves the build, so it must come from the upload.
        """
        length = self.lengths[name]
        # Nobody can tell which mitochondrion chrM of GRCh37 is: UCSC's is longer.
        is_unclear = self.build == "GRCh37" and name.startswith("chrM")
        chromosome = self.names.chromosome(name)
        if name in self._placeholders or (self.build and name in self._pending):
            length = None
        if length is None and self.build and chromosome and not is_unclear:
            length = builds.LENGTHS[self.build][chromosome]
        # VCF 4.5, section 1.6.1: telomeres stand at 0 and at the length + 1.
        return MAX_POSITION if length is None else length + 1

    def finish(self, last_positions: Mapping[str, int]) -> list[IntakeRefused]:
        """Judge the lengths that only positions explain; return what is refused.

        `last_positions` are those of the contigs that have records.
        """
        explained = {
            name
            for name, length in self._pending.items()
            if length == last_positions.get(name, -1) + 1
            or (self.is_plink_1 and name in last_positions)
        }
        faults = []
        for name, length in self._pending.items():
            # The length of a contig without records is judged like the others.
            if name in explained or (explained and name not in last_positions):
                self._placeholders[name] = length
            elif self.build is not None:
                faults.append(self._mismatch(name, length))
        return faults

    def standard_lengths(self) -> dict[str, int | None]:
        """Return the contigs under the build's names, with the lengths that count."""
        lengths: dict[str, int | None] = {}
        for name, stated in self.lengths.items():
            length = None if name in self._placeholders else stated
            if length is None and contig_names.named_by_accession(name):
                chromosome = self.names.chromosome(name)
                if chromosome and self.build:
                    # The accession is of one sequence, and that has one length.
                    length = builds.LENGTHS[self.build][chromosome]
            standard = self.standard(name)
            lengths[standard] = lengths.get(standard) or length
        return lengths

    def warnings(self) -> list[str]:
        """Return what was renamed, what was not, and which lengths do not count."""
        warnings = []
        renamed = [
            f"{name} is now {standard}"
            + (" (its pseudoautosomal part)" if self._is_part_of_x(name) else "")
            for name in self.lengths
            if (standard := self.standard(name)) != name
        ]
        if renamed:
            warnings.append(
                f"contigs now have the names of {self.build}: " + ", ".join(renamed)
            )
        codes = [
            name
            for name in self.lengths
            if contig_names.is_code(name) and self.standard(name) == name
        ]
        if codes:
            warnings.append(
                f"contigs {', '.join(codes)} keep their names, because the file does "
                "not show that they are PLINK's codes for X, Y and MT; no region and "
                "no gene will match them; if they are PLINK's codes, rename them with "
                "`bcftools annotate --rename-chrs`"
            )
        if self._placeholders:
            name, length = next(iter(self._placeholders.items()))
            warnings.append(
                f"the lengths of {len(self._placeholders)} contig(s), such as "
                f"{length} of {name} (line {self._lines[name]}), are placeholders: "
                "some programs write the last position + 1, or the largest number; the "
                f"store leaves them out, and they prove no build; {_REPAIR}"
            )
        return warnings

    def _is_part_of_x(self, name: str) -> bool:
        return (
            contig_names.is_part_of_x(name) and self.names.chromosome(name) is not None
        )

    def _know(self, build: Build | None) -> None:
        self.build = build
        self.names = ContigNames(build, self.lengths)

    def _judge_accession(
        self, name: str, line: int | None, column: int | None = None
    ) -> None:
        named = contig_names.named_by_accession(name)
        if named is None:
            return
        chromosome, having = named
        if self.build is None:
            if len(having) == 1:
                self._know(having[0])
        elif self.build not in having:
            if self._stated_build:
                reason = f"the dataset is stated to be on {self.build}"
            else:
                reason = f"other contigs are of {self.build}"
            wanted = contig_names.accession_of(chromosome, self.build)
            other = " and ".join(having) or "another assembly"
            raise refusal(
                "build-mismatch",
                f"expected {wanted} as chromosome {chromosome}, because {reason}, "
                f"got {name}, which belongs to {other}",
                line,
                column,
            )

    def _judge_length(self, name: str, length: int) -> None:
        if builds.is_placeholder(length):
            self._placeholders[name] = length
            return
        if self.build is None:
            if any(contig_names.chromosome_in(each, name) for each in builds.BUILDS):
                self._pending[name] = length
            return
        chromosome = self.names.chromosome(name)
        if chromosome is None:
            return
        # Only what is called M can be the older mitochondrion of UCSC's hg19.
        plain = name if builds.chromosome(name) else chromosome
        if builds.is_length_of(self.build, plain, length):
            return
        # A last position may be that of the telomere, one behind the end.
        is_too_long = length > builds.LENGTHS[self.build][chromosome] + 2
        if is_too_long or _build_of(chromosome, length):
            raise self._mismatch(name, length)
        if self._is_part_of_x(name):
            # How long it is on its own, or where it ends, is no length of X.
            self._placeholders[name] = length
            return
        self._pending[name] = length

    def _mismatch(self, name: str, length: int) -> IntakeRefused:
        assert self.build is not None, "without a build nothing is expected"
        # Not by `names`: a contig met since may have taken the meaning of a code.
        chromosome = contig_names.chromosome_in(self.build, name)
        assert chromosome is not None, "only chromosomes are judged"
        other = _build_of(chromosome, length)
        if self._stated_build:
            reason = f"the dataset is stated to be on {self.build}"
        else:
            reason = f"its contigs are of {self.build}"
        return refusal(
            "build-mismatch",
            f"expected {builds.LENGTHS[self.build][chromosome]} as length of {name}, "
            f"because {reason}, got {length}"
            + (f", the length in {other}" if other else "")
            + f"; if the records are on {self.build}, {_REPAIR}",
            self._lines[name],
        )


def _build_of(chromosome: str, length: int) -> Build | None:
    for build in builds.BUILDS:
        if builds.LENGTHS[build][chromosome] == length:
            return build
    return None
