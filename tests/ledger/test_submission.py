"""The body of add-checkpoint has one form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import errors, submission
from ledger.submission import Submission
from tests.witnesses import LOG

HASH = st.binary(min_size=32, max_size=32)


@given(
    old=st.integers(1, 2**53 - 1),
    proof=st.lists(HASH, max_size=63).map(tuple),
    rest=st.binary(),
)
def test_what_is_written_is_read(
    old: int, proof: tuple[bytes, ...], rest: bytes
) -> None:
    made = Submission(old_size=old, consistency=proof, checkpoint=rest)
    assert submission.parse(made.encode()) == made


@given(st.binary())
def test_garbage_is_refused_as_such(body: bytes) -> None:
    try:
        found = submission.parse(body)
    except errors.SubmissionInvalid:
        return
    assert found.encode() == body


def test_its_bytes_are_those_of_the_specification() -> None:
    made = Submission(old_size=7, consistency=(bytes(32),), checkpoint=LOG.note(9))
    assert made.encode() == (
        b"old 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + LOG.note(9)
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"old 7\n", "an empty line stands before"),
        (b"\n\nrest", "the first line must be: old SIZE"),
        (b"old 07\n\nrest", "the first line"),
        (b"old -1\n\nrest", "the first line"),
        (b"old  7\n\nrest", "the first line"),
        (b"old 7 \n\nrest", "the first line"),
        (b"old 7\r\n\nrest", "the first line"),
        (b"Old 7\n\nrest", "the first line"),
        ("old \N{ARABIC-INDIC DIGIT SEVEN}\n\nrest".encode(), "must be ASCII"),
        (b"old 10000000000000000000\n\nrest", "the first line"),
        (b"old 7\n" + b"A" * 44 + b"\n\nrest", "has 32 bytes, not 33"),
        (b"old 7\nAAAA\n\nrest", "has 32 bytes, not 3"),
        (b"old 7\n" + b"A" * 42 + b"B=\n\nrest", "not the exact base64"),
        (b"old 7\n" + (b"A" * 43 + b"=\n") * 64 + b"\nrest", "at most 63 lines, 64"),
        (b"old 0\n" + b"A" * 43 + b"=\n\nrest", "a proof from size 0 is empty"),
    ],
)
def test_another_form_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(errors.SubmissionInvalid, match=reason):
        submission.parse(body)
