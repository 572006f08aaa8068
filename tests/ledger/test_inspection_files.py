"""What others read is held against the rows, and every difference has its code."""

import ast
import re
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from ledger import inspection, keys, models, publishing, services
from ledger.tiles import TileStore
from ledger.tlog import checkpoint
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey
from ledger.tlog.policy import Policy
from tests.ledger.circle import Circle
from tests.ledger.tampering import found

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]

NOBODY = SignerKey(name="gemmule.localhost/ledger", seed=bytes(32))


@pytest.fixture(autouse=True)
def _own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LEDGER_KEY_FILE", tmp_path / "keys" / "ledger.key")


@pytest.fixture
def public(events: list[uuid.UUID]) -> Path:
    """Return the files of a log of seven entries."""
    folder: Path = settings.LEDGER_PUBLIC_DIR
    return folder


def head_of(size: int, root: bytes) -> Checkpoint:
    return Checkpoint(origin=settings.LEDGER_ORIGIN, size=size, root=root)


def test_a_garbage_tile_is_found(public: Path) -> None:
    tile = public / "tile" / "0" / "000.p" / "7"
    data = bytearray(tile.read_bytes())
    data[3 * 32] ^= 1
    tile.write_bytes(data)
    assert found() == [("tile", 0)]
    tile.write_bytes(b"")
    assert found() == [("tile", 0)]


def test_a_garbage_bundle_is_found(public: Path) -> None:
    bundle = public / "tile" / "entries" / "000.p" / "7"
    bundle.write_bytes(bundle.read_bytes().replace(b"steward", b"auditor"))
    (finding,) = inspection.inspect().findings
    assert (finding.code, finding.seq) == ("tile", 0)
    assert finding.message.startswith("tile/entries/000.p/7 does not hold")


def test_a_lost_tile_is_found(public: Path, now: datetime) -> None:
    (public / "tile" / "entries" / "000.p" / "7").unlink()
    assert found() == [("tile-missing", 0)]
    publishing.rebuild()
    assert found() == []


def test_tiles_of_a_log_of_several_are_held_against_the_entries(
    record: Record, now: datetime, public: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Full tiles, one of the second level, and partial ones that full ones replaced."""
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(services, "settle", lambda *, now: None)
        for _ in range(300):
            record()
    services.settle(now=now)
    assert found() == []
    size = 307
    assert not (public / "tile" / "0" / "000.p").exists()
    second = public / "tile" / "1" / "000.p" / "1"
    kept = second.read_bytes()
    second.write_bytes(bytes(32))
    assert found() == [("tile", 0)]
    second.write_bytes(kept)
    first = public / "tile" / "0" / "001.p" / str(size - 256)
    first.write_bytes(bytes(first.stat().st_size))
    assert found() == [("tile", 256)]
    publishing.rebuild()
    assert found() == []
    (public / "tile" / "0" / "000").unlink()
    assert found() == [("tile-missing", 0)]


def test_a_lost_checkpoint_file_is_found(public: Path) -> None:
    (public / "checkpoint").unlink()
    assert found() == [("file-missing", 7)]


def test_a_checkpoint_file_that_is_none_is_found(public: Path) -> None:
    (public / "checkpoint").write_bytes(b"garbage")
    assert found() == [("file", None)]


def test_an_old_checkpoint_file_is_found(public: Path, record: Record) -> None:
    old = (public / "checkpoint").read_bytes()
    record()
    (public / "checkpoint").write_bytes(old)
    assert found() == [("file-older", 7)]


def test_a_checkpoint_file_ahead_of_the_tables_is_found(
    public: Path, unguarded: Unguarded
) -> None:
    with unguarded():
        models.Checkpoint.objects.filter(size=7).delete()
    assert found() == [("file-newer", 7)]


def test_a_checkpoint_put_in_place_meanwhile_is_none_of_it(
    public: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = TileStore.read_checkpoint

    def read_before_another(store: TileStore) -> bytes | None:
        found = read(store)
        monkeypatch.setattr(TileStore, "read_checkpoint", read)
        record()
        return found

    monkeypatch.setattr(TileStore, "read_checkpoint", read_before_another)
    assert inspection.inspect().is_sound
    assert inspection.inspect().published == 8


def test_a_checkpoint_file_signed_by_nobody_known_is_found(public: Path) -> None:
    row = models.Checkpoint.objects.get(size=7)
    head = head_of(7, bytes(row.root))
    (public / "checkpoint").write_bytes(checkpoint.sign(head, NOBODY))
    (finding,) = inspection.inspect().findings
    assert (finding.code, finding.seq) == ("file", 7)
    assert "is not signed by" in finding.message


def test_a_forked_checkpoint_file_signed_with_the_stolen_key_is_found(
    public: Path,
) -> None:
    signed = checkpoint.sign(head_of(7, bytes(32)), keys.log_key())
    (public / "checkpoint").write_bytes(signed)
    assert found() == [("file", 7)]


def test_another_policy_shown_than_the_one_published_by_is_found(public: Path) -> None:
    (public / "policy").write_text(Policy.single(NOBODY.verifier).text)
    (finding,) = inspection.inspect().findings
    assert finding.code == "policy"
    assert "the policy that others read" in finding.message


def test_a_policy_file_that_the_log_has_not_announced_is_found(
    public: Path, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = Circle(tmp_path, monkeypatch)
    (finding,) = inspection.inspect().findings
    assert finding.code == "policy"
    assert "does not announce the policy in force" in finding.message
    services.publish(now=now)
    assert found() == []
    circle.policy_file.write_text("quorum none\n")
    (finding,) = inspection.inspect().findings
    assert finding.code == "policy"
    assert "no policy is in force" in finding.message


def test_a_policy_that_was_never_announced_lets_no_checkpoint_pass(
    public: Path,
    record: Record,
    now: datetime,
    unguarded: Unguarded,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who owns the tables writes a weaker policy into them."""
    Circle(tmp_path, monkeypatch)
    services.publish(now=now)
    alone = Policy.single(keys.log_key().verifier)
    weaker = models.PolicyVersion.objects.create(
        sha256=alone.sha256, text=alone.text.encode(), announced_at=now
    )
    with unguarded():
        models.Checkpoint.objects.filter(size=8).update(policy=weaker)
    assert ("policy", 8) in found()
    with unguarded():
        models.Checkpoint.objects.filter(size=8).update(policy=None)
    assert ("policy", 8) in found()
    models.PolicyVersion.objects.create(sha256="0", text=b"", announced_at=now)
    assert ("policy", None) in found()


def test_a_policy_rewritten_in_the_table_is_found(
    public: Path, unguarded: Unguarded
) -> None:
    models.PolicyVersion.objects.update(text=b"quorum none\n")
    codes = found()
    assert ("policy", 7) in codes
    assert {code for code, _ in codes} == {"policy"}


def test_a_checkpoint_row_without_its_cosignatures_is_found(
    record: Record,
    now: datetime,
    unguarded: Unguarded,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who owns the tables opens the release gate with the log's own signature."""
    circle = Circle(tmp_path, monkeypatch)
    record()
    services.publish(now=now)
    record()
    head = models.Head.objects.get()
    first = models.Checkpoint.objects.get()
    circle.away = {"w0", "w1"}
    root = inspection.inspect().root
    with unguarded():
        models.Checkpoint.objects.create(
            size=3,
            root=root,
            note=checkpoint.sign(head_of(3, root), keys.log_key()),
            frontier=head.frontier,
            signed_at=now,
            policy=first.policy,
        )
    codes = found()
    assert ("quorum", 3) in codes
    assert ("file-older", 2) in codes


def test_a_second_key_that_the_log_does_not_announce_is_found(public: Path) -> None:
    keys.create_next_log_key()
    # It signs already, and changes which keys the policy names.
    assert found() == [("key", 0), ("policy", None)]


def test_operators_are_told_what_to_do_about_each_code() -> None:
    root = Path(inspection.__file__).parent
    told = re.findall(r"`([a-z-]+)`", _codes_told(root.parent))
    called = set()
    for name in ("inspection", "heads", "shown", "opening"):
        for node in ast.walk(ast.parse((root / f"{name}.py").read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called |= set(_codes_of(node))
    assert len(called) > 15
    assert sorted(told) == sorted(called)


def _codes_told(root: Path) -> str:
    """Return the first column of the table of codes."""
    text = (root / "docs" / "operations.md").read_text()
    table = text.partition("| code |")[2].partition("\n\n")[0]
    return "\n".join(line.split("|")[1] for line in table.splitlines()[2:])


def _codes_of(call: ast.Call) -> list[str]:
    """Return the code that a call notes a finding with, if it is such a call."""
    places = {"add": 0, "_note": 0, "_find": 1, "check_root": 2}
    assert isinstance(call.func, ast.Attribute)
    place = places.get(call.func.attr)
    if place is None or place >= len(call.args):
        return []
    argument = call.args[place]
    if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
        return []
    return [argument.value]
