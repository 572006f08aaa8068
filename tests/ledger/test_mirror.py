"""`python -m ledger.mirror pull` says what it did, and its status says it again."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ledger import mirror, served
from ledger.sources import Folder
from tests.ledger import written
from tests.ledger.test_sources import Server

LOG = written.log_of(300)


class Run:
    """A log, a mirror of it, and the command run in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.source, self.into = folder / "source", folder / "mirror"
        self.policy = folder / "policy"
        self.policy.write_bytes(written.policy_text().encode())
        self._capsys = capsys

    def __call__(self, *more: str, source: str | None = None) -> tuple[int, str, str]:
        status = mirror.main(self.arguments(*more, source=source))
        out, err = self._capsys.readouterr()
        return status, out, err

    def arguments(self, *more: str, source: str | None = None) -> list[str]:
        return [
            *("pull", "--from", source or str(self.source)),
            *("--into", str(self.into), "--policy", str(self.policy), *more),
        ]

    def json(self, *more: str, source: str | None = None) -> tuple[int, Any]:
        status, out, err = self("--json", *more, source=source)
        assert err == ""
        return status, json.loads(out)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


def test_a_pull_tells_what_is_new(run: Run) -> None:
    written.write(run.source, LOG[:200])
    status, out, err = run()
    assert (status, err) == (0, "")
    assert out == f"{run.into} holds 200 entries, 200 of them new\n"
    written.write(run.source, LOG)
    assert run.json() == (
        0,
        {"ok": True, "size": 300, "new": 100, "cosigners": ["hospital", "library0"]},
    )
    assert run()[1].endswith("300 entries, 0 of them new\n")


def test_a_mirror_is_a_source_of_its_own(run: Run, tmp_path: Path) -> None:
    written.write(run.source, LOG)
    run()
    second = tmp_path / "second"
    policy = served.check(Folder(run.into), written.POLICY)
    mirror.pull(Folder(run.into), into=second, policy=written.POLICY)
    assert served.check(Folder(second), written.POLICY).cosigned == policy.cosigned


def test_what_does_not_hold_is_refused(run: Run) -> None:
    written.write(run.source, LOG)
    run()
    written.write(run.source, written.log_of(301, e9={"commit": bytes(32)}))
    status, out, err = run()
    assert (status, out) == (1, "")
    assert err.startswith("mirror: the mirror stays as it was: ")
    assert err.count("\n") == 1
    status, found = run.json()
    assert (status, found["ok"], found["error"]) == (1, False, "LogForked")


def test_what_does_not_come_is_told_from_what_is_false(
    run: Run, tmp_path: Path
) -> None:
    written.write(run.source, LOG)
    for source in (str(tmp_path / "none"), "http://127.0.0.1:9/ledger", "ftp://a/b"):
        status, out, err = run(source=source)
        assert (status, out) == (2, "")
        assert err.startswith("mirror: nothing came: ")
        assert run.json(source=source)[1]["ok"] is None
    assert run("--token-file", str(tmp_path / "none"))[0] == 2
    run.policy.write_bytes(b"quorum none")
    assert run()[0] == 2
    run.policy.unlink()
    assert run()[0] == 2
    assert not run.into.exists()


def test_a_log_is_pulled_from_an_address_with_a_token(run: Run, tmp_path: Path) -> None:
    server = Server()
    try:
        written.write(run.source, LOG)
        for path in run.source.rglob("*"):
            if path.is_file():
                name = f"/ledger/{path.relative_to(run.source)}"
                server.answers[name] = (200, {}, path.read_bytes())
        token = tmp_path / "token"
        token.write_text("abc123\n")
        status, found = run.json("--token-file", str(token), source=server.address)
        assert (status, found["new"]) == (0, 300)
        assert {each for _, each in server.asked} == {"Token abc123"}
        server.answers["/ledger/checkpoint"] = (401, {}, b"")
        assert run(source=server.address)[0] == 2
    finally:
        server.close()


def test_the_program_ends_with_the_status(run: Run) -> None:
    written.write(run.source, LOG)
    program = [sys.executable, "-m", "ledger.mirror"]
    for source, status in ((None, 0), (str(run.into / "none"), 2)):
        done = subprocess.run(
            [*program, *run.arguments(source=source)], check=False, timeout=60
        )
        assert done.returncode == status
