"""Notes are those of C2SP signed-note and of Go's sumdb."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import canonical, note
from ledger.tlog.note import SignerKey, VerifierKey

VECTORS = Path(__file__).parents[2] / "vectors" / "tlog"

published = json.loads((VECTORS / "notes.json").read_text(encoding="utf-8"))

ALMA = SignerKey(name="example.com/alma", seed=bytes(range(32)))
OTHER = SignerKey(name="example.com/other", seed=bytes(32))
TEXT = "an origin\n7\nsome text\n"
SIGNED = ALMA.sign(TEXT)
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], min_codepoint=32),
    max_size=30,
)


def test_our_signature_is_the_published_one() -> None:
    key = SignerKey.from_text(published["signer_key"])
    made = key.sign(published["text"])
    assert made.decode() == f"{published['text']}\n{published['signature_line']}"
    assert key.verifier.text == published["verifier_key"]
    assert key.text == published["signer_key"]


def test_the_published_note_verifies() -> None:
    key = VerifierKey.from_text(published["verifier_key"])
    whole = f"{published['text']}\n{published['signature_line']}"
    parsed = note.parse(whole.encode())
    assert note.verify(parsed, [key]) == (key,)
    assert parsed.text == published["text"]


@pytest.mark.parametrize("text", published["verifier_keys"])
def test_verifier_keys_of_others_read_and_write_back(text: str) -> None:
    assert VerifierKey.from_text(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        *published["refused_verifier_keys"],
        "",
        "+",
        published["verifier_key"][1:],
        published["verifier_key"][:-1],
        published["verifier_key"].replace("c74f", "C74F"),
        published["verifier_key"].replace("Peter", "Pe ter"),
        published["verifier_key"] + "\n",
    ],
)
def test_a_mangled_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(errors.KeyFileInvalid):
        VerifierKey.from_text(text)


@pytest.mark.parametrize(
    "text",
    [
        published["verifier_key"],
        published["signer_key"].replace("c74f20a3", "c74f20a4"),
        published["signer_key"][:-4],
    ],
)
def test_a_mangled_signer_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(errors.KeyFileInvalid) as refused:
        SignerKey.from_text(text)
    assert "AYEKFALVF" not in str(refused.value)


def test_a_signer_key_does_not_show_its_seed() -> None:
    assert "seed" not in repr(ALMA)


@given(TEXTS)
def test_what_is_signed_verifies(line: str) -> None:
    text = f"{line}\n"
    parsed = note.parse(ALMA.sign(text))
    assert parsed.text == text
    assert note.verify(parsed, [OTHER.verifier, ALMA.verifier]) == (ALMA.verifier,)


def test_any_flipped_bit_is_refused() -> None:
    for at in range(len(SIGNED)):
        for bit in range(8):
            changed = bytearray(SIGNED)
            changed[at] ^= 1 << bit
            with pytest.raises(errors.NoteInvalid):
                note.verify(note.parse(bytes(changed)), [ALMA.verifier])


@given(st.binary(max_size=200))
def test_garbage_raises_note_invalid(data: bytes) -> None:
    with pytest.raises(errors.NoteInvalid):
        note.verify(note.parse(data), [ALMA.verifier])


def test_a_note_of_two_keys_verifies_for_each_and_for_both() -> None:
    both = SIGNED + OTHER.sign(TEXT).rpartition(b"\n\n")[2]
    parsed = note.parse(both)
    assert note.verify(parsed, [ALMA.verifier]) == (ALMA.verifier,)
    assert note.verify(parsed, [OTHER.verifier]) == (OTHER.verifier,)
    assert set(note.verify(parsed, [ALMA.verifier, OTHER.verifier])) == {
        ALMA.verifier,
        OTHER.verifier,
    }


def test_a_false_signature_of_a_known_key_spoils_the_note() -> None:
    false = OTHER.sign("another text\n").rpartition(b"\n\n")[2]
    parsed = note.parse(SIGNED + false)
    with pytest.raises(errors.NoteInvalid, match="is not of this text"):
        note.verify(parsed, [ALMA.verifier, OTHER.verifier])
    # To someone who does not know the second key it is noise, as the format asks.
    assert note.verify(parsed, [ALMA.verifier]) == (ALMA.verifier,)


def test_a_note_of_unknown_keys_is_refused() -> None:
    parsed = note.parse(SIGNED)
    with pytest.raises(errors.NoteInvalid, match=r"not signed by example\.com/other"):
        note.verify(parsed, [OTHER.verifier])
    with pytest.raises(errors.NoteInvalid, match="not signed by any known key"):
        note.verify(parsed, [])


def test_a_namesake_with_another_key_does_not_verify() -> None:
    namesake = SignerKey(name=ALMA.name, seed=bytes(32)).verifier
    with pytest.raises(errors.NoteInvalid, match="not signed by"):
        note.verify(note.parse(SIGNED), [namesake])


def test_sixteen_signatures_are_accepted_and_a_hundred_are_not() -> None:
    line = SIGNED.rpartition(b"\n\n")[2]
    keys = [SignerKey(name=f"example.com/{n}", seed=bytes(32)) for n in range(15)]
    many = SIGNED + b"".join(key.sign(TEXT).rpartition(b"\n\n")[2] for key in keys)
    assert len(note.parse(many).signatures) == 16
    with pytest.raises(errors.NoteInvalid, match="at most 128 signatures"):
        note.parse(SIGNED + line * 128)


def test_a_known_key_signs_a_note_once_and_an_unknown_one_as_it_likes() -> None:
    line = SIGNED.rpartition(b"\n\n")[2]
    parsed = note.parse(SIGNED + line)
    with pytest.raises(errors.NoteInvalid, match="more than once"):
        note.verify(parsed, [ALMA.verifier])
    strange = OTHER.sign(TEXT).rpartition(b"\n\n")[2]
    assert note.verify(note.parse(SIGNED + strange * 2), [ALMA.verifier]) == (
        ALMA.verifier,
    )


def test_a_key_that_is_asked_for_twice_signed_once() -> None:
    parsed = note.parse(SIGNED)
    assert note.verify(parsed, [ALMA.verifier] * 2) == (ALMA.verifier,)


def test_a_signature_writes_the_line_it_was_read_from() -> None:
    line = SIGNED.rpartition(b"\n\n")[2].decode()
    assert note.parse_signature(line[:-1]).line == line
    with pytest.raises(errors.NoteInvalid, match="signature line must be"):
        note.parse_signature(line)


def test_a_witness_key_has_another_id_and_signs_no_plain_note() -> None:
    witness = SignerKey(name=ALMA.name, seed=ALMA.seed, algorithm=note.COSIGNATURE)
    assert witness.verifier.public_key == ALMA.verifier.public_key
    assert witness.verifier.key_id != ALMA.verifier.key_id
    assert SignerKey.from_text(witness.text) == witness
    assert VerifierKey.from_text(witness.verifier.text) == witness.verifier
    with pytest.raises(errors.NoteInvalid, match="of type 04, one of type 01"):
        witness.sign(TEXT)
    (signature,) = note.parse(SIGNED).signatures
    with pytest.raises(errors.NoteInvalid, match="of type 04, one of type 01"):
        witness.verifier.verify(signature, TEXT)


def test_a_post_quantum_key_is_refused_by_its_type() -> None:
    material = canonical.encode_base64(b"\x06" + bytes(1312))
    with pytest.raises(errors.KeyFileInvalid, match="type 06 of 1312 bytes came"):
        VerifierKey.from_text(f"example.com/w+01020304+{material}")


def test_any_flipped_bit_of_a_verifier_key_is_refused() -> None:
    text = ALMA.verifier.text.encode()
    for at in range(len(text)):
        for bit in range(8):
            changed = bytearray(text)
            changed[at] ^= 1 << bit
            with pytest.raises(errors.KeyFileInvalid):
                VerifierKey.from_text(changed.decode("latin-1"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"x" * (256 * 1024 + 1), "at most 262144 bytes"),
        (b"\xff\n\nx\n", "UTF-8"),
        (b"text\n", "empty line"),
        (b"text", "end in a newline"),
        (b"te\txt\n\nx\n", "control characters"),
        (SIGNED + b"\n", "signature line must be"),
        (SIGNED.replace("—".encode(), b"-"), "signature line must be"),
        (SIGNED.replace(b"=\n", b"==\n"), "base64"),
        ("text\n\n— name AAAAAA==\n".encode(), "longer than its key id"),
    ],
)
def test_another_form_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(errors.NoteInvalid, match=message):
        note.parse(data)


@pytest.mark.parametrize("text", ["no newline", "", "a\tb\n", "a\rb\n"])
def test_a_text_that_is_no_note_is_not_signed(text: str) -> None:
    with pytest.raises(errors.NoteInvalid):
        ALMA.sign(text)


@pytest.mark.parametrize("name", ["", "two words", "one+one", "tab\t", "zero\u200b"])
def test_a_name_that_others_could_not_read_is_refused(name: str) -> None:
    with pytest.raises(errors.NoteInvalid, match="no spaces and no plus"):
        note.check_name(name)
