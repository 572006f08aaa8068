"""Measure how long the replay of a whole log takes: every entry parsed and checked.

    python -m benchmarks.replaying ENTRIES

The entries are in memory, as they are wherever they came from. Prints seconds.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from ledger import verify
from ledger.tlog import checkpoint, entry, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import Entry
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import SignerKey

KEY = SignerKey(name="ledger.example.org/gemmule", seed=bytes(range(32)))
_START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def log(size: int) -> list[bytes]:
    """Return a log of consents."""
    found: list[bytes] = []
    prev = entry.NO_PREVIOUS
    genesis = {"origin": KEY.name, "key_id": KEY.verifier.key_id.hex()}
    for seq in range(size):
        found.append(
            entry.encode(
                Entry(
                    seq=seq,
                    prev=prev,
                    time=_START + timedelta(milliseconds=seq),
                    type="consent.given" if seq else "log.genesis",
                    pub={"form_sha256": "0a" * 32} if seq else genesis,
                    commit=seq.to_bytes(32, "big"),
                )
            )
        )
        prev = hashing.leaf_hash(found[-1])
    return found


def main() -> None:
    """Make the log, and time its replay."""
    entries = log(int(sys.argv[1]))
    frontier = Frontier()
    for data in entries:
        frontier.append(hashing.leaf_hash(data))
    head = Checkpoint(origin=KEY.name, size=len(entries), root=frontier.root())
    note = checkpoint.sign(head, KEY)
    started = time.perf_counter()
    verify.replay(entries, note=note, key=KEY.verifier)
    print(time.perf_counter() - started)


if __name__ == "__main__":
    main()
