"""Keys are made once, kept private, and refused when they are something else."""

import base64
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from pytest_django import Settings

from ledger import durable, errors, keys, notary, services
from ledger.tlog import hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey


@pytest.fixture(autouse=True)
def _own_place(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    settings.SERVICE_KEY_FILE = tmp_path / "keys" / "service.key"
    settings.LEDGER_KEY_FILE = tmp_path / "keys" / "ledger.key"


def test_keys_are_made_at_first_use_and_stay(settings: Settings) -> None:
    service, log = keys.service_key(), keys.log_key()
    assert len(service) == 32
    assert log.name == settings.LEDGER_ORIGIN
    assert keys.service_key() == service
    assert keys.log_key() == log
    for path in (settings.SERVICE_KEY_FILE, settings.LEDGER_KEY_FILE):
        assert path.stat().st_mode & 0o777 == 0o600
    assert keys.open_notary().last_signed().size == 0


def test_keys_are_not_made_where_that_is_not_allowed(settings: Settings) -> None:
    settings.LEDGER_CREATE_KEYS = False
    for read in (keys.service_key, keys.log_key):
        with pytest.raises(errors.KeyFileInvalid, match="cannot read the key"):
            read()
    assert not (settings.DATA_DIR / "keys").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"short", bytes(32), b"\xff" * 44, base64.b64encode(bytes(31)), b"A" * 44],
)
def test_a_service_key_that_is_none_is_refused(
    settings: Settings, content: bytes
) -> None:
    durable.write_once(settings.SERVICE_KEY_FILE, content)
    with pytest.raises(errors.KeyFileInvalid) as refused:
        keys.service_key()
    assert "AAAA" not in str(refused.value)


def test_a_log_key_of_another_log_is_refused(settings: Settings) -> None:
    other = SignerKey(name="example.com/other", seed=bytes(32))
    durable.write_once(settings.LEDGER_KEY_FILE, other.text.encode())
    with pytest.raises(errors.KeyFileInvalid, match=r"a key of example\.com/other"):
        keys.log_key()


@pytest.mark.parametrize("content", [b"", b"PRIVATE+KEY+", bytes(32), b"\xff"])
def test_a_log_key_that_is_none_is_refused(settings: Settings, content: bytes) -> None:
    durable.write_once(settings.LEDGER_KEY_FILE, content)
    with pytest.raises(errors.KeyFileInvalid):
        keys.log_key()


def test_a_key_whose_notary_lost_its_memory_signs_nothing() -> None:
    keys.log_key()
    keys.notary_state_file().unlink()
    with pytest.raises(errors.NotaryStateLost):
        keys.open_notary().sign(
            Checkpoint(origin=keys.log_key().name, size=1, root=hashing.EMPTY_ROOT),
            old_size=0,
            consistency=[],
        )


@pytest.mark.django_db
def test_init_ledger_makes_the_keys_once(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.LEDGER_CREATE_KEYS = False
    call_command("init_ledger")
    call_command("init_ledger")
    first, second = capsys.readouterr().out.splitlines()
    assert first == second == f"verifier key of the log: {keys.log_key().verifier.text}"
    assert len(keys.service_key()) == 32


@pytest.mark.django_db
def test_init_ledger_makes_no_keys_for_a_log_that_has_lost_its_own(
    settings: Settings, now: datetime
) -> None:
    with transaction.atomic():
        services.append(
            type="role.granted",
            pub={"role": "steward"},
            body={},
            event=uuid.uuid4(),
            now=now,
        )
    services.settle(now=now)
    call_command("init_ledger")
    settings.LEDGER_CREATE_KEYS = False
    settings.SERVICE_KEY_FILE.unlink()
    with pytest.raises(CommandError, match="cannot read the key"):
        call_command("init_ledger")
    assert not settings.SERVICE_KEY_FILE.exists()


@pytest.mark.django_db
def test_init_ledger_says_what_is_wrong(settings: Settings) -> None:
    durable.write_once(settings.LEDGER_KEY_FILE, b"not a key")
    with pytest.raises(CommandError, match="a signer key starts with"):
        call_command("init_ledger")


@pytest.mark.django_db
def test_init_ledger_leaves_the_log_key_to_a_notary_elsewhere(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings.LEDGER_CREATE_KEYS = False
    settings.LEDGER_NOTARY = "unix:/run/notary.sock"
    folder = tmp_path / "notary"
    key = notary.init(
        folder, name=settings.LEDGER_ORIGIN, key_file=None, memory_file=None
    )
    asked: list[Path] = []

    def connect(socket: Path) -> notary.Notary:
        asked.append(socket)
        return notary.open_folder(folder)

    monkeypatch.setattr(keys, "SocketNotary", connect)
    call_command("init_ledger")
    assert capsys.readouterr().out == f"verifier key of the log: {key.text}\n"
    assert set(asked) == {Path("/run/notary.sock")}
    assert len(keys.service_key()) == 32
    assert not settings.LEDGER_KEY_FILE.exists()


def test_a_notary_of_another_log_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEDGER_NOTARY = "unix:/run/notary.sock"
    folder = tmp_path / "notary"
    notary.init(folder, name="example.com/other", key_file=None, memory_file=None)
    monkeypatch.setattr(keys, "SocketNotary", lambda path: notary.open_folder(folder))
    with pytest.raises(errors.KeyFileInvalid, match=r"a key of example\.com/other"):
        keys.verifiers()


def test_a_notary_that_does_not_answer_is_told_of(
    settings: Settings, tmp_path: Path
) -> None:
    settings.LEDGER_NOTARY = f"unix:{tmp_path / 'nobody.sock'}"
    with pytest.raises(errors.NotaryUnreachable, match=r"nobody\.sock"):
        keys.verifiers()


def test_another_address_of_a_notary_is_refused(settings: Settings) -> None:
    settings.LEDGER_NOTARY = "http://localhost"
    with pytest.raises(errors.KeyFileInvalid, match="unix:/path"):
        keys.open_notary()


def test_a_key_that_follows_is_made_once_and_takes_the_place_of_the_first(
    settings: Settings,
) -> None:
    old = keys.log_key()
    assert keys.next_log_key() is None
    new = keys.create_next_log_key()
    assert keys.create_next_log_key() == new == keys.next_log_key()
    assert keys.verifiers() == (old.verifier, new.verifier)
    assert keys.retire_log_key() == old.verifier
    assert keys.verifiers() == (new.verifier,)
    assert keys.next_log_key() is None
    for path in settings.LEDGER_KEY_FILE.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert old.text not in path.read_text()
