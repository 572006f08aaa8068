"""Measure the claims made of the ledger; print a Markdown table.

    uv run benchmarks/ledger.py [--only sequence cover replay prove]

Each row is measured in a process of its own, on an empty ledger of its own.
"""

import sys

# This folder is no place to import from: `ledger` here is a script.
sys.path.pop(0)

import argparse
import os
import platform
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import databases
from benchmarks.databases import Backend, Database
from ledger import cosigner
from ledger.tlog.note import SignerKey
from tests import waiting

_HEAD = """\
| claim | to reach | measured |
| --- | --- | --- |"""
# (backend, batch, events, entries a second to reach)
_SEQUENCED: tuple[tuple[Backend, int, int, int | None], ...] = (
    ("postgresql", 1, 1000, None),
    ("postgresql", 256, 50_000, 5_000),
    ("sqlite", 1, 1000, None),
    ("sqlite", 256, 50_000, 10_000),
)
_COVERED_EVENTS = 200
_REPLAYED = 1_000_000
_PROVED = (1_000_000, 10_000_000)
_PROOFS = 1000


def sequence() -> None:
    """Measure sequencing on each database, with batches of 1 and of 256."""
    for backend, batch, events, goal in _SEQUENCED:
        with databases.fresh(backend) as database:
            rate = float(database.run("benchmarks.sequencing", batch, events))
        _row(
            f"entries sequenced, {backend}, batches of {batch}",
            f">= {goal:,}/s" if goal else "-",
            f"{rate:,.0f}/s",
        )


def cover() -> None:
    """Measure the way from a commit to a checkpoint of two witnesses."""
    for backend in databases.BACKENDS:
        with databases.fresh(backend) as database, _two_witnesses(database):
            printed = database.run("benchmarks.covering", _COVERED_EVENTS)
        median, slow = map(float, printed.split())
        _row(
            f"accepted -> cosigned by 2 witnesses, {backend}, p95",
            "<= 2 s",
            f"{slow:.2f} s (median {median:.2f} s)",
        )


def replay() -> None:
    """Measure the replay of a large log."""
    (seconds,) = map(float, _run("benchmarks.replaying", _REPLAYED))
    _row(f"replay of {_REPLAYED:,} entries", "<= 20 s", f"{seconds:.1f} s")


def prove() -> None:
    """Measure proofs from the tiles of large trees, and the size of a receipt."""
    for size in _PROVED:
        median, slow, length = map(float, _run("benchmarks.proving", size, _PROOFS))
        _row(
            f"inclusion proof in {size:,} entries, p95",
            "<= 5 ms",
            f"{slow * 1000:.2f} ms (median {median * 1000:.2f} ms)",
        )
        _row(
            f"receipt from {size:,} entries, two cosignatures",
            "<= 2.5 KB",
            f"{length:,.0f} bytes",
        )


_SECTIONS: dict[str, Callable[[], None]] = {
    "sequence": sequence,
    "cover": cover,
    "replay": replay,
    "prove": prove,
}


@contextmanager
def _two_witnesses(database: Database) -> Iterator[None]:
    """Run two witnesses, their 2-of-2 policy, and the process that publishes by it."""
    database.run("django", "init_ledger")
    site = Path(database.environment["GEMMULE_DATA_DIR"])
    key = SignerKey.from_text((site / "keys" / "ledger.key").read_text().strip())
    lines = [f"log {key.verifier.text}"]
    with ExitStack() as running:
        for number in range(2):
            folder = database.folder / f"witness{number}"
            name = f"witness{number}.example.org/w1"
            verifier = cosigner.init(folder, name=name, logs=[key.verifier])
            listen = ("--listen", "127.0.0.1:0")
            said = _start(running, database, "ledger.witness", "serve", folder, *listen)
            url = said(rf"{name} listens on (\S+)")
            lines.append(f"witness w{number} {verifier.text} {url}")
        lines += ["group both all w0 w1", "quorum both"]
        policy = database.folder / "policy"
        policy.write_text("".join(f"{line}\n" for line in lines))
        database.environment["GEMMULE_LEDGER_POLICY"] = str(policy)
        said = _start(running, database, "django", "publish_ledger", "--follow")
        said(r"(publishing) what comes")
        yield


def _start(
    running: ExitStack, database: Database, module: str, *arguments: str | Path
) -> Callable[[str], str]:
    """Start a process that ends with the block; return how to wait for its words."""
    process = database.start(module, *arguments)
    running.callback(process.wait)
    running.callback(process.terminate)

    def said(pattern: str) -> str:
        def look() -> re.Match[str] | None:
            return re.search(pattern, database.log())

        match = waiting.until(look, what=f"the words {pattern}")
        assert match is not None, "it waits for a match"
        return match[1]

    return said


def _run(module: str, *arguments: int) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.split()


def _row(claim: str, goal: str, measured: str) -> None:
    print(f"| {claim} | {goal} | {measured} |", flush=True)


def main() -> None:
    """Run the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=_SECTIONS, default=[*_SECTIONS])
    options = parser.parse_args()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f} at the start\n\n{_HEAD}",
        flush=True,
    )
    for name in options.only:
        _SECTIONS[name]()


if __name__ == "__main__":
    main()
