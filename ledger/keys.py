"""Read the two keys the ledger needs from their files; make them where that is allowed.

The service key (32 bytes, base64) wraps every key of the vault. The log key (a signer
key of signed-note) signs checkpoints. In the embedded default both are made at first
use; in production they are made once by `manage.py init_ledger`. Where the notary is a
process of its own, the log key is there and nowhere else. How one log key follows
another is `rotation`.
"""

import secrets
from pathlib import Path

from django.conf import settings

from ledger import durable, errors, notary
from ledger.commitments import KEY_BYTES
from ledger.notary import Notary
from ledger.notary_socket import SocketNotary
from ledger.tlog import canonical
from ledger.tlog.note import SignerKey, VerifierKey

_UNIX = "unix:"


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
    return _read_log_key(path)


def next_log_key() -> SignerKey | None:
    """Return the key that is to follow the log key and signs beside it, if any."""
    path = _next_log_key_file()
    return _read_log_key(path) if path.exists() else None


def open_notary() -> Notary | SocketNotary:
    """Return the notary: in this process, or the one that LEDGER_NOTARY names."""
    if is_notary_elsewhere():
        return SocketNotary(Path(settings.LEDGER_NOTARY.removeprefix(_UNIX)))
    following = next_log_key()
    signers = [log_key()] if following is None else [log_key(), following]
    return Notary(keys=signers, state_file=notary_state_file())


def is_notary_elsewhere() -> bool:
    """Tell whether the notary is a process of its own."""
    chosen = settings.LEDGER_NOTARY
    if chosen and not chosen.startswith(_UNIX):
        raise errors.KeyFileInvalid(
            f"LEDGER_NOTARY is empty or unix:/path, {chosen!r} came"
        )
    return bool(chosen)


def verifiers() -> tuple[VerifierKey, ...]:
    """Return the public keys that sign checkpoints; two while one follows the other.

    Raises NotaryUnreachable where they are asked for elsewhere in vain.
    """
    found = open_notary().verifiers()
    for key in found:
        _check_origin(key.name, "the notary")
    return found


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
    _write_log_key(path)


def create_next_log_key() -> SignerKey:
    """Make the key that is to follow the log key, unless there is one."""
    path = _next_log_key_file()
    _write_log_key(path)
    return _read_log_key(path)


def retire_log_key() -> VerifierKey:
    """Put the next key in the place of the log key; keep of that the public half.

    The rename is what retires it: before, both sign, and after, the secret is gone.
    """
    path = Path(settings.LEDGER_KEY_FILE)
    old = log_key().verifier
    kept = path.with_name(f"{path.name}.{old.key_id.hex()}.retired")
    durable.write_once(kept, f"{old.text}\n".encode())
    _next_log_key_file().replace(path)
    durable.sync_folder(path.parent)
    return old


def _next_log_key_file() -> Path:
    path = Path(settings.LEDGER_KEY_FILE)
    return path.with_name(f"{path.name}.next")


def _read_log_key(path: Path) -> SignerKey:
    key = SignerKey.from_text(_read(path))
    _check_origin(key.name, str(path))
    return key


def _write_log_key(path: Path) -> None:
    key = SignerKey(name=settings.LEDGER_ORIGIN, seed=secrets.token_bytes(KEY_BYTES))
    durable.write_once(path, f"{key.text}\n".encode())


def _check_origin(name: str, place: str) -> None:
    if name != settings.LEDGER_ORIGIN:
        raise errors.KeyFileInvalid(
            f"{place} holds a key of {name}, this log is {settings.LEDGER_ORIGIN}"
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.KeyFileInvalid(f"cannot read the key {path}: {error}") from error
