"""The long campaigns, in short: what they find they report, and they find nothing."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from benchmarks import databases, records
from ledger.tlog import checkpoint
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey

_SCRIPTS = Path(databases.__file__).parent


def run(script: str, *options: str) -> "subprocess.CompletedProcess[str]":
    # Addresses of the tests' own servers are no business of a campaign's.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith("DATABASE_URL")
    }
    return subprocess.run(
        [sys.executable, _SCRIPTS / script, *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def rows(done: "subprocess.CompletedProcess[str]") -> list[list[str]]:
    """Return the cells of the table that a campaign printed, without its head."""
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    lines = [line for line in done.stdout.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_writers_with_rollbacks_leave_no_gap_and_no_double() -> None:
    ((database, _, told, taken_back, *wrong, _, verdict),) = rows(
        run("writers.py", "--writers=16", "--events=25", "--backend=postgresql")
    )
    assert database == "postgresql"
    assert int(told) + int(taken_back) == 16 * 25
    assert int(taken_back) > 0
    assert (wrong, verdict) == (["0", "0", "0"], "holds")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", databases.BACKENDS)
def test_killed_writers_lose_nothing_that_was_acknowledged(backend: str) -> None:
    ((_, database, kills, steps, told, *wrong, verdict),) = rows(
        run("kill_ledger.py", "--kills=15", "--servers=0", f"--backend={backend}")
    )
    assert (database, kills) == (backend, "15")
    assert int(steps) > 5
    assert int(told) >= 15 * 3
    assert (wrong, verdict) == (["0", "0", "0"], "holds")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_killed_postgresql_loses_nothing_that_was_acknowledged() -> None:
    ((_, database, kills, _, told, *wrong, verdict),) = rows(
        run("kill_ledger.py", "--kills=0", "--servers=1", "--backend=postgresql")
    )
    assert (database, kills) == ("postgresql", "1")
    assert int(told) >= 60
    assert (wrong, verdict) == (["0", "0", "0"], "holds")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_downloads_with_and_without_the_gate_are_compared() -> None:
    """At this size the rates say nothing; every byte of every reader is counted."""
    ungated, gated = rows(
        run(
            *("delivery.py", "--readers=8", "--megabytes=3", "--rounds=1"),
            "--to-reach=0",
        )
    )
    assert (ungated[0], ungated[2], gated[0]) == ("ungated", "100%", "gated")
    assert float(ungated[5].removesuffix(" ms")) < float(gated[5].removesuffix(" ms"))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("backend", databases.BACKENDS)
def test_no_chunk_passes_after_a_release_was_closed(backend: str) -> None:
    ((database, races, kinds, _, passed, cut, late, verdict),) = rows(
        run("withdrawal_races.py", "--races=6", f"--backend={backend}")
    )
    assert (database, races, kinds) == (backend, "6", "2, 2, 2")
    assert int(passed) > 6 * 6
    assert int(cut) >= 6
    assert (late, verdict) == ("0", "holds")


def test_a_lost_event_and_one_that_came_back_are_reported() -> None:
    with databases.fresh("sqlite") as database:
        told = database.folder / "told"
        told.mkdir()
        database.run("benchmarks.writing", 2, 10, 7, told)
        notes = database.folder / "notes.json"
        good = json.loads(database.run("benchmarks.checking", told, notes))
        assert (good["holds"], good["acknowledged"] + good["rolled_back"]) == (True, 20)
        acknowledged, _ = records.told(told)
        revived = acknowledged.pop()
        (told / "forged.txt").write_text(f"+ {uuid.uuid4()}\n- {revived}\n+ 7c9e")
        forged = json.loads(notes.read_text())
        notes.write_text(json.dumps([*forged, _other_history(database)]))
        bad = json.loads(database.run("benchmarks.checking", told, notes))
    assert (bad["lost"], bad["revived"], bad["forks"]) == (1, 1, 1)
    assert not bad["holds"]


def _other_history(database: databases.Database) -> str:
    """Return a note that the log's own key signed for a tree of other entries."""
    path = Path(database.environment["GEMMULE_DATA_DIR"]) / "keys" / "ledger.key"
    key = SignerKey.from_text(path.read_text().strip())
    head = Checkpoint(origin=key.name, size=3, root=bytes(32))
    return checkpoint.sign(head, key).decode()
