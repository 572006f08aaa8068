"""A manifest is signed with the service's key, and any other signature is refused."""

import base64
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pytest_django.fixtures import Settings

from gemmule.releases import signing
from gemmule.releases.errors import ReleasesError

BODY: dict[str, Any] = {"release": "GMX0000001", "records": 3}


@pytest.fixture(autouse=True)
def key_file(tmp_path: Path, settings: Settings) -> Path:
    """Return where this test's key will be made."""
    settings.MANIFEST_KEY_FILE = tmp_path / "keys" / "manifest.key"
    path: Path = settings.MANIFEST_KEY_FILE
    return path


def test_signature_holds_for_its_body_in_any_order_of_keys(key_file: Path) -> None:
    signature = signing.sign(BODY)
    signing.verify(dict(reversed(BODY.items())), signature)
    assert len(key_file.read_bytes()) == 32
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_changed_body_is_refused() -> None:
    signature = signing.sign(BODY)
    with pytest.raises(ReleasesError, match="does not fit"):
        signing.verify({**BODY, "records": 4}, signature)


def test_key_that_is_not_ours_is_refused(tmp_path: Path, settings: Settings) -> None:
    signature = signing.sign(BODY)
    settings.MANIFEST_KEY_FILE = tmp_path / "other.key"
    with pytest.raises(ReleasesError, match="not ours"):
        signing.verify(BODY, signature)


def test_signature_of_the_body_without_its_domain_is_refused(key_file: Path) -> None:
    """Nothing that another part of us signs can pass for a manifest."""
    signature = signing.sign(BODY)
    key = Ed25519PrivateKey.from_private_bytes(key_file.read_bytes())
    value = base64.b64encode(key.sign(rfc8785.dumps(BODY))).decode()
    with pytest.raises(ReleasesError, match="does not fit"):
        signing.verify(BODY, {**signature, "value": value})


def test_production_makes_no_key(settings: Settings) -> None:
    settings.LEDGER_CREATE_KEYS = False
    with pytest.raises(FileNotFoundError):
        signing.sign(BODY)
    assert not settings.MANIFEST_KEY_FILE.exists()
