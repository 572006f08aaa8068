"""A witness killed anywhere never cosigns two trees of one size."""

import http.client
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger import cosigner
from tests import witnesses
from tests.witnesses import KEY, LOG

PROGRAM = Path(__file__).parent / "dying_witness.py"
FORK = LOG.fork(3)
# Point, and what the witness knows afterwards.
POINTS = [("checked", 5), ("drafted", 5), ("remembered", 8), ("signed", 8)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a witness that cosigned 5 entries."""
    found = tmp_path / "witness"
    witnesses.make(found)
    with witnesses.serving(found) as first:
        assert first.submit(LOG.submission(0, 5))[0] == 200
    return found


@pytest.mark.parametrize(("point", "known"), POINTS)
def test_what_was_signed_before_a_kill_is_known_after_it(
    folder: Path, tmp_path: Path, point: str, known: int
) -> None:
    marker = tmp_path / "reached"
    with witnesses.serving(folder, (PROGRAM, point, marker)) as dying:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            dying.submit(LOG.submission(5, 8))
        assert dying.process.wait(timeout=30) == -signal.SIGKILL
    assert marker.read_text() == point
    assert cosigner.Cosigner(folder).last(KEY.name)[0] == LOG.head(known)
    with witnesses.serving(folder) as again:
        # Another tree of 8 entries, by someone who knows where the witness is.
        assert again.submit(FORK.submission(known, 8))[0] in (409, 422)
        assert again.submit(LOG.submission(known, 8))[0] == 200
        assert again.submit(FORK.submission(8, 8))[0] == 409
        assert again.submit(LOG.submission(8, 9))[0] == 200


def test_a_first_checkpoint_that_was_not_remembered_binds_nothing(
    tmp_path: Path,
) -> None:
    """Nothing left the witness, so another first tree is as good; and then binds."""
    folder = tmp_path / "witness"
    witnesses.make(folder)
    with witnesses.serving(folder, (PROGRAM, "checked", tmp_path / "reached")) as dying:
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            dying.submit(LOG.submission(0, 8))
        dying.process.wait(timeout=30)
    with witnesses.serving(folder) as again:
        assert again.submit(FORK.submission(0, 8))[0] == 200
        assert again.submit(LOG.submission(8, 8))[0] == 409


def test_a_witness_killed_while_it_was_made_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "witness"
    program = (
        "import os, sys\n"
        "from ledger import durable, witness\n"
        "once = durable.write_once\n"
        "durable.write_once = lambda path, content: (\n"
        "    os.kill(os.getpid(), 9) if path.name == 'key' else once(path, content))\n"
        "witness.main(sys.argv[1:])\n"
    )
    arguments = ["init", folder, "--name", "w.example/1", "--log", KEY.verifier.text]
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert (folder / "logs").exists()
    served = subprocess.run(
        [
            sys.executable,
            "-m",
            "ledger.witness",
            "serve",
            folder,
            "--listen",
            "[::1]:0",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert served.returncode == 1
    assert "holds no key of a witness" in served.stderr
