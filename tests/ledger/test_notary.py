"""The notary signs what extends what it signed, and remembers before it answers."""

from pathlib import Path

import pytest

from ledger import durable, errors, notary
from ledger.notary import Notary
from ledger.tlog import checkpoint, hashing, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import SignerKey

KEY = SignerKey(name="example.com/log", seed=bytes(range(32)))
LEAVES = [hashing.leaf_hash(b"%d" % number) for number in range(12)]
FORK = [*LEAVES[:3], hashing.leaf_hash(b"forged"), *LEAVES[4:]]


def head(size: int, leaves: list[hashing.LeafHash] = LEAVES) -> Checkpoint:
    root = hashing.root_hash(leaves[:size])
    return Checkpoint(origin=KEY.name, size=size, root=root)


def extends(old: int, new: int, leaves: list[hashing.LeafHash] = LEAVES) -> list[bytes]:
    return proof.consistency_proof(old, new, proof.subtrees_of(Frontier(), leaves))


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    path = tmp_path / "ledger" / "notary.checkpoint"
    notary.create_state(path, origin=KEY.name)
    return path


def test_the_first_checkpoint_needs_no_proof(memory: Path) -> None:
    signing = Notary(keys=[KEY], state_file=memory)
    assert signing.last_signed().size == 0
    signed = signing.sign(head(5), old_size=0, consistency=[])
    assert checkpoint.open_note(signed, KEY.verifier) == head(5)
    assert signing.last_signed() == head(5)


def test_a_longer_tree_is_signed_with_its_proof(memory: Path) -> None:
    signing = Notary(keys=[KEY], state_file=memory)
    size = 0
    for new in (1, 2, 5, 8, 11, 12):
        consistency = extends(size, new) if size else []
        signing.sign(head(new), old_size=size, consistency=consistency)
        size = new
    # Another process of the same memory goes on where this one was.
    assert Notary(keys=[KEY], state_file=memory).last_signed() == head(12)


def test_the_same_tree_is_signed_again(memory: Path) -> None:
    signing = Notary(keys=[KEY], state_file=memory)
    first = signing.sign(head(5), old_size=0, consistency=[])
    assert signing.sign(head(5), old_size=5, consistency=[]) == first


def test_a_smaller_tree_is_refused(memory: Path) -> None:
    signing = Notary(keys=[KEY], state_file=memory)
    signing.sign(head(5), old_size=0, consistency=[])
    with pytest.raises(errors.NotaryRefused, match=r"signs no smaller tree \(4\)"):
        signing.sign(head(4), old_size=5, consistency=[])
    assert signing.last_signed() == head(5)


@pytest.mark.parametrize("size", [5, 6, 12])
def test_another_history_is_refused(memory: Path, size: int) -> None:
    signing = Notary(keys=[KEY], state_file=memory)
    signing.sign(head(5), old_size=0, consistency=[])
    for consistency in ([], extends(5, size), extends(5, size, FORK)):
        with pytest.raises(errors.NotaryRefused, match="history was rewritten"):
            signing.sign(head(size, FORK), old_size=5, consistency=consistency)
    assert signing.last_signed() == head(5)


def test_a_proof_from_another_size_is_refused(memory: Path) -> None:
    signing = Notary(keys=[KEY], state_file=memory)
    signing.sign(head(5), old_size=0, consistency=[])
    for old in (0, 4):
        with pytest.raises(errors.NotaryRefused, match="signed 5 entries last"):
            signing.sign(
                head(8), old_size=old, consistency=extends(4, 8) if old else []
            )


def test_it_remembers_before_the_signature_leaves(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its memory on the disk there is no signature."""
    signing = Notary(keys=[KEY], state_file=memory)

    def full(path: Path, content: bytes) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "replace", full)
        with pytest.raises(OSError, match="no space"):
            signing.sign(head(5), old_size=0, consistency=[])
    assert signing.last_signed().size == 0


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff", b"example.com/log\n5\n", None]
)
def test_a_notary_that_lost_its_memory_signs_nothing(
    memory: Path, content: bytes | None
) -> None:
    if content is None:
        memory.unlink()
    else:
        memory.write_bytes(content)
    signing = Notary(keys=[KEY], state_file=memory)
    with pytest.raises(errors.NotaryStateLost, match="nothing is signed"):
        signing.sign(head(5), old_size=0, consistency=[])


def test_a_memory_is_not_made_anew_over_an_old_one(memory: Path) -> None:
    Notary(keys=[KEY], state_file=memory).sign(head(5), old_size=0, consistency=[])
    notary.create_state(memory, origin=KEY.name)
    assert notary.read_state(memory) == head(5)


def test_the_memory_of_another_log_is_refused(memory: Path) -> None:
    other = SignerKey(name="example.com/other", seed=bytes(32))
    with pytest.raises(errors.NotaryRefused, match=r"the key of example\.com/other"):
        Notary(keys=[other], state_file=memory).last_signed()
