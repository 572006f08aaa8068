"""A witness as a program: started, stopped, bereft of its memory, told of keys."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger import witness
from ledger.tlog import note
from tests import witnesses
from tests.witnesses import KEY, LOG, NEXT_KEY, Serving, check_size

FORK = LOG.fork(3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "witness"
    witnesses.make(found)
    return found


@pytest.fixture
def served(folder: Path) -> Iterator[Serving]:
    with witnesses.serving(folder) as found:
        yield found


def test_a_second_process_is_kept_out(folder: Path, served: Serving) -> None:
    done = run("serve", folder, "--listen", "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"witness: another process serves {folder}\n"
    assert served.submit(LOG.submission(0, 5))[0] == 200


def test_it_goes_on_where_it_was(folder: Path) -> None:
    with witnesses.serving(folder) as first:
        assert first.submit(LOG.submission(0, 5))[0] == 200
    with witnesses.serving(folder) as second:
        check_size(second.submit(LOG.submission(0, 8)), 5)
        assert second.submit(LOG.submission(5, 8))[0] == 200


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _start_over(path: Path) -> None:
    """Put a memory of nothing there, as it was on the first day."""
    text = LOG.head(0).text
    path.write_text(f"{text}written 1700000000000000000\n")


@pytest.mark.parametrize("lose", [Path.unlink, _empty, _start_over])
def test_without_its_memory_it_does_not_start(
    folder: Path, lose: Callable[[Path], None]
) -> None:
    with witnesses.serving(folder) as first:
        assert first.submit(LOG.submission(0, 5))[0] == 200
    (path,) = (folder / "seen").glob("*.checkpoint")
    lose(path)
    done = run("serve", folder, "--listen", "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing is signed" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_memory_lost_while_it_serves_is_503(folder: Path, served: Serving) -> None:
    assert served.submit(LOG.submission(0, 5))[0] == 200
    (path,) = (folder / "seen").glob("*.checkpoint")
    path.unlink()
    status, _, body = served.submit(LOG.submission(5, 8))
    assert status == 503 and b"nothing is signed" in body
    assert b"signs nothing: " in served.ask("GET", "/")[2]


def test_a_fork_under_the_stolen_log_key_is_refused(served: Serving) -> None:
    """The thief signs what he likes; the witness compares, and keeps its history."""
    assert served.submit(LOG.submission(0, 8))[0] == 200
    check_size(served.submit(FORK.submission(8, 8)), 8)
    check_size(served.submit(FORK.submission(0, 9)), 8)
    check_size(served.submit(FORK.submission(2, 9)), 8)
    assert served.submit(FORK.submission(8, 9))[0] == 422
    assert served.submit(LOG.submission(8, 9))[0] == 200


def test_keys_of_a_log_follow_each_other_while_it_serves(
    folder: Path, served: Serving
) -> None:
    following = LOG.signed_by(NEXT_KEY)
    assert served.submit(LOG.submission(0, 5))[0] == 200
    assert served.submit(following.submission(5, 8))[0] == 403
    assert run("add-log", folder, "--log", NEXT_KEY.verifier.text).returncode == 0
    assert served.submit(following.submission(5, 8))[0] == 200
    assert served.submit(LOG.submission(8, 9))[0] == 200
    assert run("remove-log", folder, "--log", KEY.verifier.text).returncode == 0
    assert served.submit(LOG.submission(9, 10))[0] == 403
    # One log, one history, whichever key signs.
    assert served.submit(following.fork(3).submission(9, 10))[0] == 422
    assert served.submit(following.submission(9, 10))[0] == 200


def test_sigterm_answers_what_was_begun_and_hangs_up_on_the_idle(
    folder: Path,
) -> None:
    body = LOG.submission(0, 5)
    with (
        witnesses.serving(folder) as served,
        socket.create_connection(("127.0.0.1", served.port), timeout=30) as idle,
        socket.create_connection(("127.0.0.1", served.port), timeout=30) as begun,
    ):
        idle.sendall(b"HEAD / HTTP/1.1\r\n\r\n")
        assert idle.recv(65536).startswith(b"HTTP/1.1 200 ")
        # "100 Continue" tells that the witness waits for the body.
        begun.sendall(
            b"POST /add-checkpoint HTTP/1.1\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        )
        assert begun.recv(65536).startswith(b"HTTP/1.1 100 ")
        begun.sendall(body[:10])
        assert served.submit(b"")[0] == 400
        served.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
        begun.sendall(body[10:])
        with begun.makefile("rb") as answer:
            assert answer.read().startswith(b"HTTP/1.1 200 ")
        assert served.process.wait(timeout=10) == 0


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ledger.witness", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_init_prints_the_key_and_a_policy_line(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    done = run(
        *("init", folder, "--name", "w.example/1", "--log", KEY.verifier.text),
        *("--url", "https://w.example"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    key, line = done.stdout.splitlines()
    assert note.VerifierKey.from_text(key).algorithm == note.COSIGNATURE
    assert line == f"witness w.example/1 {key} https://w.example"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "key").stat().st_mode & 0o777 == 0o600
    again = run("init", folder, "--name", "w.example/1", "--log", KEY.verifier.text)
    assert again.returncode == 1 and "is not empty" in again.stderr
    assert run("show", folder).stdout.startswith("Witness w.example/1\n")


@pytest.mark.parametrize(
    "address", ["8080", ":8080", "localhost:", "localhost:http", "::1:99999"]
)
def test_an_address_that_is_none_is_refused(
    folder: Path, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert witness.main(["serve", str(folder), "--listen", address]) == 1
    assert "an address is HOST:PORT" in capsys.readouterr().err


def test_an_inherited_socket_is_listened_on(folder: Path) -> None:
    """As systemd hands one over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        command = [
            "-m",
            "ledger.witness",
            "serve",
            folder,
            "--listen",
            f"fd://{number}",
        ]
        with subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[number],
        ) as process:
            served = Serving(process=process, port=listener.getsockname()[1])
            assert served.submit(LOG.submission(0, 5))[0] == 200
            process.terminate()
            assert process.wait(timeout=30) == 0
