"""Read the two keys the ledger needs from their files; make them where that is allowed.

The service key (32 bytes, base64) wraps every key of the vault. The log key (a signer
key of signed-note) signs checkpoints. In the embedded default both are made at first
use; in production they are made once by `manage.py init_ledger`.
"""

import secrets
from pathlib import Path

from django.conf import settings

from ledger import durable, errors, notary
from ledger.commitments import KEY_BYTES
from ledger.notary import Notary
from ledger.tlog import canonical
from ledger.tlog.note import SignerKey


def service_key() -> bytes:
    """Return the 32 bytes that wrap the keys of the vault."""
    path = Path(settings.SERVICE_KEY_FILE)
    if settings.LEDGER_CREATE_KEYS and not path.exists():
        create_service_key()
    try:
        key = canonical.decode_base64(_read(path))
    except ValueError as error:
        raise errors.KeyFileInvalid(f"{path} must hold base64 of 32 bytes") from error
    if len(key) != KEY_BYTES:
        raise errors.KeyFileInvalid(f"{path} must hold 32 bytes, not {len(key)}")
    return key


def log_key() -> SignerKey:
    """Return the key that signs checkpoints; it bears the name of this log."""
    path = Path(settings.LEDGER_KEY_FILE)
    if settings.LEDGER_CREATE_KEYS and not path.exists():
        create_log_key()
    key = SignerKey.from_text(_read(path))
    if key.name != settings.LEDGER_ORIGIN:
        raise errors.KeyFileInvalid(
            f"{path} holds a key of {key.name}, this log is {settings.LEDGER_ORIGIN}"
        )
    return key


def open_notary() -> Notary:
    """Return the notary that signs in this process."""
    return Notary(keys=[log_key()], state_file=notary_state_file())


def notary_state_file() -> Path:
    """Return where the notary of this process remembers what it signed."""
    return Path(settings.DATA_DIR) / "ledger" / "notary.checkpoint"


def create_service_key() -> None:
    """Make the service key, unless there is one."""
    key = canonical.encode_base64(secrets.token_bytes(KEY_BYTES))
    durable.write_once(Path(settings.SERVICE_KEY_FILE), f"{key}\n".encode())


def create_log_key() -> None:
    """Make the key that signs checkpoints and the notary's memory, unless they exist.

    The memory comes first: a key whose notary remembers nothing signs nothing.
    """
    path, state_file = Path(settings.LEDGER_KEY_FILE), notary_state_file()
    if path.exists():
        return  # If its memory is missing it was lost; a new one would know nothing.
    notary.create_state(state_file, origin=settings.LEDGER_ORIGIN)
    signed = notary.read_state(state_file).size
    if signed and not path.exists():
        raise errors.KeyFileInvalid(
            f"{path} is gone, but its notary has signed {signed} entries: "
            "restore the key, a new one would start another log"
        )
    key = SignerKey(name=settings.LEDGER_ORIGIN, seed=secrets.token_bytes(KEY_BYTES))
    durable.write_once(path, f"{key.text}\n".encode())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.KeyFileInvalid(f"cannot read the key {path}: {error}") from error
