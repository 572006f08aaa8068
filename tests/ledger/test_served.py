"""A log is checked as it is served: a changed byte of any file is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger import errors, served
from ledger.sources import Folder
from ledger.tlog import checkpoint
from ledger.tlog.policy import Policy
from tests.ledger import written

SIZE = 600
LOG = written.log_of(SIZE)


class Guarded(Folder):
    """A folder that gives entries to nobody, and notes what it was asked for."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked: list[str] = []

    def fetch(self, path: str, *, limit: int) -> bytes:
        self.asked.append(path)
        if path.startswith("tile/entries/"):
            raise errors.SourceForbidden(f"{path} is for auditors")
        return super().fetch(path, limit=limit)


Place = Callable[[Path], Folder]

EITHER = pytest.mark.parametrize("place", [Folder, Guarded])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written.write(tmp_path / "log", LOG)


def check(place: Folder, policy: Policy = written.POLICY, **options: Any) -> Any:
    return served.check(place, policy, **options)


def test_a_sound_log_is_read_whole(folder: Path) -> None:
    found = check(Folder(folder))
    assert found.replay.size == found.cosigned.checkpoint.size == SIZE
    assert found.replay.frontier.root() == found.cosigned.checkpoint.root
    assert found.replay.first_time == written.START
    assert [each.name for each in found.cosigned.cosigners] == ["hospital", "library0"]


def test_without_entries_the_tree_is_checked_from_its_leaves(folder: Path) -> None:
    place = Guarded(folder)
    found = check(place)
    assert found.replay is None
    assert found.cosigned.checkpoint.size == SIZE
    # One bundle was asked for; then every hash tile was read.
    assert len([each for each in place.asked if "entries" in each]) == 1
    tiles = {each for each in written.files_of(LOG) if "entries" not in each}
    assert tiles <= set(place.asked)


@EITHER
@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 512])
def test_a_log_of_any_size_is_checked(size: int, place: Place, tmp_path: Path) -> None:
    log = LOG[:size]
    written.write(tmp_path, log)
    assert check(place(tmp_path)).cosigned.checkpoint.root == written.root_of(log)


@EITHER
def test_an_empty_log_is_checked(place: Place, tmp_path: Path) -> None:
    written.write(tmp_path, [])
    assert check(place(tmp_path)).cosigned.checkpoint.size == 0


def test_memory_does_not_grow_with_the_log(folder: Path) -> None:
    lengths = [len(some) for some in served.bundles(Folder(folder), 0, SIZE)]
    assert lengths == [256, 256, 88]
    assert [len(some) for some in served.bundles(Folder(folder), 512, SIZE)] == [88]


def paths() -> list[str]:
    return [*written.files_of(LOG), "checkpoint"]


@pytest.mark.parametrize("path", paths())
def test_a_flipped_bit_of_any_file_is_refused(path: str, folder: Path) -> None:
    file = folder / path
    data = file.read_bytes()
    for at in sorted({0, 1, len(data) // 3, len(data) // 2, len(data) - 1}):
        changed = bytearray(data)
        changed[at] ^= 1
        file.write_bytes(bytes(changed))
        with pytest.raises(errors.VerificationError):
            check(Folder(folder))
        if "entries" not in path:
            with pytest.raises(errors.VerificationError):
                check(Guarded(folder))
    file.write_bytes(data)
    check(Folder(folder))


@pytest.mark.parametrize("path", paths())
def test_a_file_cut_short_or_too_long_is_refused(path: str, folder: Path) -> None:
    file = folder / path
    data = file.read_bytes()
    for changed in (b"", data[:-1], data[: len(data) // 2], data + b"\n", data * 2):
        file.write_bytes(changed)
        with pytest.raises(errors.VerificationError):
            check(Folder(folder))


@pytest.mark.parametrize("path", paths())
def test_a_missing_file_is_named(path: str, folder: Path) -> None:
    (folder / path).unlink()
    with pytest.raises(errors.FileNotServed, match=path):
        check(Folder(folder))


@EITHER
def test_a_partial_tile_may_have_become_full(place: Place, folder: Path) -> None:
    log = LOG[:300]
    note = written.signed(log)
    (folder / "checkpoint").write_bytes(note)
    # What a log of 300 entries served is gone but for the tiles of the longer log.
    for path, data in written.files_of(log).items():
        if "tile/1" in path:
            (folder / path).write_bytes(data)
    assert check(place(folder)).cosigned.checkpoint.size == 300


def test_a_bundle_of_another_place_is_refused(folder: Path) -> None:
    bundles = [folder / written.path_of("entries", at, 256) for at in (0, 1)]
    first, second = (each.read_bytes() for each in bundles)
    bundles[0].write_bytes(second)
    bundles[1].write_bytes(first)
    with pytest.raises(errors.SequenceBroken, match="entry 0 was expected, entry 256"):
        check(Folder(folder))


def test_garbage_in_a_hash_tile_is_told_from_garbage_in_the_entries(
    folder: Path,
) -> None:
    tile = folder / written.path_of("0", 1, 256)
    tile.write_bytes(bytes(8192))
    with pytest.raises(errors.TileMismatch, match="tile/0/001 does not hold") as found:
        check(Folder(folder))
    assert found.value.seq == 256


def test_a_rewritten_log_does_not_give_the_signed_root(folder: Path) -> None:
    note = (folder / "checkpoint").read_bytes()
    rewritten = written.log_of(SIZE, e300={"type": "consent.withdrawn"})
    written.write(folder, rewritten)
    (folder / "checkpoint").write_bytes(note)
    for place in (Folder(folder), Guarded(folder)):
        with pytest.raises(errors.RootMismatch, match="rewritten after it was signed"):
            check(place)


def test_a_back_dated_entry_is_refused_although_all_is_signed(tmp_path: Path) -> None:
    log = written.log_of(SIZE, e300={"time": written.START})
    written.write(tmp_path, log)
    with pytest.raises(errors.TimeWentBack, match="entry 300"):
        check(Folder(tmp_path))
    # The tree alone does not tell: hence the word that entries were not read.
    assert check(Guarded(tmp_path)).replay is None


def test_below_the_quorum_nothing_is_believed(folder: Path) -> None:
    written.write(folder, LOG, witnesses=written.WITNESSES[:1])
    with pytest.raises(errors.QuorumNotMet, match="1 of the policy's 3 witnesses"):
        check(Folder(folder))
    assert check(Folder(folder), written.ALONE).cosigned.checkpoint.size == SIZE


def test_another_policy_refuses(folder: Path) -> None:
    other = Policy.parse(written.policy_text(key=written.THIEF))
    with pytest.raises(errors.NoteInvalid, match="not signed by"):
        check(Folder(folder), other)


def test_a_key_that_the_log_does_not_announce_is_refused(folder: Path) -> None:
    written.write(folder, LOG, key=written.THIEF)
    thief = Policy.parse(written.policy_text(key=written.THIEF))
    with pytest.raises(errors.KeyUnannounced, match="does not announce the key"):
        check(Folder(folder), thief)


@EITHER
@pytest.mark.parametrize("size", [0, 1, 255, 256, 300, SIZE])
def test_a_log_that_grew_from_a_kept_checkpoint_is_sound(
    size: int, place: Place, folder: Path
) -> None:
    kept = served.open_kept(written.signed(LOG[:size]), written.POLICY)
    assert check(place(folder), since=kept).cosigned.checkpoint.size == SIZE


@EITHER
@pytest.mark.parametrize("size", [1, 255, 256, 300, SIZE])
def test_a_log_of_another_history_is_refused(
    size: int, place: Place, folder: Path
) -> None:
    changed = written.log_of(SIZE, e0={"commit": bytes(32)})[:size]
    kept = served.open_kept(written.signed(changed), written.POLICY)
    with pytest.raises(errors.RootMismatch) as refused:
        check(place(folder), since=kept)
    assert refused.value.seq == size


@EITHER
def test_a_log_shorter_than_before_was_cut_off(place: Place, folder: Path) -> None:
    longer = served.open_kept(written.signed(written.log_of(700)), written.POLICY)
    with pytest.raises(errors.TailMissing, match="had 700 entries before and shows 60"):
        check(place(folder), since=longer)


def test_a_kept_checkpoint_is_of_this_log_and_signed(folder: Path) -> None:
    kept = written.signed(LOG[:300])
    assert served.open_kept(kept, written.POLICY).size == 300
    # What the log signed binds it, whoever cosigned.
    bare = written.signed(LOG[:9], witnesses=())
    assert served.open_kept(bare, written.POLICY).size == 9
    with pytest.raises(errors.NoteInvalid):
        served.open_kept(written.signed(LOG[:9], key=written.THIEF), written.POLICY)
    with pytest.raises(errors.NoteInvalid):
        served.open_kept(kept.replace(b"\n300\n", b"\n301\n"), written.POLICY)
    other = replace(checkpoint.parse(kept.decode().split("\n\n")[0] + "\n"), origin="x")
    with pytest.raises(errors.CheckpointInvalid, match="the checkpoint from before is"):
        check(Folder(folder), since=other)
