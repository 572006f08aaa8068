"""Sealed bodies are kept where a restore does not reach, and are noise once erased."""

import json
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest

from ledger import bodies, commitments, copies, erasure, models, services, vault
from ledger.copies import FolderCopies

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


def kept() -> dict[int, bodies.KeptBody]:
    return bodies.find([copies.here()], start=0, end=10**6)


def test_each_published_body_is_kept_once_and_opens(record: Record) -> None:
    event = record()
    record()
    found = kept()
    assert sorted(found) == [0, 1, 2]
    body = found[1]
    assert body.event == event
    assert body.key_id is not None and body.sealed is not None
    key = vault.open_key(body.key_id)
    assert commitments.open_body(key, event, body.sealed)
    names = list(copies.here().names("bodies/000000"))
    assert names == ["000000000000-000000000002.json", "000000000002-000000000003.json"]


def test_nothing_kept_ties_the_acts_of_one_person_together(
    record: Record, now: datetime
) -> None:
    subject = services.new_subject(now=now)
    events = [record(subject=subject) for _ in range(2)]
    here = copies.here()
    whole = b"".join(
        here.read(f"bodies/000000/{name}") or b""
        for name in here.names("bodies/000000")
    )
    for value in (subject, *events):
        assert str(value).encode() not in whole
        assert value.hex.encode() not in whole


def test_an_erasure_empties_what_was_kept_everywhere(
    record: Record,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unguarded: Callable[[], AbstractContextManager[None]],
) -> None:
    other = FolderCopies(tmp_path / "other")
    monkeypatch.setattr(copies, "_others", [lambda: [other]])
    subject = services.new_subject(now=now)
    event = record(subject=subject)
    record()
    bodies.copy_out()
    seq = models.Entry.objects.get(event=event).seq
    erasure.destroy_key(subject=subject, now=now)
    erasure.erase_bodies(subject=subject)
    for place in (copies.here(), other):
        found = bodies.find([place], start=0, end=100)
        assert found[seq] == bodies.KeptBody(seq=seq)
        assert found[seq + 1].sealed is not None
        assert list(place.names("erased")) == [vault.tombstone(subject)]
    # Tombstones alone bring back what the table has lost.
    with unguarded():
        models.ErasedKey.objects.all().delete()
    erasure.tombstone_file().unlink()
    assert erasure.restore_tombstones() == 1


def test_a_place_that_was_away_is_brought_up_to_date(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(FolderCopies):
        is_away = True

        def write(self, name: str, data: bytes) -> None:
            if self.is_away:
                raise OSError("the storage does not answer")
            super().write(name, data)

    place = Away(tmp_path / "away")
    monkeypatch.setattr(copies, "_others", [lambda: [place]])
    record()
    bodies.copy_out()
    assert place.read(bodies.CHECKPOINT) is None
    place.is_away = False
    record()
    bodies.copy_out()
    assert place.read(bodies.CHECKPOINT) == copies.here().read(bodies.CHECKPOINT)
    assert sorted(bodies.find([place], start=0, end=100)) == [0, 1, 2]


def test_damaged_files_are_as_good_as_lost(record: Record) -> None:
    record()
    here = copies.here()
    (name,) = here.names("bodies/000000")
    path = f"bodies/000000/{name}"
    content = json.loads(here.read(path) or b"")
    content["bodies"][1]["place"] = content["bodies"][0]["place"]
    here.write(path, json.dumps(content).encode())
    assert sorted(kept()) == [0]
    here.write(path, b"nonsense")
    assert kept() == {}
