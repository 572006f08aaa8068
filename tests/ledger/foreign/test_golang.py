"""What we publish holds for the code behind Go's checksum database, and only that.

The program in `golang/` shares no line with ours: golang.org/x/mod checks the signed
note, every hash of every tile, every entry, and the proofs that we made.
"""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from ledger.tlog import checkpoint
from ledger.tlog.note import SignerKey
from ledger.tlog.tile import Tile
from tests.ledger.foreign import reading, served_log
from tests.ledger.foreign.reading import Refused
from tests.ledger.foreign.served_log import Asked

pytestmark = pytest.mark.golang

KEY = SignerKey(name="ledger.example.org/gemmule", seed=bytes(range(32)))
# One leaf, a full tile, one more than that, and a third level of tiles.
SIZES = [1, 256, 257, 66_000]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a log of 700 entries."""
    folder = tmp_path_factory.mktemp("log")
    served_log.write(folder, size=700, key=KEY)
    return folder


def ask(
    verifier: Path, folder: Path, asked: list[Asked], vkey: str = KEY.verifier.text
) -> tuple[dict[str, Any], dict[str, str]]:
    return reading.ask(verifier, folder, asked, vkey)


@pytest.mark.parametrize("size", SIZES)
def test_logs_of_every_shape_and_their_proofs_hold(
    verifier: Path, tmp_path: Path, rng: random.Random, size: int
) -> None:
    served_log.write(tmp_path, size=size, key=KEY)
    signed = checkpoint.open_note((tmp_path / "checkpoint").read_bytes(), KEY.verifier)
    good = list(served_log.proofs(served_log.tree(tmp_path, size), size, rng))
    read, objections = ask(verifier, tmp_path, good)
    assert (read["origin"], read["size"]) == (KEY.name, size)
    assert read["root"] == signed.text.splitlines()[2]
    # Every file that we wrote was read and checked, none is beside the log.
    written = [each for each in tmp_path.glob("tile/**/*") if each.is_file()]
    assert read["tiles"] == len(written)
    assert {name: why for name, why in objections.items() if why} == {}
    assert size == 1 or len(objections) >= 300


def test_proofs_with_one_thing_changed_are_refused(
    verifier: Path, log: Path, rng: random.Random
) -> None:
    good = list(served_log.proofs(served_log.tree(log, 700), 700, rng))
    bad = [each for one in good for each in served_log.spoilt(one, rng)]
    assert len(bad) > 1000
    _, objections = ask(verifier, log, bad)
    assert [name for name, why in objections.items() if not why] == []


@pytest.mark.parametrize(
    "tile",
    [
        Tile(level=0, index=0, width=256),
        Tile(level=0, index=2, width=188),
        Tile(level=1, index=0, width=2),
        Tile(level=-1, index=1, width=256),
        Tile(level=-1, index=2, width=188),
    ],
    ids=lambda tile: tile.path,
)
def test_one_flipped_bit_of_any_tile_spoils_the_log(
    verifier: Path, log: Path, tmp_path: Path, rng: random.Random, tile: Tile
) -> None:
    copy = shutil.copytree(log, tmp_path / "log")
    served_log.flip(copy / tile.path, rng)
    with pytest.raises(Refused):
        ask(verifier, copy, [])


def test_a_flipped_bit_of_any_signed_byte_spoils_the_log(
    verifier: Path, log: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(log, tmp_path / "log")
    note = (log / "checkpoint").read_bytes()
    # What follows the text is base64, in which Go reads some letters as others.
    for at in range(note.index(b"\n\n") + 1):
        changed = bytearray(note)
        changed[at] ^= 1
        (copy / "checkpoint").write_bytes(changed)
        with pytest.raises(Refused):
            ask(verifier, copy, [])


def test_a_checkpoint_of_another_key_is_refused(verifier: Path, log: Path) -> None:
    other = SignerKey(name=KEY.name, seed=bytes(32))
    with pytest.raises(Refused, match="no verifiable signatures"):
        ask(verifier, log, [], vkey=other.verifier.text)


def test_a_checkpoint_over_other_entries_is_refused(
    verifier: Path, log: Path, tmp_path: Path
) -> None:
    """The log signs one tree and serves the tiles of another."""
    copy = shutil.copytree(log, tmp_path / "log")
    served_log.write(tmp_path / "other", size=701, key=KEY)
    shutil.copy(tmp_path / "other" / "checkpoint", copy / "checkpoint")
    with pytest.raises(Refused):
        ask(verifier, copy, [])
