"""Witnesses are asked side by side, and none of them can hold up the others."""

import threading
import time
from collections.abc import Sequence

import pytest

from ledger import cosigning, errors, gathering
from ledger.gathering import Answer
from ledger.tlog import checkpoint, cosignature, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey, VerifierKey
from ledger.tlog.policy import Policy

LOG = SignerKey(name="example.com/log", seed=bytes(32))
KEYS = {
    name: SignerKey(
        name=f"{name}.example", seed=name.encode() * 16, algorithm=note.COSIGNATURE
    )
    for name in ("w0", "w1", "w2")
}
HEAD = Checkpoint(origin=LOG.name, size=9, root=bytes(32))
SIGNED = checkpoint.sign(HEAD, LOG)
TIME = 1_790_000_000


def policy(quorum: int, *, urls: bool = True) -> Policy:
    lines = [f"log {LOG.verifier.text}"]
    for name, key in KEYS.items():
        url = f" http://{name}" if urls else ""
        lines.append(f"witness {name} {key.verifier.text}{url}")
    lines += [f"group enough {quorum} {' '.join(KEYS)}", "quorum enough"]
    return Policy.parse("".join(f"{line}\n" for line in lines))


class Far:
    """The far side: what each witness does, and what it was asked."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.stuck: set[str] = set()
        self.sizes: dict[str, list[int]] = {}
        self.asked: list[tuple[str, int, tuple[bytes, ...]]] = []
        self.time = TIME

    def cosign(
        self,
        url: str,
        key: VerifierKey,
        *,
        old_size: int,
        proof: Sequence[bytes],
        note: bytes,
        timeout_s: float,
    ) -> str:
        name = url.removeprefix("http://")
        self.asked.append((name, old_size, tuple(proof)))
        if name in self.stuck:
            assert self.release.wait(60)
            raise errors.WitnessUnreachable("it is cut off")
        if self.sizes.get(name):
            size = self.sizes[name].pop(0)
            raise errors.WitnessRefused("answers 409", status=409, size=size)
        return cosignature.cosign(HEAD.text, KEYS[name], time=self.time)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Far:
    found = Far()
    monkeypatch.setattr(cosigning, "cosign", found.cosign)
    return found


def gather(quorum: int = 3, **known: int) -> list[Answer]:
    return gathering.gather(
        policy(quorum),
        SIGNED,
        size=HEAD.size,
        known={KEYS[name].verifier.text: size for name, size in known.items()},
        prove=lambda old_size: [b"from %d" % old_size],
        timeout_s=20,
        grace_s=0.05,
    )


def test_all_are_asked_from_where_they_are(far: Far) -> None:
    answers = gather(w0=3, w2=9)
    assert [each.witness.name for each in answers] == ["w0", "w1", "w2"]
    assert sorted(far.asked) == [
        ("w0", 3, (b"from 3",)),
        ("w1", 0, (b"from 0",)),
        ("w2", 9, (b"from 9",)),
    ]
    for answer in answers:
        assert answer.line is not None and answer.time is not None
        assert (answer.size, answer.failure) == (9, "")
        assert answer.time.timestamp() == TIME
    lines = "".join(each.line or "" for each in answers)
    cosigned = policy(3).check(SIGNED + lines.encode())
    assert len(cosigned.cosigners) == 3


def test_who_is_elsewhere_is_asked_once_more_and_no_oftener(far: Far) -> None:
    far.sizes = {"w0": [5], "w1": [5, 6], "w2": [12]}
    first, second, third = gather(w0=3, w1=3, w2=3)
    assert first.line is not None
    assert (second.line, second.size, second.failure) == (None, 6, "answers 409")
    assert (third.line, third.size) == (None, 12)
    assert "it cosigned 12 entries, this log has 9" in third.failure
    assert [each[1] for each in far.asked if each[0] == "w0"] == [3, 5]
    assert [each[1] for each in far.asked if each[0] == "w1"] == [3, 5]
    assert [each[1] for each in far.asked if each[0] == "w2"] == [3]


def test_the_same_size_again_is_a_fork_and_not_asked_twice(far: Far) -> None:
    far.sizes = {"w0": [3]}
    (first, _, _) = gather(w0=3)
    assert (first.line, first.size) == (None, 3)
    assert [each[1] for each in far.asked if each[0] == "w0"] == [3]


def test_one_that_is_cut_off_is_not_waited_for_once_there_are_enough(
    far: Far,
) -> None:
    far.stuck = {"w1"}
    begun = time.monotonic()
    try:
        answers = gather(quorum=2)
    finally:
        far.release.set()
    assert time.monotonic() - begun < 10
    assert [bool(each.line) for each in answers] == [True, False, True]
    assert answers[1].failure == "it did not answer in time"


def test_below_the_quorum_the_time_comes_to_an_end(far: Far) -> None:
    far.stuck = {"w1"}
    try:
        answers = gathering.gather(
            policy(3),
            SIGNED,
            size=9,
            known={},
            prove=lambda old_size: [],
            timeout_s=0.05,
        )
    finally:
        far.release.set()
    assert answers[1].failure == "it did not answer in time"
    assert answers[0].line and answers[2].line


def test_a_time_that_is_none_spoils_one_answer_and_not_the_note(far: Far) -> None:
    far.time = 2**62
    answers = gather()
    assert {each.failure for each in answers} == {"it cosigned at a time of no year"}
    assert not any(each.line for each in answers)


def test_a_witness_without_an_address_is_not_asked(far: Far) -> None:
    answers = gathering.gather(
        policy(1, urls=False), SIGNED, size=9, known={}, prove=lambda old_size: []
    )
    assert {each.failure for each in answers} == {"the policy names no address of it"}
    assert far.asked == []


def test_no_witness_is_no_question(far: Far) -> None:
    alone = Policy.single(LOG.verifier)
    assert (
        gathering.gather(alone, SIGNED, size=9, known={}, prove=lambda old_size: [])
        == []
    )
