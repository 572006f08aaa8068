"""A receipt shows an entry of the log to whoever believes its policy, or nothing."""

import dataclasses
import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors
from ledger.tlog import checkpoint, cosignature, entry, hashing, proof, receipt
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import NO_PREVIOUS, Entry
from ledger.tlog.hashing import Frontier
from ledger.tlog.policy import Policy
from ledger.tlog.receipt import Receipt
from tests.ledger.tlog.cast import KEYS, LOG, LOG_LINE, TIME, WITNESSES

SIZE = 21
POLICY = Policy.parse(f"{LOG_LINE}{WITNESSES}quorum X1\n")
UNREAD = (errors.ReceiptInvalid, errors.EntryInvalid, errors.ProofInvalid)
UNSIGNED = (errors.NoteInvalid, errors.CheckpointInvalid)


def write_log() -> list[bytes]:
    log: list[bytes] = []
    start = datetime(2026, 11, 22, 15, 43, 34, 123000, tzinfo=UTC)
    for seq in range(SIZE):
        log.append(
            entry.encode(
                Entry(
                    seq=seq,
                    prev=hashing.leaf_hash(log[-1]) if log else NO_PREVIOUS,
                    time=start + timedelta(seconds=seq),
                    type="subject.erased",
                    pub={},
                    commit=bytes([seq]) * 32,
                )
            )
        )
    return log


ENTRIES = write_log()
LEAVES = [hashing.leaf_hash(each) for each in ENTRIES]


def sign(size: int = SIZE) -> bytes:
    root = hashing.root_hash(LEAVES[:size])
    head = Checkpoint(origin=LOG.name, size=size, root=root)
    line = cosignature.cosign(head.text, KEYS["X1"], time=TIME)
    return checkpoint.sign(head, LOG) + line.encode()


def issue(index: int, size: int = SIZE) -> Receipt:
    subtree = proof.subtrees_of(Frontier(), LEAVES)
    return Receipt(
        entry=ENTRIES[index],
        index=index,
        proof=tuple(proof.inclusion_proof(index, size, subtree)),
        note=sign(size),
    )


GOOD = issue(13)
DATA = GOOD.encode()
LINES = DATA.decode().splitlines(keepends=True)
# The empty line before the note.
GAP = LINES.index("\n")


def check(data: bytes) -> receipt.Checked:
    return receipt.check(Receipt.parse(data), POLICY)


@pytest.mark.parametrize("index", range(SIZE))
def test_a_receipt_of_every_entry_is_read_back_and_believed(index: int) -> None:
    made = issue(index)
    assert Receipt.parse(made.encode()) == made
    found = receipt.check(made, POLICY)
    assert (found.index, found.entry.commit) == (index, bytes([index]) * 32)
    assert found.cosigned.checkpoint.size == SIZE
    assert [each.name for each in found.cosigned.cosigners] == ["X1"]


def test_the_first_entry_of_a_log_of_one_needs_no_hash() -> None:
    made = issue(0, size=1)
    assert made.proof == ()
    assert b"index 0\n\nexample.com/log\n1\n" in made.encode()
    assert check(made.encode()).index == 0


def test_a_receipt_is_written_in_the_lines_of_the_specification() -> None:
    assert LINES[0] == "c2sp.org/tlog-proof@v1\n"
    assert LINES[1].startswith("extra eyJ")
    assert LINES[2] == "index 13\n"
    assert GAP == 3 + len(GOOD.proof) == 8
    assert "".join(LINES[GAP + 1 :]).encode() == GOOD.note
    assert len(DATA) < 2500


def test_any_flipped_bit_is_refused_by_what_it_spoils() -> None:
    head = len("".join(LINES[:GAP]))
    for at in range(len(DATA)):
        for bit in range(8):
            changed = bytearray(DATA)
            changed[at] ^= 1 << bit
            # A newline that is none any more runs head and note into each other.
            refusal = UNREAD if at <= head else UNSIGNED
            with pytest.raises(refusal):
                check(bytes(changed))


def test_a_changed_line_is_refused() -> None:
    for at, line in enumerate(LINES):
        for changed in (
            [*LINES[:at], *LINES[at + 1 :]],
            [*LINES[:at], line, *LINES[at:]],
            [*LINES[:at], line.replace("\n", "\r\n"), *LINES[at + 1 :]],
            [*LINES[:at], line.replace("\n", " \n"), *LINES[at + 1 :]],
            [*LINES[:at], f" {line}", *LINES[at + 1 :]],
            [*LINES[:at], line.replace("\n", ""), *LINES[at + 1 :]],
            [*LINES[:at], "\n", *LINES[at:]],
            [*LINES[:at], f"{bytes(32).hex()}\n", *LINES[at:]],
        ):
            with pytest.raises(errors.VerificationError):
                check("".join(changed).encode())


def test_two_lines_change_places_only_where_both_are_signatures() -> None:
    first_signature = LINES.index("\n", GAP + 1) + 1
    for one, other in itertools.combinations(range(len(LINES)), 2):
        swapped = list(LINES)
        swapped[one], swapped[other] = LINES[other], LINES[one]
        data = "".join(swapped).encode()
        # Signatures have no order, and the two empty lines are alike.
        if one >= first_signature or data == DATA:
            assert check(data) == check(DATA)
            continue
        with pytest.raises(errors.VerificationError):
            check(data)


@pytest.mark.parametrize("end", range(0, len(DATA), 7))
def test_a_receipt_cut_short_is_refused(end: int) -> None:
    with pytest.raises(errors.VerificationError):
        check(DATA[:end])


@pytest.mark.parametrize("more", [b"\n", b" ", b"\x00", b"x\n", b"\n\n", DATA])
def test_a_receipt_with_something_behind_or_before_it_is_refused(more: bytes) -> None:
    for data in (DATA + more, more + DATA):
        with pytest.raises(errors.VerificationError):
            check(data)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (LINES[0], "", "first line must be"),
        (LINES[0], "c2sp.org/tlog-proof@v2\n", "first line must be"),
        (LINES[1], "", "extra and a value"),
        (LINES[1], "extra\n", "extra and a value"),
        (LINES[1], "extra \n", "extra and a value"),
        (LINES[1], "extra  eyJ9\n", "not base64"),
        (LINES[1], "Extra eyJ9\n", "extra and a value"),
        (LINES[1], "extra AB==\n", "not the exact base64"),
        (LINES[2], "", "index and a value"),
        (LINES[2], "index \n", "index and a value"),
        (LINES[2], "index 013\n", "plain decimal"),
        (LINES[2], "index +13\n", "plain decimal"),
        (LINES[2], "index -13\n", "plain decimal"),
        (LINES[2], "index 13 \n", "plain decimal"),
        (LINES[2], "index 1_3\n", "plain decimal"),
        (LINES[2], "index 9007199254740992\n", "plain decimal"),
        (LINES[2], f"index {'9' * 5000}\n", "plain decimal"),
        (LINES[3], LINES[3][:-2] + "\n", "not base64"),
        (LINES[3], "AAAA\n", "a hash has 32 bytes, not 3"),
        (LINES[3], "\N{DIGIT ONE}\N{SNOWMAN}\n", "ascii"),
        (LINES[3], LINES[3] * 61, "at most 64 hashes, not 65"),
    ],
)
def test_another_form_is_no_receipt(old: str, new: str, message: str) -> None:
    with pytest.raises(errors.ReceiptInvalid, match=message):
        Receipt.parse(DATA.decode().replace(old, new, 1).encode())


def test_no_empty_line_and_no_end_are_no_receipt() -> None:
    with pytest.raises(errors.ReceiptInvalid, match="an empty line"):
        Receipt.parse("".join(LINES[:GAP]).encode())
    with pytest.raises(errors.ReceiptInvalid, match="has at most"):
        Receipt.parse(DATA + bytes(receipt.MAX_BYTES))


@given(st.binary(max_size=200))
def test_garbage_raises_receipt_invalid(data: bytes) -> None:
    with pytest.raises(errors.ReceiptInvalid):
        Receipt.parse(data)
    with pytest.raises(errors.VerificationError):
        check(b"c2sp.org/tlog-proof@v1\n" + data)


def test_the_entry_of_another_place_is_refused() -> None:
    for index in {*range(SIZE + 1), 2**53 - 1} - {13}:
        with pytest.raises(errors.ReceiptInvalid, match="holds entry 13"):
            receipt.check(dataclasses.replace(GOOD, index=index), POLICY)


def test_another_entry_under_the_same_number_is_refused() -> None:
    forged = entry.encode(
        dataclasses.replace(entry.parse(GOOD.entry), commit=bytes(32))
    )
    with pytest.raises(errors.ProofInvalid, match="another root"):
        receipt.check(dataclasses.replace(GOOD, entry=forged), POLICY)


def test_bytes_that_are_no_entry_are_refused() -> None:
    with pytest.raises(errors.EntryInvalid):
        receipt.check(dataclasses.replace(GOOD, entry=b"{}"), POLICY)


def test_any_flipped_bit_of_the_entry_is_refused() -> None:
    for at in range(len(GOOD.entry)):
        for bit in range(8):
            changed = bytearray(GOOD.entry)
            changed[at] ^= 1 << bit
            with pytest.raises(UNREAD):
                receipt.check(dataclasses.replace(GOOD, entry=bytes(changed)), POLICY)


def test_the_proof_or_the_note_of_another_size_is_refused() -> None:
    for size in (14, 16, 20):
        other = issue(13, size)
        assert receipt.check(other, POLICY).cosigned.checkpoint.size == size
        for mixed in (
            dataclasses.replace(GOOD, proof=other.proof),
            dataclasses.replace(GOOD, note=other.note),
        ):
            with pytest.raises(errors.ProofInvalid):
                receipt.check(mixed, POLICY)
    # A checkpoint from before the entry covers nothing of it.
    with pytest.raises(errors.ProofInvalid, match="leaf 13 is not in a tree of 13"):
        receipt.check(dataclasses.replace(GOOD, note=sign(13)), POLICY)


def test_a_receipt_needs_the_quorum_of_the_policy() -> None:
    text, _, rest = GOOD.note.partition(b"\n\n")
    alone = text + b"\n\n" + rest.partition(b"\n")[0] + b"\n"
    with pytest.raises(errors.QuorumNotMet):
        receipt.check(dataclasses.replace(GOOD, note=alone), POLICY)
    single = Policy.single(LOG.verifier)
    assert receipt.check(dataclasses.replace(GOOD, note=alone), single).index == 13
