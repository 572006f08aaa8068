"""A copy grows by what is verified, and nothing that is served makes it worse."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger import copying, errors, mirror, served
from ledger.sources import Folder
from ledger.tiles import TileStore
from ledger.tlog.note import SignerKey
from ledger.tlog.policy import Policy
from ledger.verify import Replay
from tests.ledger import written

LOG = written.log_of(700)

Snapshot = dict[str, bytes]


@pytest.fixture(autouse=True)
def _without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine flush when it likes: no power is cut here."""
    monkeypatch.setattr(os, "fsync", lambda file: None)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def pull(source: Path, copy: Path, policy: Policy = written.POLICY) -> copying.Copied:
    return mirror.pull(Folder(source), into=copy, policy=policy)


def check(copy: Path) -> int:
    return served.check(Folder(copy), written.POLICY).cosigned.checkpoint.size


def snapshot(folder: Path) -> Snapshot:
    """Return all files but locks and evidence."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix != ".lock"
        and path.name != ".lock"
        and path.parent.name != "evidence"
    }


def evidence(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "evidence").glob("*")]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 600])
def test_a_copy_is_the_log_itself(size: int, source: Path, copy: Path) -> None:
    written.write(source, LOG[:size])
    found = pull(source, copy)
    assert (found.new, found.cosigned.checkpoint.size) == (size, size)
    assert check(copy) == size
    kept = snapshot(copy)
    for path, data in snapshot(source).items():
        assert kept.pop(path) == data
    assert kept.keys() <= {"policy", "replay.json"}
    assert kept["policy"] == written.POLICY.text.encode()


@pytest.mark.parametrize(
    "sizes", [(1, 2, 3), (0, 10), (200, 300), (255, 256, 257), (256, 512), (40, 700)]
)
def test_a_copy_grows_with_the_log(
    sizes: tuple[int, ...], source: Path, copy: Path
) -> None:
    before = 0
    for size in sizes:
        written.write(source, LOG[:size])
        found = pull(source, copy)
        assert found.new == size - before
        before = check(copy)
        assert before == size


def test_only_what_is_new_is_fetched(source: Path, copy: Path) -> None:
    class Noting(Folder):
        asked: list[str] = []

        def fetch(self, path: str, *, limit: int) -> bytes:
            self.asked.append(path)
            return super().fetch(path, limit=limit)

    written.write(source, LOG[:600])
    pull(source, copy)
    written.write(source, LOG)
    mirror.pull(Noting(source), into=copy, policy=written.POLICY)
    assert Noting.asked == ["checkpoint", "tile/entries/002.p/188"]
    mirror.pull(Noting(source), into=copy, policy=written.POLICY)
    assert Noting.asked[2:] == ["checkpoint"]


def test_old_entries_are_not_replayed_again(
    source: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    fed: list[int] = []
    feed = Replay.feed

    def note(replay: Replay, data: bytes) -> Any:
        fed.append(replay.size)
        return feed(replay, data)

    monkeypatch.setattr(Replay, "feed", note)
    written.write(source, LOG)
    pull(source, copy)
    assert fed == list(range(600, 700))


def test_partial_tiles_make_room_for_full_ones(source: Path, copy: Path) -> None:
    for size in (200, 250, 300):
        written.write(source, LOG[:size])
        pull(source, copy)
    partial = {path for path in snapshot(copy) if ".p/" in path}
    assert partial == {
        "tile/entries/001.p/44",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    }


def test_more_cosignatures_for_the_same_tree_are_kept(source: Path, copy: Path) -> None:
    written.write(source, LOG[:9])
    pull(source, copy)
    written.write(source, LOG[:9], witnesses=written.WITNESSES)
    found = pull(source, copy)
    assert (found.new, len(found.cosigned.cosigners)) == (0, 3)
    assert snapshot(copy)["checkpoint"] == snapshot(source)["checkpoint"]


def forked(source: Path) -> None:
    written.write(source, written.log_of(700, e3={"commit": bytes(32)}))


def same_size(source: Path) -> None:
    written.write(source, written.log_of(600, e599={"commit": bytes(32)}))


def forked_later(source: Path) -> None:
    written.write(source, written.log_of(700, e590={"commit": bytes(32)}))


def other_entries(source: Path) -> None:
    note = written.signed(LOG)
    written.write(source, written.log_of(700, e650={"commit": bytes(32)}))
    (source / "checkpoint").write_bytes(note)


@pytest.mark.parametrize("attack", [forked, same_size, forked_later, other_entries])
def test_another_history_leaves_the_copy_and_its_checkpoint_as_evidence(
    attack: Callable[[Path], None], source: Path, copy: Path
) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    before = snapshot(copy)
    attack(source)
    with pytest.raises(errors.LogForked, match="is kept as"):
        pull(source, copy)
    assert snapshot(copy) == before
    assert evidence(copy) == [(source / "checkpoint").read_bytes()]
    # The true log goes on.
    written.write(source, LOG)
    assert pull(source, copy).new == 100
    assert check(copy) == 700


def test_an_older_checkpoint_is_refused(source: Path, copy: Path) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    before = snapshot(copy)
    written.write(source, LOG[:599])
    with pytest.raises(errors.LogBehind, match="covers 599 entries, the copy holds 60"):
        pull(source, copy)
    assert snapshot(copy) == before


def test_another_log_is_refused(source: Path, copy: Path) -> None:
    written.write(source, LOG[:9])
    pull(source, copy)
    other = SignerKey(name="example.org/other", seed=bytes(32))
    pub = {"origin": other.name, "key_id": other.verifier.key_id.hex()}
    log = written.log_of(12, e0={"pub": pub})
    written.write(source, log, key=other)
    with pytest.raises(errors.CheckpointInvalid, match="this is a copy of"):
        pull(source, copy, Policy.parse(written.policy_text(key=other)))


def damage_tile(source: Path) -> None:
    """Garbage in the bundle that is fetched next."""
    path = source / written.path_of("entries", 2, 188)
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def cut_bundle(source: Path) -> None:
    path = source / written.path_of("entries", 2, 188)
    path.write_bytes(path.read_bytes()[:-1])


def remove_bundle(source: Path) -> None:
    (source / written.path_of("entries", 2, 188)).unlink()


def damage_checkpoint(source: Path) -> None:
    path = source / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n700\n", b"\n701\n"))


def too_few_witnesses(source: Path) -> None:
    written.write(source, LOG, witnesses=written.WITNESSES[:1])


def back_date(source: Path) -> None:
    written.write(source, written.log_of(700, e650={"time": written.START}))


def unknown_key(source: Path) -> None:
    written.write(source, LOG, key=written.THIEF)


@pytest.mark.parametrize(
    ("attack", "refused"),
    [
        (damage_tile, errors.EntryMalformed),
        (cut_bundle, errors.TileInvalid),
        (remove_bundle, errors.FileNotServed),
        (damage_checkpoint, errors.NoteInvalid),
        (too_few_witnesses, errors.QuorumNotMet),
        (back_date, errors.TimeWentBack),
        (unknown_key, errors.NoteInvalid),
    ],
)
def test_bad_data_leave_the_copy_as_it_was(
    attack: Callable[[Path], None],
    refused: type[errors.LedgerError],
    source: Path,
    copy: Path,
) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    before = snapshot(copy)
    written.write(source, LOG)
    attack(source)
    with pytest.raises(refused):
        pull(source, copy)
    assert snapshot(copy) == before
    written.write(source, LOG)
    assert pull(source, copy).new == 100


def test_a_key_that_the_log_retired_is_refused(source: Path, copy: Path) -> None:
    key_id = written.KEY.verifier.key_id.hex()
    retired = {"type": "log.key", "pub": {"action": "retired", "key_id": key_id}}
    log = written.log_of(20, e12=retired)
    written.write(source, log[:9])
    pull(source, copy)
    written.write(source, log)
    with pytest.raises(errors.KeyUnannounced):
        pull(source, copy)
    assert check(copy) == 9


@pytest.mark.parametrize("kept", [None, b"", b"[]", b"{}", b"null", b'{"size":3}'])
def test_without_the_state_the_copy_is_replayed_anew(
    kept: bytes | None, source: Path, copy: Path
) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    state = copy / "replay.json"
    before = state.read_bytes()
    if kept is None:
        state.unlink()
    else:
        state.write_bytes(kept)
    written.write(source, LOG)
    assert pull(source, copy).new == 100
    assert check(copy) == 700
    assert json.loads(state.read_bytes())["size"] == 700
    # A state of an older copy is none of this one.
    state.write_bytes(before)
    written.write(source, written.log_of(701))
    assert pull(source, copy).new == 1


def test_a_damaged_copy_is_not_built_upon(source: Path, copy: Path) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    written.write(source, LOG)
    edge = copy / written.path_of("0", 2, 88)
    good = edge.read_bytes()
    edge.write_bytes(bytes(len(good)))
    with pytest.raises(errors.CopyDamaged, match="the newest hash tiles"):
        pull(source, copy)
    edge.write_bytes(good[:-1])
    with pytest.raises(errors.CopyDamaged, match="does not hold"):
        pull(source, copy)
    edge.write_bytes(good)
    (copy / "replay.json").unlink()
    old = copy / written.path_of("entries", 0, 256)
    old.write_bytes(old.read_bytes().replace(b"consent.given", b"consent.taken"))
    with pytest.raises(errors.CopyDamaged, match="does not hold: entry 1"):
        pull(source, copy)
    old.write_bytes(old.read_bytes().replace(b"consent.taken", b"consent.given"))
    full = copy / written.path_of("0", 2, 256)
    full.write_bytes(bytes(8192))
    written.write(source, written.log_of(800))
    with pytest.raises(errors.CopyDamaged, match=r"tile/0/002 in .* is full and holds"):
        pull(source, copy)
    assert check(copy) == 600
    (copy / "checkpoint").write_bytes(b"text\n")
    with pytest.raises(errors.CopyDamaged, match="the checkpoint of the copy is none"):
        pull(source, copy)


def test_a_run_that_was_killed_is_made_good_by_the_next(
    source: Path, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written.write(source, LOG[:600])
    pull(source, copy)
    written.write(source, LOG)
    writes = 0
    write = TileStore.write

    class Killed(BaseException):
        pass

    def die(store: TileStore, *arguments: Any) -> Any:
        nonlocal writes
        if store.root == copy:
            writes += 1
            if writes > 1:
                raise Killed
        return write(store, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(TileStore, "write", die)
        with pytest.raises(Killed):
            pull(source, copy)
    assert writes == 2 and check(copy) == 600
    (copy / ".incoming").mkdir()
    (copy / ".incoming" / "leftover").write_bytes(b"?")
    assert pull(source, copy).new == 100
    assert check(copy) == 700
    assert not (copy / ".incoming").exists()
