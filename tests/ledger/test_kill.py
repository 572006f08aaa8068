"""A process killed anywhere between acceptance and publication loses nothing."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings

from ledger import (
    errors,
    inspection,
    keys,
    models,
    publishing,
    selectors,
    services,
)
from tests import witnesses
from tests.ledger import processes

Record = Callable[..., uuid.UUID]

WRITER = Path(__file__).parent / "dying_writer.py"
# Point, how far the event has come when the process dies there, and what an inspection
# then says.
POINTS = [
    ("accepted", "pending", []),
    ("sequencing", "pending", []),
    ("sequenced", "sequenced", []),
    ("tiled", "sequenced", []),
    ("remembered", "sequenced", []),
    ("placed", "sequenced", ["file-newer"]),
    ("storing", "sequenced", ["file-newer"]),
    ("stored", "published", []),
]
WITNESSED = [
    ("announcing", "sequenced", ["policy"]),
    ("cosigned", "sequenced", []),
    ("placed", "sequenced", ["file-newer"]),
]


def write_and_die(database: str, point: str, event: uuid.UUID, marker: Path) -> None:
    done = subprocess.run(
        [sys.executable, WRITER, point, str(event), marker],
        env=processes.environment(database),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert marker.read_text() == point


def codes() -> list[str]:
    return [each.code for each in inspection.inspect().findings]


@pytest.mark.parametrize(("point", "state", "told"), POINTS)
def test_a_killed_process_loses_nothing_and_doubles_nothing(
    database: str,
    record: Record,
    now: datetime,
    point: str,
    state: str,
    told: list[str],
    tmp_path: Path,
) -> None:
    earlier = record()
    event = uuid.uuid4()
    write_and_die(database, point, event, tmp_path / "reached")
    assert selectors.entry(event).state == state
    assert codes() == told
    # What a periodic task does, or the next event of anyone.
    services.settle(now=now)
    assert selectors.is_published(event)
    assert selectors.open_body(event) == {"point": point}
    assert selectors.entries_by_event([earlier, event])[event].seq == 2
    assert selectors.tree_size() == 3
    assert not models.Pending.objects.exists()
    assert inspection.inspect().is_sound


@pytest.mark.parametrize(("point", "state", "told"), WITNESSED)
def test_a_process_killed_among_witnesses_loses_nothing(
    database: str,
    record: Record,
    now: datetime,
    point: str,
    state: str,
    told: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The policy has just changed from none to one witness, who is a real one."""
    record()
    log = keys.log_key().verifier
    witness = witnesses.make(tmp_path / "witness", log)
    with witnesses.serving(tmp_path / "witness") as serving:
        policy_file = tmp_path / "policy"
        policy_file.write_text(
            f"log {log.text}\nwitness w {witness.text} {serving.url}\nquorum w\n"
        )
        monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", policy_file)
        event = uuid.uuid4()
        write_and_die(database, point, event, tmp_path / "reached")
        assert selectors.entry(event).state == state
        assert codes() == told
        services.publish(now=now)
    assert selectors.is_published(event)
    latest = selectors.latest_checkpoint()
    # genesis, what was there, the event, the policy: each once.
    assert latest is not None and latest.size == 4
    cosigned = selectors.policy().check(latest.note.encode())
    assert [each.name for each in cosigned.cosigners] == ["w"]
    assert publishing.store().read_checkpoint() == latest.note.encode()
    assert codes() == []


def test_a_process_killed_on_the_first_event_leaves_a_log_to_go_on_with(
    database: str, now: datetime, tmp_path: Path
) -> None:
    """The keys and the notary's memory were just made, the genesis is not committed."""
    event = uuid.uuid4()
    write_and_die(database, "sequencing", event, tmp_path / "reached")
    with pytest.raises(errors.EntryNotFound):
        selectors.entry(uuid.uuid4())
    assert selectors.tree_size() == 0
    services.settle(now=now)
    assert selectors.is_published(event)
    assert selectors.tree_size() == 2
    assert inspection.inspect().is_sound
