"""Cosignatures are those of C2SP tlog-cosignature and of the public witnesses."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import cosignature, note
from ledger.tlog.note import Signature, SignerKey, VerifierKey

VECTORS = Path(__file__).parents[2] / "vectors" / "tlog"

published = json.loads((VECTORS / "cosigned.json").read_text(encoding="utf-8"))

WITNESS = SignerKey(
    name="witness.example.com/w1", seed=bytes(range(32)), algorithm=note.COSIGNATURE
)
TEXT = "example.com/log\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
TIME = 1679315147


def read(line: str) -> Signature:
    return note.parse_signature(line.removesuffix("\n"))


@pytest.mark.parametrize("text", published["witness_keys"])
def test_the_cosignature_of_a_public_witness_verifies(text: str) -> None:
    key = VerifierKey.from_text(text)
    signed = note.parse(published["note"].encode())
    ((_, signature),) = note.signatures_of(signed, [key])
    time = cosignature.verify(signature, signed.text, key)
    assert time == datetime.fromisoformat(published["time"]).timestamp()


def test_the_signed_message_is_the_one_of_the_specification() -> None:
    signature = read(cosignature.cosign(TEXT, WITNESS, time=TIME))
    message = (
        "cosignature/v1\n"
        "time 1679315147\n"
        "example.com/log\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    assert signature.value[:8] == TIME.to_bytes(8, "big")
    assert signature.value[8:] == WITNESS.sign_bytes(message.encode())


@given(st.integers(0, cosignature.MAX_TIME))
def test_a_cosignature_verifies_and_tells_its_time(time: int) -> None:
    line = cosignature.cosign(TEXT, WITNESS, time=time)
    assert line.startswith("— witness.example.com/w1 ") and line.endswith("\n")
    assert cosignature.verify(read(line), TEXT, WITNESS.verifier) == time


def test_any_flipped_bit_of_time_signature_or_text_is_refused() -> None:
    signature = read(cosignature.cosign(TEXT, WITNESS, time=TIME))
    for at in range(len(signature.value)):
        for bit in range(8):
            changed = bytearray(signature.value)
            changed[at] ^= 1 << bit
            other = Signature(
                name=signature.name, key_id=signature.key_id, value=bytes(changed)
            )
            with pytest.raises(errors.NoteInvalid):
                cosignature.verify(other, TEXT, WITNESS.verifier)
    for at in range(len(TEXT)):
        text = TEXT[:at] + chr(ord(TEXT[at]) ^ 1) + TEXT[at + 1 :]
        with pytest.raises(errors.NoteInvalid, match="is not of this text"):
            cosignature.verify(signature, text, WITNESS.verifier)


def test_a_note_with_cosignatures_still_opens_and_needs_no_witness_key() -> None:
    log = SignerKey(name="example.com/log", seed=bytes(32))
    line = cosignature.cosign(TEXT, WITNESS, time=TIME)
    signed = note.parse(log.sign(TEXT) + line.encode())
    assert note.verify(signed, [log.verifier]) == (log.verifier,)


def test_another_witness_has_not_cosigned() -> None:
    other = SignerKey(name=WITNESS.name, seed=bytes(32), algorithm=note.COSIGNATURE)
    signature = read(cosignature.cosign(TEXT, WITNESS, time=TIME))
    with pytest.raises(errors.NoteInvalid, match="is not of this text"):
        cosignature.verify(signature, TEXT, other.verifier)


@pytest.mark.parametrize("length", [0, 64, 71, 73, 8 + 2420])
def test_a_cosignature_of_another_length_is_refused(length: int) -> None:
    signature = Signature(
        name=WITNESS.name, key_id=WITNESS.verifier.key_id, value=bytes(length)
    )
    with pytest.raises(errors.NoteInvalid, match="a cosignature has 72 bytes"):
        cosignature.verify(signature, TEXT, WITNESS.verifier)


def test_a_time_beyond_63_bits_is_neither_signed_nor_believed() -> None:
    for time in (-1, 2**63):
        with pytest.raises(errors.NoteInvalid, match="within 0 and 2"):
            cosignature.cosign(TEXT, WITNESS, time=time)
    value = b"\xff" * 8 + WITNESS.sign_bytes(
        f"cosignature/v1\ntime {2**64 - 1}\n{TEXT}".encode()
    )
    signature = Signature(
        name=WITNESS.name, key_id=WITNESS.verifier.key_id, value=value
    )
    with pytest.raises(errors.NoteInvalid, match="beyond 2"):
        cosignature.verify(signature, TEXT, WITNESS.verifier)


def test_a_log_key_cosigns_nothing() -> None:
    log = SignerKey(name=WITNESS.name, seed=WITNESS.seed)
    with pytest.raises(errors.NoteInvalid, match="of type 01, one of type 04"):
        cosignature.cosign(TEXT, log, time=TIME)
    signature = read(cosignature.cosign(TEXT, WITNESS, time=TIME))
    with pytest.raises(errors.NoteInvalid, match="of type 01, one of type 04"):
        cosignature.verify(signature, TEXT, log.verifier)


@pytest.mark.parametrize("text", ["no newline", "a\rb\n"])
def test_a_text_that_is_no_note_is_not_cosigned(text: str) -> None:
    with pytest.raises(errors.NoteInvalid):
        cosignature.cosign(text, WITNESS, time=TIME)
