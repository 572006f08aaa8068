"""A log written into a folder as tlog-tiles lays it out, by definition and not by ours.

Nothing here uses the code that copies, tiles or checks logs.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ledger.tlog import checkpoint, cosignature, entry, hashing, note, receipt
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import Entry
from ledger.tlog.hashing import LeafHash
from ledger.tlog.note import SignerKey
from ledger.tlog.policy import Policy

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
KEY = SignerKey(name="example.com/log", seed=bytes(range(32)))
THIEF = SignerKey(name=KEY.name, seed=bytes(32))
WITNESSES = tuple(
    SignerKey(
        name=f"{name}.example", seed=name.encode() * 4, algorithm=note.COSIGNATURE
    )
    for name in ("hospital", "library0", "registry")
)


def policy_text(quorum: int = 2, key: SignerKey = KEY) -> str:
    names = [each.name.partition(".")[0] for each in WITNESSES]
    lines = [f"log {key.verifier.text}"]
    for name, each in zip(names, WITNESSES, strict=True):
        lines.append(f"witness {name} {each.verifier.text}")
    if quorum:
        lines.append(f"group outside {quorum} {' '.join(names)}")
    lines.append("quorum outside" if quorum else "quorum none")
    return "".join(f"{line}\n" for line in lines)


POLICY = Policy.parse(policy_text())
ALONE = Policy.single(KEY.verifier)


def values_of(seq: int, **changes: Any) -> dict[str, Any]:
    """Return the values of an entry: genesis, then consents."""
    genesis = {"origin": KEY.name, "key_id": KEY.verifier.key_id.hex()}
    return {
        "type": "consent.given" if seq else "log.genesis",
        "pub": {} if seq else genesis,
        "commit": hashlib.sha256(b"body %d" % seq).digest(),
        "time": START + timedelta(seconds=seq),
        **changes,
    }


def chain(values: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return entries with these values whose every link is right."""
    log: list[bytes] = []
    prev = entry.NO_PREVIOUS
    for seq, each in enumerate(values):
        log.append(entry.encode(Entry(seq=seq, prev=prev, **each)))
        prev = hashing.leaf_hash(log[-1])
    return log


def log_of(size: int, **changes: dict[str, Any]) -> list[bytes]:
    """Return a log; `e5={...}` changes values of entry 5."""
    return chain([values_of(seq, **changes.get(f"e{seq}", {})) for seq in range(size)])


def root_of(log: Sequence[bytes]) -> bytes:
    return hashing.root_hash(hashing.leaf_hash(each) for each in log)


def signed(
    log: Sequence[bytes],
    *,
    key: SignerKey = KEY,
    witnesses: Sequence[SignerKey] = WITNESSES[:2],
    at: datetime | None = None,
) -> bytes:
    """Return the signed and cosigned checkpoint of a log."""
    head = Checkpoint(origin=key.name, size=len(log), root=root_of(log))
    time = int((at or START + timedelta(seconds=len(log))).timestamp())
    lines = [cosignature.cosign(head.text, each, time=time) for each in witnesses]
    return checkpoint.sign(head, key) + "".join(lines).encode()


def receipt_of(log: Sequence[bytes], index: int, **options: Any) -> bytes:
    """Return the receipt of an entry, its path as the RFC writes it."""
    return receipt.Receipt(
        entry=log[index],
        index=index,
        proof=tuple(_path(index, [hashing.leaf_hash(each) for each in log])),
        note=signed(log, **options),
    ).encode()


def write(folder: Path, log: Sequence[bytes], **options: Any) -> Path:
    """Write the files of a log into the folder, over those of an earlier size."""
    for tile_path, data in files_of(log).items():
        path = folder / tile_path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    folder.mkdir(exist_ok=True)
    (folder / "checkpoint").write_bytes(signed(log, **options))
    return folder


def files_of(log: Sequence[bytes]) -> dict[str, bytes]:
    """Return the tiles and bundles of a log by their paths."""
    found: dict[str, bytes] = {}
    hashes: list[bytes] = [hashing.leaf_hash(each) for each in log]
    for start in range(0, len(log), 256):
        some = log[start : start + 256]
        bundle = b"".join(len(each).to_bytes(2, "big") + each for each in some)
        found[path_of("entries", start // 256, len(some))] = bundle
    level = 0
    while hashes:
        for start in range(0, len(hashes), 256):
            some_hashes = hashes[start : start + 256]
            path = path_of(str(level), start // 256, len(some_hashes))
            found[path] = b"".join(some_hashes)
        # Only full tiles are hashed into the level above.
        hashes = [
            _node(hashes[start : start + 256])
            for start in range(0, len(hashes) - 255, 256)
        ]
        level += 1
    return found


def path_of(level: str, index: int, width: int) -> str:
    assert index < 1000, "larger ones are in the tests of tiles"
    return f"tile/{level}/{index:03}" + (f".p/{width}" if width < 256 else "")


def _path(index: int, leaves: Sequence[LeafHash]) -> list[bytes]:
    # PATH(m, D[n]), RFC 6962 section 2.1.1
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:split], leaves[split:]
    if index < split:
        return [*_path(index, left), hashing.root_hash(right)]
    return [*_path(index - split, right), hashing.root_hash(left)]


def _node(hashes: Sequence[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [
            hashing.node_hash(hashes[at], hashes[at + 1])
            for at in range(0, len(hashes), 2)
        ]
    return hashes[0]
