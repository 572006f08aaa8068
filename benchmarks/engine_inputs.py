"""The inputs of the release engine's benchmark: made once, kept in a folder.

FOLDER/c2504.vcf.gz + .tbi     what a bioinformatician has: the yardstick's input
FOLDER/c2504.store             what our intake makes of it, and its columns
FOLDER/c2504.J1.samples ...    the jobs: a name a line; regions as BED
FOLDER/recipient.pub, .sec     Crypt4GH, as crypt4gh-keygen makes them
"""

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import genomics.child
from genomics.columnar.file import VERSION
from genomics.crypt4gh import keys
from genomics.job import INDEX_SUFFIX, IntakeJob, IntakeResult, SubsetJob

JOBS = {
    "J1": "10 % of samples",
    "J2": "all but one",
    "J3": "100 samples, 50 regions",
    "J4": "one sample",
}
_ROOT = Path(__file__).parent.parent
# c2504s is the start of c2504.
_SMALL = "chr22:1-4000000"
_REGIONS, _REGION_BASES = 50, 30_000
_TIMEOUT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Inputs:
    """One set of people, ready for either engine."""

    name: str
    folder: Path

    @property
    def vcf(self) -> Path:
        """The upload, as the yardstick reads it."""
        return self.folder / f"{self.name}.vcf.gz"

    @property
    def store(self) -> Path:
        """What intake made of it."""
        return self.folder / f"{self.name}.store"

    @property
    def public_key(self) -> Path:
        """The recipient's."""
        return self.folder / "recipient.pub"

    def samples(self, job: str) -> Path:
        """Return the file of the samples that a job keeps."""
        return self.folder / f"{self.name}.{job}.samples"

    def regions(self, job: str) -> Path | None:
        """Return the BED file of a job, if it has one."""
        return self.folder / f"{self.name}.bed" if job == "J3" else None

    def subset_job(self, job: str, output: Path, *, by_text: bool = False) -> SubsetJob:
        """Return the job for our engine, as a release makes it."""
        taken = IntakeResult.from_json(json.loads(self._result.read_text()))
        names = self.samples(job).read_text().split()
        # A release's names are random, so its columns are in no order of the source.
        random.Random(2).shuffle(names)
        bed = self.regions(job)
        spans = bed.read_text().splitlines() if bed else []
        return SubsetJob(
            source=self.store,
            samples=tuple((name, _pseudonym(rank)) for rank, name in enumerate(names)),
            regions=tuple(_span(line) for line in spans) if bed else None,
            recipient_public_key=keys.parse_public_key(self.public_key.read_text()),
            output_dir=output,
            name="release",
            source_sha256=taken.sha256_store,
            columns_sha256=None if by_text else taken.sha256_columns,
            records_total=taken.records,
        )

    @property
    def _result(self) -> Path:
        # Columns of another version would be left aside, and the text be cut.
        return self.folder / f"{self.name}.intake.v{VERSION}.json"

    def prepare(self) -> None:
        """Make what is missing."""
        self.make()
        if not self.vcf.with_name(self.vcf.name + INDEX_SUFFIX).exists():
            run("bcftools", "index", "-f", "-t", self.vcf)
        if not self._result.exists():
            result = self.take_in(self.store)
            self._result.write_text(json.dumps(result.to_json()))
            self._write_jobs(list(result.samples))
        if not self.public_key.exists():
            secret = self.folder / "recipient.sec"
            options = ("--nocrypt", "--sk", secret, "--pk", self.public_key)
            run(shutil.which("crypt4gh-keygen") or "crypt4gh-keygen", *options)

    def make(self) -> None:
        """Make the upload unless it is there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.vcf.exists():
            _make(self.name, self.folder)

    def take_in(self, store: Path) -> IntakeResult:
        """Take the upload in, in a child process; `store` may be there already."""
        job = IntakeJob(source=self.vcf, store=store)
        return genomics.child.run(job, timeout_s=_TIMEOUT_S)

    def _write_jobs(self, names: list[str]) -> None:
        drawn = random.Random(1)
        chosen = {
            "J1": drawn.sample(names, len(names) // 10),
            "J2": sorted(drawn.sample(names, len(names) - 1)),
            "J3": drawn.sample(names, 100),
            "J4": drawn.sample(names, 1),
        }
        for job, kept in chosen.items():
            self.samples(job).write_text("".join(f"{name}\n" for name in kept))
        bed = self.regions("J3")
        assert bed is not None, "J3 has regions"
        ends = run("bcftools", "query", "-f", "%CHROM\t%POS\n", self.vcf).splitlines()
        contig, last = ends[-1].split("\t")
        stride = int(last) // _REGIONS
        lines = [
            f"{contig}\t{each * stride}\t{each * stride + min(_REGION_BASES, stride)}\n"
            for each in range(_REGIONS)
        ]
        bed.write_text("".join(lines))


def run(command: str | Path, *arguments: str | Path) -> str:
    """Run a tool that the benchmark rests on; return what it printed."""
    found = shutil.which(command)
    if found is None:
        raise SystemExit(f"{command} is missing (apt-get install bcftools tabix)")
    done = subprocess.run(
        [found, *map(str, arguments)],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{command} failed with {done.returncode}")
    return done.stdout


def _make(name: str, folder: Path) -> None:
    final = folder / f"{name}.vcf.gz"
    if name == "c2504s":
        whole = Inputs("c2504", folder)
        whole.make()
        part = final.with_suffix(".part")
        run("bcftools", "view", "-t", _SMALL, "-Oz", "-o", part, whole.vcf)
        part.rename(final)
        return
    # What simulates is wanted here alone, and not by those who have the files.
    options = ("run", "--frozen", "--group", "bench", "python", "-m")
    run(os.environ.get("UV", "uv"), *options, "benchmarks.simulating", name, folder)


def _pseudonym(rank: int) -> str:
    return f"S{rank:09d}"


def _span(line: str) -> tuple[str, int, int]:
    contig, start, end = line.split("\t")
    return contig, int(start), int(end)


def default_folder() -> Path:
    """Return where the inputs are kept unless one says another folder."""
    return Path(sys.prefix).parent / ".bench"
