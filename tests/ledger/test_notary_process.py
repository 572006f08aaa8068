"""The notary as a process of its own signs over its socket as the one within does."""

import grp
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import errors, notary
from ledger.notary_socket import SocketNotary
from ledger.tlog import note
from tests import witnesses
from tests.witnesses import KEY, LOG, NEXT_KEY

ORIGIN = "example.com/log"


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ledger.notary", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a notary that took over a site's key at 5 entries."""
    key, memory = tmp_path / "site.key", tmp_path / "site.checkpoint"
    key.write_text(f"{KEY.text}\n")
    notary.create_state(memory, origin=ORIGIN)
    notary.Notary(keys=[KEY], state_file=memory).sign(
        LOG.head(5), old_size=0, consistency=[]
    )
    found = tmp_path / "notary"
    done = run("init", found, "--name", ORIGIN, "--key", key, "--memory", memory)
    assert (done.stdout, done.stderr) == (f"{KEY.verifier.text}\n", "")
    return found


@contextmanager
def serving(folder: Path) -> Iterator[SocketNotary]:
    socket = folder.parent / "notary.sock"
    command = ("-m", "ledger.notary", "serve", folder, "--socket", socket)
    with witnesses.started(command) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"signing on {socket}\n"
        yield SocketNotary(socket)


def grow(signing: SocketNotary, old: int, new: int) -> bytes:
    return signing.sign(LOG.head(new), old_size=old, consistency=LOG.proof(old, new))


def test_it_goes_on_where_the_site_was(folder: Path) -> None:
    with serving(folder) as signing:
        assert signing.verifiers() == (KEY.verifier,)
        assert signing.last_signed() == LOG.head(5)
        assert grow(signing, 5, 8) == LOG.note(8)
    with serving(folder) as signing:
        assert signing.last_signed() == LOG.head(8)


def test_each_refusal_comes_back_as_what_it_is(folder: Path) -> None:
    fork = LOG.fork(3)
    with serving(folder) as signing:
        with pytest.raises(errors.OldSizeStale) as stale:
            grow(signing, 4, 8)
        assert stale.value.size == 5
        with pytest.raises(errors.NotaryRefused):
            signing.sign(fork.head(5), old_size=5, consistency=[])
        with pytest.raises(errors.HistoryRewritten):
            signing.sign(fork.head(8), old_size=5, consistency=fork.proof(5, 8))
        with pytest.raises(errors.HistoryRewritten, match="signs no smaller tree"):
            signing.sign(LOG.head(4), old_size=5, consistency=[])
        other = witnesses.Log(keys=(witnesses.STRANGER,))
        with pytest.raises(errors.NotaryRefused, match="404"):
            signing.sign(other.head(8), old_size=5, consistency=LOG.proof(5, 8))
        (folder / "notary.checkpoint").unlink()
        with pytest.raises(errors.NotaryStateLost):
            grow(signing, 5, 8)
        with pytest.raises(errors.NotaryStateLost):
            signing.last_signed()


def test_where_no_notary_is_none_answers(tmp_path: Path) -> None:
    with pytest.raises(errors.NotaryUnreachable):
        SocketNotary(tmp_path / "none.sock").last_signed()


def test_without_its_memory_it_does_not_start(folder: Path) -> None:
    (folder / "notary.checkpoint").unlink()
    done = run("serve", folder, "--socket", folder.parent / "notary.sock")
    assert done.returncode == 1
    assert "nothing is signed" in done.stderr and done.stderr.count("\n") == 1


def test_a_memory_put_back_while_it_runs_is_not_believed(folder: Path) -> None:
    """Within minutes the date tells nothing; the process remembers."""
    path = folder / "notary.checkpoint"
    before = path.read_bytes()
    with serving(folder) as signing:
        grow(signing, 5, 8)
        path.write_bytes(before)
        with pytest.raises(errors.NotaryStateLost, match="went back from 8"):
            grow(signing, 5, 6)


def test_a_second_process_is_kept_out_and_leaves_the_socket(folder: Path) -> None:
    with serving(folder) as signing:
        done = run("serve", folder, "--socket", folder.parent / "notary.sock")
        assert done.stderr == f"notary: another process serves {folder}\n"
        assert grow(signing, 5, 8) == LOG.note(8)


def test_the_socket_of_a_killed_one_is_taken_over(folder: Path) -> None:
    socket = folder.parent / "notary.sock"
    command = ("-m", "ledger.notary", "serve", folder, "--socket", socket)
    with witnesses.started(command) as process:
        assert process.stdout is not None and process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert socket.is_socket()
    with serving(folder) as signing:
        assert grow(signing, 5, 8) == LOG.note(8)
    assert not socket.exists()


def test_only_its_owner_reaches_the_socket_and_the_keys(folder: Path) -> None:
    with serving(folder):
        mode = (folder.parent / "notary.sock").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    for path in (folder, folder / "keys"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (*(folder / "keys").iterdir(), folder / "notary.checkpoint"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


# The site's own user, or its database administrator's.
SOMEBODY_ELSE = """
import os, socket, sys
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(int(sys.argv[3]))
    os.setuid(65534)
with socket.socket(socket.AF_UNIX) as far:
    for use in (lambda: os.stat(sys.argv[2]),
                lambda: os.listdir(sys.argv[1]),
                lambda: far.connect(sys.argv[2])):
        try:
            use()
            print("reached")
        except PermissionError:
            print("refused")
"""


@pytest.mark.parametrize("is_member", [True, False])
def test_members_of_a_group_may_ask_and_not_look(is_member: bool) -> None:
    """Who is not root becomes nobody else: then it is the owner who reaches both."""
    is_root = os.getuid() == 0
    group = grp.getgrgid(os.getgid())
    # Not below pytest's own folder, which nobody else may enter.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        base = Path(name)
        base.chmod(0o755)
        notary.init(base / "notary", name=ORIGIN, key_file=None, memory_file=None)
        socket = base / "notary.sock"
        command = ("-m", "ledger.notary", "serve", base / "notary", "--socket", socket)
        with witnesses.started([*command, "--group", group.gr_name]) as process:
            assert process.stdout is not None and process.stdout.readline()
            assert stat.S_IMODE(socket.stat().st_mode) == 0o660
            gid = group.gr_gid if is_member else 65534
            done = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    SOMEBODY_ELSE,
                    base / "notary",
                    socket,
                    str(gid),
                ],
                capture_output=True,
                text=True,
                timeout=60,
                check=True,
            )
    keys = "refused" if is_root else "reached"
    asks = "reached" if is_member or not is_root else "refused"
    assert done.stdout.split() == ["reached", keys, asks]


def test_two_keys_sign_while_one_follows_the_other(folder: Path) -> None:
    with serving(folder) as signing:
        done = run("add-key", folder)
        added = note.VerifierKey.from_text(done.stdout.strip())
        assert set(signing.verifiers()) == {KEY.verifier, added}
        signed = note.parse(grow(signing, 5, 8))
        assert set(note.verify(signed, [KEY.verifier, added])) == {KEY.verifier, added}
        assert run("drop-key", folder, "--key", KEY.verifier.text).returncode == 0
        signed = note.parse(grow(signing, 8, 9))
        assert note.verify(signed, [KEY.verifier, added]) == (added,)
        for key, reason in ((added, "the last key stays"), (KEY, "no such key")):
            text = key.verifier.text if isinstance(key, note.SignerKey) else key.text
            done = run("drop-key", folder, "--key", text)
            assert done.returncode == 1 and reason in done.stderr


def test_concurrent_requests_sign_one_history(folder: Path) -> None:
    with serving(folder) as signing:

        def offer(number: int) -> bool:
            try:
                grow(signing, 5, 6 + number)
            except errors.OldSizeStale:
                return False
            return True

        with ThreadPoolExecutor(6) as pool:
            won = list(pool.map(offer, range(6)))
        assert won.count(True) == 1
        assert signing.last_signed() == LOG.head(6 + won.index(True))


def test_a_new_notary_makes_its_own_key(tmp_path: Path) -> None:
    done = run("init", tmp_path / "new", "--name", ORIGIN)
    assert re.fullmatch(re.escape(ORIGIN) + r"\+[0-9a-f]{8}\+[\w+/=]+\n", done.stdout)
    assert notary.open_folder(tmp_path / "new").last_signed().size == 0
    assert run("keys", tmp_path / "new").stdout == done.stdout
    again = run("init", tmp_path / "new", "--name", ORIGIN)
    assert again.returncode == 1 and "is not empty" in again.stderr


def test_a_key_without_its_memory_is_not_taken_over(tmp_path: Path) -> None:
    key = tmp_path / "site.key"
    key.write_text(KEY.text)
    done = run("init", tmp_path / "new", "--name", ORIGIN, "--key", key)
    assert done.returncode == 1 and "name both files or neither" in done.stderr
    memory = tmp_path / "memory"
    notary.create_state(memory, origin="example.com/other")
    done = run(
        *("init", tmp_path / "new", "--name", ORIGIN, "--key", key, "--memory", memory)
    )
    assert done.returncode == 1 and "is to be of example.com/log" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_folder_that_was_moved_is_answered_for(folder: Path) -> None:
    path = folder / "notary.checkpoint"
    text, _, stamp = path.read_text().rpartition(" ")
    path.write_text(f"{text} {int(stamp) - 3600 * 10**9}\n")
    socket = folder.parent / "notary.sock"
    assert "restored, copied" in run("serve", folder, "--socket", socket).stderr
    done = run("moved", folder)
    assert done.stdout == "believes that it signed 5 entries last\n"
    with serving(folder) as signing:
        assert grow(signing, 5, 8) == LOG.note(8)


def test_two_keys_in_one_process_sign_one_note(tmp_path: Path) -> None:
    notary.create_state(tmp_path / "memory", origin=ORIGIN)
    both = notary.Notary(keys=[KEY, NEXT_KEY], state_file=tmp_path / "memory")
    signed = both.sign(LOG.head(5), old_size=0, consistency=[])
    assert signed == LOG.signed_by(KEY, NEXT_KEY).note(5)
    found = note.verify(note.parse(signed), both.verifiers())
    assert found == (KEY.verifier, NEXT_KEY.verifier)
