"""The folder of a witness: whom it trusts, what it saw, and what proves a loss."""

from pathlib import Path

import pytest

from ledger import cosigner, errors, memory
from ledger.cosigner import Cosigner
from ledger.tlog import cosignature, note
from tests import witnesses
from tests.witnesses import KEY, LOG, NEXT_KEY, STRANGER

WITNESS_KEY = note.SignerKey(name="w", seed=bytes(32), algorithm=note.COSIGNATURE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "witness"
    witnesses.make(found)
    return found


def last(folder: Path) -> int:
    return Cosigner(folder).last(KEY.name)[0].size


def test_the_time_of_a_cosignature_is_the_clock(folder: Path) -> None:
    witness = Cosigner(folder, clock=lambda: 1790000000.9)
    line = witness.add_checkpoint(LOG.submission(0, 5))
    signature = note.parse_signature(line[:-1])
    found = cosignature.verify(signature, LOG.head(5).text, witness.verifier)
    assert found == 1790000000


def test_it_tells_what_it_saw_last_and_when(folder: Path) -> None:
    witness = Cosigner(folder)
    assert witness.last(KEY.name) == (LOG.head(0), None)
    witness.add_checkpoint(LOG.submission(0, 5))
    seen, when = witness.last(KEY.name)
    assert seen == LOG.head(5)
    assert when is not None and when.tzinfo is not None


def test_no_witness_is_made_over_another_thing(folder: Path, tmp_path: Path) -> None:
    before = (folder / "key").read_bytes()
    with pytest.raises(errors.WitnessFolderInvalid, match="is not empty"):
        witnesses.make(folder)
    assert (folder / "key").read_bytes() == before
    with pytest.raises(errors.NoteInvalid, match="no spaces and no plus"):
        witnesses.make(tmp_path / "new", name="two words")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "text", ["example.com/log\n5\n", LOG.head(5).text + "\nmore\n", "a\nb\nc\n"]
)
def test_a_signed_text_that_is_no_checkpoint_is_refused(
    folder: Path, text: str
) -> None:
    with pytest.raises(errors.SubmissionInvalid, match="not a signed checkpoint"):
        Cosigner(folder).add_checkpoint(b"old 0\n\n" + KEY.sign(text))


def test_an_old_size_beyond_the_new_one_is_refused(folder: Path) -> None:
    with pytest.raises(errors.SubmissionInvalid, match="9 is larger than the size 8"):
        Cosigner(folder).add_checkpoint(b"old 9\n\n" + LOG.note(8))


def test_a_memory_under_the_name_of_another_log_is_not_adopted(folder: Path) -> None:
    (path,) = (folder / "seen").glob("*.checkpoint")
    memory.adopt(path, LOG.signed_by(STRANGER).head(5))
    with pytest.raises(errors.NotaryStateLost, match="is not of"):
        cosigner.moved(folder)


def test_logs_are_remembered_apart(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    witnesses.make(folder, KEY.verifier, STRANGER.verifier)
    witness = Cosigner(folder)
    witness.add_checkpoint(LOG.submission(0, 5))
    witness.add_checkpoint(LOG.signed_by(STRANGER).submission(0, 3))
    assert witness.last(KEY.name)[0].size == 5
    assert witness.last(STRANGER.name)[0].size == 3


def test_a_log_that_left_and_came_back_finds_its_history(folder: Path) -> None:
    Cosigner(folder).add_checkpoint(LOG.submission(0, 5))
    cosigner.add_log(folder, STRANGER.verifier)
    cosigner.remove_log(folder, KEY.verifier)
    with pytest.raises(errors.LogUnknown):
        Cosigner(folder).add_checkpoint(LOG.submission(5, 8))
    cosigner.add_log(folder, KEY.verifier)
    assert last(folder) == 5


def test_a_new_key_of_a_log_makes_no_new_memory(folder: Path) -> None:
    """Or a rotation would be the way around a lost memory."""
    (path,) = (folder / "seen").glob("*.checkpoint")
    path.unlink()
    cosigner.add_log(folder, NEXT_KEY.verifier)
    with pytest.raises(errors.NotaryStateLost):
        Cosigner(folder).check()


def test_a_key_is_trusted_once(folder: Path) -> None:
    cosigner.add_log(folder, KEY.verifier)
    assert Cosigner(folder).logs() == (KEY.verifier,)
    with pytest.raises(errors.WitnessFolderInvalid, match="trusts no such key"):
        cosigner.remove_log(folder, NEXT_KEY.verifier)


def test_a_key_that_cosigns_is_not_the_key_of_a_log(folder: Path) -> None:
    with pytest.raises(errors.KeyFileInvalid, match="of type 1"):
        cosigner.add_log(folder, WITNESS_KEY.verifier)


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff", None])
def test_a_folder_without_its_key_is_no_witness(
    folder: Path, content: bytes | None
) -> None:
    path = folder / "key"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(errors.WitnessFolderInvalid, match="holds no key of a witness"):
        Cosigner(folder)


def test_the_key_of_a_log_is_not_that_of_a_witness(folder: Path) -> None:
    (folder / "key").write_text(KEY.text)
    with pytest.raises(errors.WitnessFolderInvalid, match="a key of type 4"):
        Cosigner(folder)


def test_a_damaged_list_of_logs_trusts_nobody(folder: Path) -> None:
    (folder / "logs").write_text("example.com/log\n")
    with pytest.raises(errors.WitnessFolderInvalid, match="one verifier key a line"):
        Cosigner(folder).add_checkpoint(LOG.submission(0, 5))


def roll_back(folder: Path) -> bytes:
    """Put a state of 5 entries back over one of 8; return what was cosigned."""
    witness = Cosigner(folder)
    witness.add_checkpoint(LOG.submission(0, 5))
    line = witness.add_checkpoint(LOG.submission(5, 8))
    (path,) = (folder / "seen").glob("*.checkpoint")
    # As the image of a whole disk does: the date tells nothing.
    memory.adopt(path, LOG.head(5))
    return LOG.note(8) + line.encode()


def test_its_own_cosignature_proves_that_it_was_rolled_back(folder: Path) -> None:
    cosigned = roll_back(folder)
    proof_lines = LOG.submission(5, 8).partition(b"\n\n")[0]
    witness = Cosigner(folder)
    with pytest.raises(errors.NotaryStateLost, match="an old state was restored"):
        witness.add_checkpoint(proof_lines + b"\n\n" + cosigned)
    # For good: nobody knows what else was cosigned.
    for each in (witness, Cosigner(folder)):
        with pytest.raises(errors.NotaryStateLost):
            each.add_checkpoint(LOG.submission(5, 6))
    with pytest.raises(errors.NotaryStateLost):
        cosigner.moved(folder)


def test_its_own_cosignature_of_what_it_knows_proves_nothing(folder: Path) -> None:
    witness = Cosigner(folder)
    line = witness.add_checkpoint(LOG.submission(0, 5))
    again = b"old 5\n\n" + LOG.note(5) + line.encode()
    assert witness.add_checkpoint(again)


def test_a_forged_cosignature_of_its_name_stops_nothing(folder: Path) -> None:
    witness = Cosigner(folder)
    line = witness.add_checkpoint(LOG.submission(0, 5))
    # Its line under the 5, moved under the 8.
    head, _, rest = LOG.submission(5, 8).partition(b"\n\n")
    assert witness.add_checkpoint(head + b"\n\n" + rest + line.encode())
    assert last(folder) == 8


def test_who_moves_a_folder_answers_for_it(folder: Path) -> None:
    Cosigner(folder).add_checkpoint(LOG.submission(0, 5))
    (path,) = (folder / "seen").glob("*.checkpoint")
    text, _, stamp = path.read_text().rpartition(" ")
    path.write_text(f"{text} {int(stamp) - 3600 * 10**9}\n")
    with pytest.raises(errors.NotaryStateLost, match="restored, copied or touched"):
        Cosigner(folder).check()
    assert cosigner.moved(folder) == [LOG.head(5)]
    assert last(folder) == 5
