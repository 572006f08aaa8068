"""Write the probe files of tests/vectors/merkle.

    uv run python -m tests.ledger.tlog.generate_probes

Proofs and verdicts come from the recursive formulas in `naive`, never from the code
that the probes are for. The format is that of the probe files of transparency-dev's
merkle library, so that these can be dropped in beside ours.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.ledger.tlog.naive import (
    EqualTree,
    NaiveTree,
    Refused,
    check_consistency,
    check_inclusion,
)

FOLDER = Path(__file__).parents[2] / "vectors" / "merkle"

TREE = NaiveTree([b"leaf %d" % number for number in range(300)])
# Trees too large to have 300 different leaves: all of theirs hold the same.
HUGE = EqualTree(b"leaf")
HUGE_SIZE = 2**63 + 12_345

NOTHING = hashlib.sha256().digest()
OTHER = hashlib.sha256(b"another hash").digest()
SHORT = b"too short"

Probe = dict[str, Any]


def probes() -> dict[str, Probe]:
    """Return the values of each probe by its path below the folder, without .json."""
    found: dict[str, Probe] = {}
    for tree, index, size in (
        (TREE, 0, 1),
        (TREE, 0, 8),
        (TREE, 2, 3),
        (TREE, 5, 7),
        (TREE, 255, 256),
        (TREE, 256, 257),
        # The last leaf stands alone: of those before it, the paths are longer.
        (HUGE, HUGE_SIZE - 1, HUGE_SIZE),
    ):
        leaf = tree.root(index, index + 1)
        good = inclusion(index, size, tree.root(0, size), leaf, [])
        good["proof"] = tree.path(index, 0, size)
        for name, probe in bend(good, bent_inclusion(good)):
            found[f"inclusion/leaf-{index}-of-{size}/{name}"] = probe
    for index, size in ((0, 0), (1, 0), (1, 1), (2**64 - 1, 0), (2**64 - 1, 2**64 - 1)):
        for name, root, leaf in (
            ("root-of-nothing", NOTHING, OTHER),
            ("leaf-of-nothing", OTHER, NOTHING),
            ("both-of-nothing", NOTHING, NOTHING),
            ("both-empty", b"", b""),
        ):
            probe = inclusion(index, size, root, leaf, [])
            found[f"inclusion/no-leaf-{index}-of-{size}/{name}"] = probe
    for tree, old, new in (
        (TREE, 1, 1),
        (TREE, 1, 8),
        (TREE, 3, 4),
        (TREE, 6, 8),
        (TREE, 4, 7),
        (TREE, 256, 257),
        (HUGE, HUGE_SIZE - 40, HUGE_SIZE),
    ):
        good = consistency(old, new, tree.root(0, old), tree.root(0, new), [])
        good["proof"] = tree.consistency(old, 0, new)
        for name, probe in bend(good, bent_consistency(good)):
            found[f"consistency/{old}-to-{new}/{name}"] = probe
    for name, probe in {
        "0-to-0/roots-alike": consistency(0, 0, NOTHING, NOTHING, []),
        "0-to-0/roots-differ": consistency(0, 0, NOTHING, OTHER, []),
        "0-to-0/roots-of-any-length": consistency(0, 0, SHORT, SHORT, []),
        "0-to-0/with-a-proof": consistency(0, 0, NOTHING, NOTHING, [NOTHING]),
        "0-to-1/without-a-proof": consistency(0, 1, NOTHING, OTHER, []),
        "0-to-1/roots-alike": consistency(0, 1, OTHER, OTHER, []),
        "0-to-1/with-a-proof": consistency(0, 1, NOTHING, OTHER, [OTHER]),
        "1-to-1/roots-of-any-length": consistency(1, 1, SHORT, SHORT, []),
        "1-to-1/both-empty": consistency(1, 1, b"", b"", []),
        "1-to-1/one-empty": consistency(1, 1, b"", OTHER, []),
        "1-to-0/back-in-time": consistency(1, 0, OTHER, NOTHING, []),
        "2-to-1/back-in-time": consistency(2, 1, OTHER, OTHER, []),
    }.items():
        found[f"consistency/{name}"] = probe
    return {path: judged(probe) for path, probe in found.items()}


def inclusion(
    index: int, size: int, root: bytes, leaf: bytes, proof: list[bytes]
) -> Probe:
    return {
        "leafIdx": index,
        "treeSize": size,
        "root": root,
        "leafHash": leaf,
        "proof": proof,
    }


def consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]
) -> Probe:
    return {
        "size1": old,
        "size2": new,
        "root1": old_root,
        "root2": new_root,
        "proof": proof,
    }


def bend(good: Probe, bent: Iterator[tuple[str, Probe]]) -> Iterator[tuple[str, Probe]]:
    """Yield the good probe and it with each change, the changes of its proof added."""
    yield "happy-path", good
    for name, change in bent:
        yield name, {**good, **change}
    proof = good["proof"]
    yield "proof-begins-with-nothing", {**good, "proof": [b"", *proof]}
    yield "proof-ends-with-nothing", {**good, "proof": [*proof, b""]}
    yield "proof-begins-with-another-hash", {**good, "proof": [OTHER, *proof]}
    yield "proof-ends-with-another-hash", {**good, "proof": [*proof, OTHER]}
    if not proof:
        return
    yield "proof-empty", {**good, "proof": []}
    yield "proof-without-its-first", {**good, "proof": proof[1:]}
    yield "proof-without-its-last", {**good, "proof": proof[:-1]}
    yield "proof-with-its-first-twice", {**good, "proof": [proof[0], *proof]}
    yield "proof-with-another-within", {**good, "proof": [proof[0], OTHER, *proof[1:]]}
    if len(proof) > 1:
        yield "proof-backwards", {**good, "proof": proof[::-1]}
        joined = [proof[0] + proof[1][:1], proof[1][1:], *proof[2:]]
        yield "proof-with-a-byte-moved", {**good, "proof": joined}
    for at in {0, len(proof) // 2, len(proof) - 1}:
        changed = list(proof)
        changed[at] = bytes([proof[at][0] ^ 8]) + proof[at][1:]
        yield f"proof-{at}-with-bit-3-changed", {**good, "proof": changed}


def bent_inclusion(good: Probe) -> Iterator[tuple[str, Probe]]:
    index, size, root = good["leafIdx"], good["treeSize"], good["root"]
    # As other implementations count: in 64 bits, from the end to the beginning.
    yield "index-minus-1", {"leafIdx": (index - 1) % 2**64}
    yield "index-plus-1", {"leafIdx": (index + 1) % 2**64}
    yield "index-xor-2", {"leafIdx": index ^ 2}
    yield "size-doubled", {"treeSize": size * 2 % 2**64}
    yield "size-halved", {"treeSize": size // 2}
    yield "leaf-too-short", {"leafHash": SHORT}
    yield "leaf-empty", {"leafHash": b""}
    yield "root-of-nothing", {"root": NOTHING}
    yield "root-of-another-tree", {"root": OTHER}
    yield "root-empty", {"root": b""}
    yield "root-and-leaf-empty", {"root": b"", "leafHash": b""}
    yield "proof-begins-with-the-root", {"proof": [root, *good["proof"]]}
    yield "proof-ends-with-the-root", {"proof": [*good["proof"], root]}


def bent_consistency(good: Probe) -> Iterator[tuple[str, Probe]]:
    old, new, proof = good["size1"], good["size2"], good["proof"]
    yield "size1-minus-1", {"size1": (old - 1) % 2**64}
    yield "size1-plus-1", {"size1": old + 1}
    yield "size1-xor-2", {"size1": old ^ 2}
    yield "size2-doubled", {"size2": new * 2 % 2**64}
    yield "size2-halved", {"size2": new // 2}
    yield "root1-too-short", {"root1": SHORT}
    yield "root2-too-short", {"root2": SHORT}
    yield "root1-empty", {"root1": b""}
    for number in (1, 2):
        root = good[f"root{number}"]
        yield f"proof-begins-with-root{number}", {"proof": [root, *proof]}
        yield f"proof-ends-with-root{number}", {"proof": [*proof, root]}
    if old != new:
        yield "roots-swapped", {"root1": good["root2"], "root2": good["root1"]}


def judged(probe: Probe) -> Probe:
    """Return the probe with the verdict of the naive walk."""
    try:
        if "leafIdx" in probe:
            check_inclusion(
                probe["leafIdx"],
                probe["treeSize"],
                probe["leafHash"],
                probe["proof"],
                probe["root"],
            )
        else:
            check_consistency(
                probe["size1"],
                probe["size2"],
                probe["root1"],
                probe["root2"],
                probe["proof"],
            )
    except Refused:
        return {**probe, "wantErr": True}
    return {**probe, "wantErr": False}


def text_of(path: str, probe: Mapping[str, Any]) -> str:
    """Return the JSON of a probe, hashes in base64, empty lists as null."""
    written = {
        key: [_base64(each) for each in value] or None
        if isinstance(value, list)
        else _base64(value)
        if isinstance(value, bytes)
        else value
        for key, value in probe.items()
    }
    written["desc"] = path.replace("-", " ").replace("/", ": ")
    return json.dumps(written, indent=2) + "\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def main() -> None:
    for path, probe in probes().items():
        file = FOLDER / f"{path}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text_of(path, probe), encoding="utf-8")


if __name__ == "__main__":
    main()
