"""A checkpoint is three lines, signed in the name of its log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import checkpoint, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey

KEY = SignerKey(name="example.com/log", seed=bytes(range(32)))
HEAD = Checkpoint(origin="example.com/log", size=20852163, root=bytes(range(32)))
TEXT = "example.com/log\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


def test_the_text_of_a_checkpoint() -> None:
    assert HEAD.text == TEXT
    assert checkpoint.parse(TEXT) == HEAD


def test_the_example_of_the_specification_reads() -> None:
    text = (
        "example.com/behind-the-sofa\n"
        "20852163\n"
        "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )
    found = checkpoint.parse(text)
    assert (found.origin, found.size) == ("example.com/behind-the-sofa", 20852163)
    assert found.text == text


@given(st.integers(1, 2**53 - 1), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_opens_with_the_key_of_its_log(size: int, root: bytes) -> None:
    made = Checkpoint(origin=KEY.name, size=size, root=root)
    assert checkpoint.open_note(checkpoint.sign(made, KEY), KEY.verifier) == made


def test_the_empty_tree_has_one_root() -> None:
    empty = Checkpoint(origin="log", size=0, root=hashing.EMPTY_ROOT)
    assert checkpoint.parse(empty.text) == empty
    with pytest.raises(errors.CheckpointInvalid, match="an empty tree"):
        checkpoint.parse(Checkpoint(origin="log", size=0, root=bytes(32)).text)


def test_any_flipped_bit_is_refused() -> None:
    signed = checkpoint.sign(HEAD, KEY)
    for at in range(len(signed)):
        for bit in range(8):
            changed = bytearray(signed)
            changed[at] ^= 1 << bit
            with pytest.raises(errors.VerificationError):
                checkpoint.open_note(bytes(changed), KEY.verifier)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20852163", "020852163"),
        ("20852163", "+20852163"),
        ("20852163", "-1"),
        ("20852163", "2e7"),
        ("20852163", "\uff12\uff10"),
        ("20852163", "9007199254740992"),
        ("20852163", "9" * 5000),
        ("20852163", ""),
        ("Hh8=\n", "Hh9=\n"),
        ("Hh8=\n", "Hg==\n"),
        ("Hh8=\n", "Hh8=\n\n"),
        ("Hh8=\n", "Hh8=\nextension\n"),
        ("Hh8=\n", "Hh8="),
        ("Hh8=\n", "Hh8=\r\n"),
        ("example.com/log", ""),
        ("example.com/log", "the log"),
        ("example.com/log", "log+1"),
    ],
)
def test_another_text_is_refused(old: str, new: str) -> None:
    with pytest.raises(errors.CheckpointInvalid):
        checkpoint.parse(TEXT.replace(old, new))


@given(st.text(max_size=80))
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(errors.CheckpointInvalid):
        checkpoint.parse(text)


def test_a_key_signs_for_its_own_log_only() -> None:
    other = SignerKey(name="example.com/other", seed=bytes(32))
    with pytest.raises(errors.CheckpointInvalid, match="cannot sign for the log"):
        checkpoint.sign(HEAD, other)
    # Signed as a plain text, it is a checkpoint of another log than the key's.
    with pytest.raises(errors.CheckpointInvalid, match=r"one of example\.com/log came"):
        checkpoint.open_note(other.sign(HEAD.text), other.verifier)


def test_a_checkpoint_signed_by_another_key_is_refused() -> None:
    other = SignerKey(name=KEY.name, seed=bytes(32))
    with pytest.raises(errors.NoteInvalid, match="not signed by"):
        checkpoint.open_note(checkpoint.sign(HEAD, other), KEY.verifier)
