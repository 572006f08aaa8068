"""Measure how near the release engine comes to the work that no engine is spared.

    uv run benchmarks/floor.py [--only c2504s ...] [--rounds N] [--folder FOLDER]

Of a release of all people but one: inflate what the cut reads, deflate what it writes,
encrypt that; in one process whose data lie ready. Against it the whole job, its start
included, in processor seconds, A B A B. Fails above 2 times the floor.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import gzip
import io
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from isal import igzip_lib

from benchmarks import engine_inputs, engine_runs
from benchmarks.engine_inputs import Inputs
from genomics import bgzf
from genomics.columnar import file
from genomics.columnar.file import ColumnStore
from genomics.crypt4gh import keys
from genomics.crypt4gh.stream import decrypt_stream, encrypt_stream
from genomics.job import COLUMNS_SUFFIX

_JOB = "J2"
_TO_REACH = 2.0
_HEAD = """\
| | inflate | deflate | cipher | floor | whole job | ratio | to reach |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


@dataclass(frozen=True, slots=True)
class Moved:
    """What a release reads, packed with its plain size, and what it writes."""

    read: list[tuple[bytes, int]]
    text: bytes
    level: int
    packed: bytes
    public_key: bytes

    def seconds(self) -> tuple[float, float, float]:
        """Return the processor seconds to inflate, to deflate and to encrypt."""
        started = time.process_time()
        for packed, size in self.read:
            igzip_lib.decompress(packed, igzip_lib.DECOMP_DEFLATE, 15, size)
        inflated = time.process_time()
        for _ in bgzf.blocks(self.text, self.level):
            pass
        deflated = time.process_time()
        encrypt_stream(io.BytesIO(self.packed), io.BytesIO(), self.public_key)
        return (
            inflated - started,
            deflated - inflated,
            time.process_time() - deflated,
        )


def moved(inputs: Inputs, scratch: Path) -> Moved:
    """Make the release once and return its bytes."""
    engine_runs.cold(inputs, _JOB, scratch)
    sealed = engine_runs.output_of(scratch)
    secret = keys.parse_secret_key(inputs.public_key.with_suffix(".sec").read_text())
    packed = io.BytesIO()
    with sealed.open("rb") as source:
        decrypt_stream(source, packed, secret)
    return Moved(
        read=_read(inputs.store.with_name(inputs.store.name + COLUMNS_SUFFIX)),
        text=gzip.decompress(packed.getvalue()),
        level=inputs.subset_job(_JOB, scratch).bgzf_level,
        packed=packed.getvalue(),
        public_key=keys.parse_public_key(inputs.public_key.read_text()),
    )


def _read(path: Path) -> list[tuple[bytes, int]]:
    """Return the sections of a column store that a cut of nearly everybody reads."""
    found = []
    with ColumnStore(path) as store:
        groups = range(file.groups_of(len(store.directory.samples)))
        for place in store.directory.blocks:
            block = store.block(place)
            sections = [block.section(number) for number in range(file.DETAILS)]
            sections += [block.of_group(file.CODES, group) for group in groups]
            if store.has_text(place):
                chunks = range(-(-place.records // file.ROWS))
                sections += [block.of_group(file.MISSING, group) for group in groups]
                sections += [block.of_all(chunk) for chunk in chunks]
            found += [(_packed(plain), len(plain)) for plain in sections if plain]
    return found


def _packed(plain: bytes) -> bytes:
    return igzip_lib.compress(plain, file.LEVEL, igzip_lib.COMP_DEFLATE)


def main() -> int:
    """Print a row for each set; return 1 when a target was missed."""
    options = _options()
    print(_HEAD, flush=True)
    missed = False
    for name in options.only:
        inputs = Inputs(name, options.folder)
        inputs.prepare()
        with tempfile.TemporaryDirectory(prefix="gemmule-bench-") as folder:
            scratch = Path(folder)
            known = moved(inputs, scratch)
            pairs = [
                (known.seconds(), engine_runs.cold(inputs, _JOB, scratch).cpu_seconds)
                for _ in range(options.rounds)
            ]
        ratio = statistics.median(ours / sum(floor) for floor, ours in pairs)
        missed |= ratio > _TO_REACH
        parts = [
            statistics.median(each) for each in zip(*(f for f, _ in pairs), strict=True)
        ]
        cells = [f"{part:.2f} s" for part in (*parts, sum(parts))]
        whole = statistics.median(ours for _, ours in pairs)
        print(
            f"| {name} {_JOB} | {' | '.join(cells)} | {whole:.2f} s "
            f"| **{ratio:.1f}x** | <= {_TO_REACH:g}x |",
            flush=True,
        )
    return int(missed)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="measure the distance to the floor")
    sets = ["c2504s", "c2504", "r500"]
    parser.add_argument("--only", nargs="+", choices=sets, default=sets, metavar="SET")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder",
        type=lambda text: Path(text).resolve(),
        default=engine_inputs.default_folder(),
        help="where the inputs are kept",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
