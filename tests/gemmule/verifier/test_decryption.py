"""`gemmule decrypt` opens a file with the keys that are taken, and says why not."""

import io
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from gemmule import cli
from genomics.crypt4gh import keys, stream
from tests.genomics.crypt4gh import key_texts as texts

PKCS8 = PrivateFormat.PKCS8


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Return a file made for the PEM X25519 key."""
    target = io.BytesIO()
    stream.encrypt_stream(
        io.BytesIO(b"inside\n"), target, keys.parse_public_key(texts.PEM_X25519)
    )
    path = tmp_path / "challenge.c4gh"
    path.write_bytes(target.getvalue())
    return path


def test_a_key_with_a_passphrase_opens_the_file(
    sealed: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    secret, passphrase = tmp_path / "my.pem", tmp_path / "passphrase"
    secret.write_text(texts.secret_text(texts.X25519, PKCS8, texts.PASSPHRASE))
    passphrase.write_bytes(texts.PASSPHRASE + b"\n")
    command = ["decrypt", str(sealed), "--secret-key", str(secret)]

    assert cli.main(command) == cli.NOTHING_CHECKED
    out, err = capfdbinary.readouterr()
    assert out == b"" and b"expected a passphrase" in err
    assert cli.main([*command, "--passphrase-file", str(passphrase)]) == cli.HOLDS
    assert capfdbinary.readouterr() == (b"inside\n", b"")


@pytest.mark.parametrize(
    ("name", "text", "status", "reason"),
    [
        (
            "challenge.c4gh",
            texts.secret_text(texts.ED25519, PKCS8),
            cli.REFUSED,
            "does not open",
        ),
        ("absent", texts.secret_text(texts.X25519, PKCS8), 2, "cannot read"),
        ("challenge.c4gh", texts.SSH, 2, "the public key opens nothing"),
    ],
)
def test_what_does_not_open_is_told(
    sealed: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    name: str,
    text: str,
    status: int,
    reason: str,
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(text)

    assert cli.main(["decrypt", str(tmp_path / name), "--secret-key", str(secret)]) == (
        status
    )
    out, err = capfd.readouterr()
    assert out == "" and reason in err and err.count("\n") == 1
