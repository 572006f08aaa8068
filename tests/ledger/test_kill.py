"""A process killed anywhere between acceptance and publication loses nothing."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connections

from ledger import errors, inspection, models, selectors, services

Record = Callable[..., uuid.UUID]

WRITER = Path(__file__).parent / "dying_writer.py"
# Point, and how far the event has come when the process dies there.
POINTS = [
    ("accepted", "pending"),
    ("sequencing", "pending"),
    ("sequenced", "sequenced"),
    ("remembered", "sequenced"),
    ("storing", "sequenced"),
]


def address(alias: str) -> str:
    chosen = connections[alias].settings_dict
    host = quote(chosen["HOST"], safe="")
    password = f":{quote(chosen['PASSWORD'])}" if chosen["PASSWORD"] else ""
    port = f":{chosen['PORT']}" if chosen["PORT"] else ""
    return f"postgresql://{chosen['USER']}{password}@{host}{port}/{chosen['NAME']}"


def write_and_die(database: str, point: str, event: uuid.UUID, marker: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "gemmule.settings",
        "GEMMULE_DATA_DIR": str(settings.DATA_DIR),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    addresses = {"DATABASE_URL": "default", "VAULT_DATABASE_URL": "vault"}
    for variable, alias in addresses.items():
        environment.pop(variable, None)
        if database == "postgresql":
            environment[variable] = address(alias)
    done = subprocess.run(
        [sys.executable, WRITER, point, str(event), marker],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert marker.read_text() == point


@pytest.mark.parametrize(("point", "state"), POINTS)
def test_a_killed_process_loses_nothing_and_doubles_nothing(
    database: str, record: Record, now: datetime, point: str, state: str, tmp_path: Path
) -> None:
    earlier = record()
    event = uuid.uuid4()
    write_and_die(database, point, event, tmp_path / "reached")
    assert selectors.entry(event).state == state
    assert inspection.inspect().is_sound
    # What a periodic task does, or the next event of anyone.
    services.settle(now=now)
    assert selectors.is_published(event)
    assert selectors.open_body(event) == {"point": point}
    assert selectors.entries_by_event([earlier, event])[event].seq == 2
    assert selectors.tree_size() == 3
    assert not models.Pending.objects.exists()
    assert inspection.inspect().is_sound


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
