"""Measure how near the release engine comes to the work that no engine is spared.

    uv run benchmarks/floor.py [--only c2504s ...] [--rounds N] [--folder FOLDER]

Of a release of all people but one: inflate what is read, deflate what is written,
encrypt that; in one process whose data lie ready. Two floors: of who reads our column
store as we do, and of who reads the upload. Against them the whole job, in a new
process and in one that waited for it, in processor seconds, A B A B. Fails where a new
process takes more than twice the floor of the upload.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import io
import statistics
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from isal import igzip_lib

from benchmarks import engine_inputs, engine_runs
from benchmarks.engine_inputs import Inputs
from genomics import bgzf, spare
from genomics.columnar import file
from genomics.columnar.file import ColumnStore
from genomics.crypt4gh import keys
from genomics.crypt4gh.header import DATA_KEY_BYTES
from genomics.crypt4gh.segments import PLAIN_BYTES, seal
from genomics.crypt4gh.stream import decrypt_stream
from genomics.job import COLUMNS_SUFFIX

_JOB = "J2"
_TO_REACH = 2.0
_HEAD = """\
| | inflate columns | inflate upload | deflate | cipher | whole job | warm \
| of the floor of columns | warm | of that of the upload | warm | to reach |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"""

# Packed, and the size of it plain.
_Packed = list[tuple[bytes, int]]


@dataclass(frozen=True, slots=True)
class Floor:
    """Processor seconds of the work that is left when nothing else is done."""

    columns: float
    upload: float
    deflate: float
    cipher: float

    @property
    def of_columns(self) -> float:
        return self.columns + self.deflate + self.cipher

    @property
    def of_upload(self) -> float:
        return self.upload + self.deflate + self.cipher


@dataclass(frozen=True, slots=True)
class Round:
    """A floor and, in processor seconds, the job in a new and in a waiting process."""

    floor: Floor
    cold: float
    warm: float


@dataclass(frozen=True, slots=True)
class Moved:
    """What a release of all but one reads and writes."""

    columns: _Packed
    upload: _Packed
    release: bytes
    level: int

    def floor(self) -> Floor:
        """Do the work once."""
        deflate = 0.0
        for packed, size in _blocks(self.release):
            plain = _inflated(packed, size)
            started = time.process_time()
            bgzf.block(plain, self.level)
            deflate += time.process_time() - started
        cipher = ChaCha20Poly1305(bytes(DATA_KEY_BYTES))
        started = time.process_time()
        for start in range(0, len(self.release), PLAIN_BYTES):
            seal(cipher, self.release[start : start + PLAIN_BYTES])
        ciphering = time.process_time() - started
        return Floor(
            columns=_seconds(self.columns),
            upload=_seconds(self.upload),
            deflate=deflate,
            cipher=ciphering,
        )


def moved(inputs: Inputs, scratch: Path) -> Moved:
    """Make the release once and return its bytes, and those it was made from."""
    engine_runs.cold(inputs, _JOB, scratch)
    secret = keys.parse_secret_key(inputs.public_key.with_suffix(".sec").read_text())
    release = io.BytesIO()
    with engine_runs.output_of(scratch).open("rb") as source:
        decrypt_stream(source, release, secret)
    return Moved(
        columns=_sections(inputs.store.with_name(inputs.store.name + COLUMNS_SUFFIX)),
        upload=list(_blocks(inputs.vcf.read_bytes())),
        release=release.getvalue(),
        level=inputs.subset_job(_JOB, scratch).bgzf_level,
    )


def _sections(path: Path) -> _Packed:
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


def _blocks(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the blocks of a BGZF file whose only extra field is BC (SAM, 4.1)."""
    start = 0
    while start < len(data):
        (size,) = struct.unpack_from("<H", data, start + 16)
        end = start + size + 1
        (plain,) = struct.unpack_from("<L", data, end - 4)
        if plain:
            yield data[start + 18 : end - 8], plain
        start = end


def _inflated(packed: bytes, size: int) -> bytes:
    return igzip_lib.decompress(packed, igzip_lib.DECOMP_DEFLATE, 15, size)


def _seconds(parts: _Packed) -> float:
    started = time.process_time()
    for packed, size in parts:
        _inflated(packed, size)
    return time.process_time() - started


def measure(known: Moved, inputs: Inputs, scratch: Path) -> Round:
    """Do the work that is left, and the whole job in either process."""
    floor, cold = known.floor(), engine_runs.cold(inputs, _JOB, scratch)
    with spare.kept():
        warm = engine_runs.warm(inputs, _JOB, scratch)
    return Round(floor, cold.cpu_seconds, warm.cpu_seconds)


def report(name: str, rounds: Sequence[Round]) -> float:
    """Print a row; return how many times the upload's floor a new process takes."""

    def median(of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, rounds))

    seconds = (
        median(lambda each: each.floor.columns),
        median(lambda each: each.floor.upload),
        median(lambda each: each.floor.deflate),
        median(lambda each: each.floor.cipher),
        median(lambda each: each.cold),
        median(lambda each: each.warm),
    )
    ratios = (
        median(lambda each: each.cold / each.floor.of_columns),
        median(lambda each: each.warm / each.floor.of_columns),
        cold := median(lambda each: each.cold / each.floor.of_upload),
        median(lambda each: each.warm / each.floor.of_upload),
    )
    cells = [f"{name} {_JOB}", *(f"{part:.2f} s" for part in seconds)]
    cells += [*(f"**{ratio:.1f}x**" for ratio in ratios), f"<= {_TO_REACH:g}x"]
    print(f"| {' | '.join(cells)} |", flush=True)
    return cold


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
            rounds = [measure(known, inputs, scratch) for _ in range(options.rounds)]
        missed |= report(name, rounds) > _TO_REACH
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
