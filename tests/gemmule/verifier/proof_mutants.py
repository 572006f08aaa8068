"""Change what proves a release: its manifest, its receipt, and whom one believes."""

import base64
import hashlib
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gemmule.verifier import errors
from genomics.crypt4gh import keys
from ledger import errors as ledger_errors
from ledger.tlog import hashing
from tests.gemmule.verifier.file_mutants import parts
from tests.gemmule.verifier.handed_out import HandedOut
from tests.gemmule.verifier.mutants import (
    Mutant,
    flipped,
    leaves,
    other_value,
    signed,
    with_leaf,
)
from tests.ledger import written

# What a manifest says twice: changed in one place, it contradicts itself.
BOUND_WITHIN = ("v", "samples", "commitments", "cohort_root")


def flips_in_the_manifest(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    manifest = handed.one.manifest
    broken = (errors.ManifestInvalid, errors.ManifestForged)
    for place in chance.sample(range(len(manifest)), 200):
        yield Mutant(
            what=f"byte {place} of the manifest",
            given={"manifest": flipped(manifest, place, chance.randrange(8))},
            reasons=broken,
        )
    cuts = [manifest[:end] for end in chance.sample(range(len(manifest)), 20)]
    longer = [manifest + more for more in (b" ", b"\n", manifest)]
    spaced = json.dumps(json.loads(manifest)).encode()
    for number, data in enumerate([*cuts, *longer, spaced]):
        yield Mutant(
            what=f"manifest {number}, cut, longer or written otherwise",
            given={"manifest": data},
            reasons=(errors.ManifestInvalid,),
        )


def fields_of_the_manifest(
    handed: HandedOut, chance: random.Random
) -> Iterator[Mutant]:
    """Yield manifests with each value changed under the signature that it has."""
    whole = json.loads(handed.one.manifest)
    for path in leaves(whole):
        yield Mutant(
            what=f"{path} changed",
            given={"manifest": rfc8785.dumps(with_leaf(whole, path, other_value))},
            reasons=(errors.ManifestForged,),
        )
    for key in whole["manifest"]:
        rest = {name: one for name, one in whole["manifest"].items() if name != key}
        yield Mutant(
            what=f"without {key}",
            given={"manifest": rfc8785.dumps({**whole, "manifest": rest})},
            reasons=(errors.ManifestForged,),
        )


def signed_by_another(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    """Yield manifests with each value changed and signed anew by somebody else."""
    thief = Ed25519PrivateKey.generate()
    body = json.loads(handed.one.manifest)["manifest"]
    changed = {"nothing": body} | {
        str(path): with_leaf(body, path, other_value)
        for path in leaves(body)
        if path[0] not in BOUND_WITHIN
    }
    places: list[str] = body["commitments"]
    changed |= {
        "one sample less": with_samples(body, places[1:]),
        "a sample more": with_samples(body, [*places, b64(bytes(32))]),
        "two samples swapped": with_samples(body, [places[1], places[0], *places[2:]]),
        "a file less": {**body, "files": body["files"][:1]},
    }
    for what, said in changed.items():
        yield Mutant(
            what=f"{what} changed and signed by another",
            given={"manifest": signed(said, thief)},
            reasons=(errors.NotOnLedger,),
        )
    for path in leaves(body):
        if path[0] in BOUND_WITHIN:
            said = with_leaf(body, path, other_value)
            yield Mutant(
                what=f"{path} changed alone and signed by another",
                given={"manifest": signed(said, thief)},
                reasons=(errors.ManifestInvalid,),
            )
    for key in body:
        rest = {name: one for name, one in body.items() if name != key}
        yield Mutant(
            what=f"without {key}, signed by another",
            given={"manifest": signed(rest, thief)},
            # Older manifests do not say this, and that they are older the ledger knows.
            reasons=(
                errors.NotOnLedger
                if key == "records_withheld"
                else errors.ManifestInvalid,
            ),
        )


def other_manifests(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    """Yield another file with a manifest that fits it, and the receipt of the first."""
    yield Mutant(
        what="another release's manifest",
        given={"manifest": handed.other.manifest},
        reasons=(errors.NotOnLedger,),
    )
    thief = Ed25519PrivateKey.generate()
    body = json.loads(handed.one.manifest)["manifest"]
    head, own = parts(handed.one.file)
    for number in range(1, len(own)):
        file = head + b"".join([*own[:number], *own[number + 1 :]])
        said = {
            **body["files"][0],
            "sha256_cipher": hashlib.sha256(file).hexdigest(),
            "size_bytes": len(file),
            "segments": len(own) - 1,
        }
        fitting = {**body, "files": [said, *body["files"][1:]]}
        yield Mutant(
            what=f"without segment {number}, and the manifest to fit",
            given={"file": file, "manifest": signed(fitting, thief)},
            reasons=(errors.NotOnLedger,),
        )
    secret, public = keys.generate()
    for_thief = {**body, "recipient_key": keys.fingerprint(public)}
    yield Mutant(
        what="another recipient, and the manifest to fit",
        given={"secret": secret, "manifest": signed(for_thief, thief)},
        reasons=(errors.NotOnLedger,),
    )


def flips_in_the_receipt(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    receipt = handed.one.receipt
    start = receipt.index(b"\n\n") + 2
    # The last two lines are the witnesses'.
    cosigned = len(b"".join(receipt.splitlines(keepends=True)[:-2]))
    for place in chance.sample(range(len(receipt)), 260):
        data = flipped(receipt, place, chance.randrange(8))
        if data[place] == ord("\n"):
            continue  # It could move the border between the parts told apart here.
        if place < start:
            reasons: tuple[type[Exception], ...] = (
                ledger_errors.ReceiptInvalid,
                ledger_errors.EntryInvalid,
                ledger_errors.ProofInvalid,
            )
        elif place < cosigned:
            reasons = (ledger_errors.NoteInvalid,)
        else:  # A witness who is not named so is none of the policy's.
            reasons = (ledger_errors.NoteInvalid, ledger_errors.QuorumNotMet)
        yield Mutant(
            what=f"byte {place} of the receipt",
            given={"receipt": data},
            reasons=reasons,
        )


def lines_of_the_receipt(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    lines = handed.one.receipt.splitlines(keepends=True)
    gap = lines.index(b"\n")
    for number in range(len(lines)):
        if 3 <= number < gap:
            reason: type[Exception] = ledger_errors.ProofInvalid
        elif number <= gap:
            reason = ledger_errors.ReceiptInvalid
        elif number < len(lines) - 2:
            reason = ledger_errors.NoteInvalid
        else:
            reason = ledger_errors.QuorumNotMet
        yield Mutant(
            what=f"the receipt without line {number}",
            given={"receipt": b"".join([*lines[:number], *lines[number + 1 :]])},
            reasons=(reason,),
        )


def cuts_of_the_receipt(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    receipt = handed.one.receipt
    start = receipt.index(b"\n\n") + 2
    for end in chance.sample(range(start), 20):
        yield Mutant(
            what=f"only {end} bytes of the receipt",
            given={"receipt": receipt[:end] or b"\n"},
            reasons=(ledger_errors.ReceiptInvalid,),
        )
    for end in chance.sample(range(start, len(receipt)), 20):
        whole = receipt[:end].endswith(b"\n")  # All but the witnesses that were cut.
        yield Mutant(
            what=f"only {end} bytes of the receipt",
            given={"receipt": receipt[:end]},
            reasons=(ledger_errors.NoteInvalid,)
            + (ledger_errors.QuorumNotMet,) * whole,
        )


def receipts_of_others(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    for number, receipt in enumerate([handed.other.receipt, *handed.others_receipts]):
        yield Mutant(
            what=f"the receipt of another entry, {number}",
            given={"receipt": receipt},
            reasons=(errors.NotOnLedger,),
        )


def other_policies(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    lines = handed.policy.splitlines()
    three = handed.policy.replace("group outside 2", "group outside 3")
    everyone = handed.policy.replace("group outside 2", "group outside all")
    only_third = "\n".join([*lines[:4], f"quorum {lines[3].split()[1]}", ""])
    for what, policy in (
        ("three of three", three),
        ("all", everyone),
        ("the one who did not", only_third),
    ):
        yield Mutant(
            what=f"a policy that asks for {what}",
            given={"policy": policy},
            reasons=(ledger_errors.QuorumNotMet,),
        )
    yield Mutant(
        what="a policy of another log",
        given={"policy": written.policy_text(quorum=2)},
        reasons=(ledger_errors.NoteInvalid,),
    )


KINDS: tuple[Callable[[HandedOut, random.Random], Iterator[Mutant]], ...] = (
    flips_in_the_manifest,
    fields_of_the_manifest,
    signed_by_another,
    other_manifests,
    flips_in_the_receipt,
    lines_of_the_receipt,
    cuts_of_the_receipt,
    receipts_of_others,
    other_policies,
)


def with_samples(body: dict[str, Any], places: list[str]) -> dict[str, Any]:
    """Return a manifest of these places, right in itself."""
    leaves_of = [hashing.leaf_hash(base64.b64decode(one)) for one in places]
    root = b64(hashing.root_hash(leaves_of))
    return {
        **body,
        "commitments": places,
        "cohort_root": root,
        "samples": len(places),
    }


def b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
