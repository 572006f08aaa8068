"""A public ledger as files, and proofs about it as lines that other programs read."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ledger.tiling import Tiling
from ledger.tlog import canonical, checkpoint, hashing, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey
from ledger.tlog.proof import Subtrees
from ledger.tlog.tile import TileTree, encode_bundle, entry_tiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One proof: of leaf `index`, or from the tree of `old` leaves."""

    name: str
    size: int
    proof: tuple[bytes, ...]
    index: int | None = None
    old: int | None = None

    @property
    def line(self) -> str:
        """Return the proof as one line of JSON."""
        said: dict[str, Any] = {
            "name": self.name,
            "size": self.size,
            "proof": [canonical.encode_base64(each) for each in self.proof],
        }
        for key, value in (("index", self.index), ("old", self.old)):
            if value is not None:
                said[key] = value
        return json.dumps(said)


def write(folder: Path, *, size: int, key: SignerKey) -> None:
    """Write a log of `size` short entries, as C2SP's tlog-tiles has it."""
    entries = [f"entry {number}".encode() for number in range(size)]
    tiling = Tiling()
    for entry in entries:
        for tile, data in tiling.append(hashing.leaf_hash(entry)):
            _write(folder / tile.path, data)
    for tile, data in tiling.edge():
        _write(folder / tile.path, data)
    for bundle in entry_tiles(0, size):
        _write(folder / bundle.path, encode_bundle(entries[bundle.start : bundle.end]))
    head = Checkpoint(origin=key.name, size=size, root=tiling.root())
    _write(folder / "checkpoint", checkpoint.sign(head, key))


def tree(folder: Path, size: int) -> TileTree:
    """Return the tree read from the tiles of a folder."""
    return TileTree(size, lambda tile: (folder / tile.path).read_bytes())


def proofs(subtree: Subtrees, size: int, rng: random.Random) -> Iterator[Asked]:
    """Yield proofs of our making: all that end or start at an edge, and random ones."""
    indexes = {0, 1, size // 2, size - 2, size - 1, 255, 256, 65535, 65536}
    indexes |= {rng.randrange(size) for _ in range(150)}
    for index in sorted(each for each in indexes if 0 <= each < size):
        within = rng.randrange(index + 1, size + 1)
        for whole in {size, within}:
            yield Asked(
                name=f"leaf {index} of {whole}",
                index=index,
                size=whole,
                proof=tuple(proof.inclusion_proof(index, whole, subtree)),
            )
    olds = {1, 2, 3, 255, 256, 257, size // 2, size - 1, size, 65536, 65537}
    olds |= {rng.randrange(1, size + 1) for _ in range(100)}
    for old in sorted(each for each in olds if 1 <= each <= size):
        for whole in {size, rng.randrange(old, size + 1)}:
            yield Asked(
                name=f"from {old} to {whole}",
                old=old,
                size=whole,
                proof=tuple(proof.consistency_proof(old, whole, subtree)),
            )


def spoilt(good: Asked, rng: random.Random) -> Iterator[Asked]:
    """Yield proofs that must be refused, each a good one with one thing changed."""
    hashes = list(good.proof)
    if hashes:
        at = rng.randrange(len(hashes))
        flipped = bytearray(hashes[at])
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
        changed = [*hashes[:at], bytes(flipped), *hashes[at + 1 :]]
        yield _spoilt(good, "with a flipped bit", changed)
        yield _spoilt(good, "cut short", hashes[:-1])
        if len(set(hashes)) > 1:
            yield _spoilt(good, "turned round", hashes[::-1])
    yield _spoilt(good, "made longer", [*hashes, rng.randbytes(32)])
    if good.index is not None and good.size > 1:
        other = (good.index + rng.randrange(1, good.size)) % good.size
        yield replace(good, name=f"{good.name}, as leaf {other}", index=other)


def _spoilt(good: Asked, how: str, hashes: list[bytes]) -> Asked:
    return replace(good, name=f"{good.name}, {how}", proof=tuple(hashes))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def flip(path: Path, rng: random.Random) -> None:
    """Flip one bit of a file."""
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
