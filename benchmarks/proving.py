"""Measure how long an inclusion proof takes from the tiles of a large tree on disk.

    python -m benchmarks.proving LEAVES PROOFS

Every tile is a file of its own, every proof begins without a cache of ours, and is
checked. Prints the median and the 95th percentile in seconds, and the size in bytes of
a receipt with two cosignatures.
"""

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import replaying
from ledger.tiles import TileStore
from ledger.tiling import Made, Tiling
from ledger.tlog import checkpoint, cosignature, hashing, note, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import LeafHash
from ledger.tlog.note import SignerKey
from ledger.tlog.receipt import Receipt
from ledger.tlog.tile import TileTree

_WITNESSES = tuple(
    SignerKey(
        name=f"witness.{name}.example.org/w1",
        seed=bytes([number]) * 32,
        algorithm=note.COSIGNATURE,
    )
    for number, name in enumerate(("hospital", "library"))
)


def main() -> None:
    """Write the tree, and time proofs of random leaves."""
    size, proofs = map(int, sys.argv[1:3])
    chance = random.Random(size)
    with tempfile.TemporaryDirectory(prefix="gm-") as name:
        root = _write(Path(name), size)
        store = TileStore(Path(name))
        seconds = []
        for _ in range(proofs):
            index = chance.randrange(size)
            started = time.perf_counter()
            path = proof.inclusion_proof(index, size, TileTree(size, store.read))
            seconds.append(time.perf_counter() - started)
            proof.verify_inclusion(
                index=index, size=size, leaf=_leaf(index), proof=path, root=root
            )
    cuts = statistics.quantiles(seconds, n=20)
    print(cuts[9], cuts[18], len(_receipt(size, index, path, root)))


def _leaf(index: int) -> LeafHash:
    return hashing.leaf_hash(index.to_bytes(8, "big"))


def _write(folder: Path, size: int) -> bytes:
    """Write all tiles; return the root. The disk may take its time to keep them."""
    tiling = Tiling()
    for index in range(size):
        _keep(folder, tiling.append(_leaf(index)))
    _keep(folder, tiling.edge())
    return tiling.root()


def _keep(folder: Path, made: list[Made]) -> None:
    for tile, data in made:
        path = folder / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _receipt(size: int, index: int, path: list[bytes], root: bytes) -> bytes:
    head = Checkpoint(origin=replaying.KEY.name, size=size, root=root)
    lines = [
        cosignature.cosign(head.text, key, time=1_800_000_000) for key in _WITNESSES
    ]
    return Receipt(
        entry=replaying.log(2)[1],
        index=index,
        proof=tuple(path),
        note=checkpoint.sign(head, replaying.KEY) + "".join(lines).encode(),
    ).encode()


if __name__ == "__main__":
    main()
