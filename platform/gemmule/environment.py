"""Read settings from the environment strictly: a value that is wrong stops the start.

Which variables exist, and what they mean, is the business of `gemmule.settings`
and `.env.example`.
"""

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from ledger import durable

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def env_str(name: str, default: str) -> str:
    """Return the variable, or `default` when it is unset or empty."""
    return os.environ.get(name) or default


def env_bool(name: str, default: bool) -> bool:
    """Return the variable as a boolean; anything but yes/no words is refused."""
    raw = env_str(name, "").lower()
    if not raw:
        return default
    if raw in _TRUE | _FALSE:
        return raw in _TRUE
    raise ImproperlyConfigured(f"{name} must be true or false, not {raw!r}")


def env_int(name: str, default: int, *, minimum: int = 0) -> int:
    """Return the variable as an integer of at least `minimum`."""
    raw = env_str(name, str(default))
    try:
        value = int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{name} must be a whole number, not {raw!r}"
        ) from error
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}")
    return value


def env_list(name: str, default: list[str]) -> list[str]:
    """Return the comma-separated variable as a list without empty items."""
    raw = env_str(name, "")
    return [item.strip() for item in raw.split(",") if item.strip()] or default


def env_choice(name: str, default: str, *, choices: tuple[str, ...]) -> str:
    """Return the variable, which must be one of `choices`."""
    value = env_str(name, default)
    if value not in choices:
        raise ImproperlyConfigured(
            f"{name} must be one of {', '.join(choices)}, not {value!r}"
        )
    return value


def env_secret(name: str, *, is_optional: bool = False) -> str:
    """Return a secret from NAME or from the file named by NAME_FILE; else refuse.

    An optional one that is not set is empty.
    """
    path = os.environ.get(f"{name}_FILE")
    value = Path(path).read_text().strip() if path else os.environ.get(name, "")
    if is_optional and not path and not value:
        return ""
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"set {name} or {name}_FILE to a secret of at least 32 characters"
        )
    return value


def secret_kept_in(path: Path) -> str:
    """Return the secret kept in `path`, made at first use and readable by us alone.

    For the embedded default only.
    """
    if not path.exists():
        durable.write_once(path, secrets.token_urlsafe(48).encode())
    return path.read_text().strip()
