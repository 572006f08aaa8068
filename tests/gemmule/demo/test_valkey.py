"""The broker that comes with the demo."""

import signal
import stat
import tempfile
from pathlib import Path

import pytest

from gemmule.demo import leash, valkey


def test_server_keeps_what_was_acknowledged_through_a_kill(tmp_path: Path) -> None:
    with valkey.running(tmp_path) as server:
        assert server.ask("RPUSH", "queue", "1") == b":1"
        # appendfsync everysec would lose a second to a power cut, not to a kill.
        leash.kill_group(server.process)
    with valkey.running(tmp_path) as server:
        assert server.ask("LLEN", "queue") == b":1"


def test_emptied_server_has_forgotten_everything(tmp_path: Path) -> None:
    with valkey.running(tmp_path) as server:
        server.ask("RPUSH", "queue", "1")
        server.empty()
        assert server.ask("LLEN", "queue") == b":0"


def test_full_server_refuses_instead_of_evicting(tmp_path: Path) -> None:
    with valkey.running(tmp_path) as server:
        server.ask("RPUSH", "queue", "1")
        server.ask("CONFIG", "SET", "maxmemory", "1")
        assert server.ask("RPUSH", "queue", "2").startswith(b"-OOM")
        assert server.ask("LLEN", "queue") == b":1"


def test_only_we_can_reach_the_socket_and_it_is_removed(tmp_path: Path) -> None:
    with valkey.running(tmp_path) as server:
        assert stat.S_IMODE(server.socket.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
        assert server.ask("CONFIG", "GET", "port") == b"*2"
    assert not server.socket.parent.exists()


def test_temporary_folder_with_a_long_name_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with valkey.running(tmp_path / "state") as server:
        assert server.ask("PING") == b"+PONG"


def test_socket_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    path = tmp_path / ("s" * 120)
    with (
        pytest.raises(valkey.ValkeyFailed, match="may have 107 bytes"),
        valkey.running(tmp_path, path=path),
    ):
        pass


def test_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    # The log is in the first folder, the socket in one that is not there.
    with (
        pytest.raises(valkey.ValkeyFailed, match="its log ends") as failure,
        valkey.running(tmp_path, path=tmp_path / "nowhere" / "socket"),
    ):
        pass
    assert "No such file" in str(failure.value)


def test_server_ends_when_the_block_raises(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), valkey.running(tmp_path) as server:
        raise KeyboardInterrupt
    assert server.process.returncode in {0, -signal.SIGTERM}
