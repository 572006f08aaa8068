"""A key is read the same by page and engine, and proved with its own tools."""

import html
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from django.test import Client
from django.urls import reverse

from gemmule.accounts.models import ResearcherKey, User
from genomics.crypt4gh import keys
from genomics.errors import KeyInvalid, SecretKeyPasted
from tests.genomics.crypt4gh import key_texts as texts
from tests.genomics.crypt4gh.key_texts import CRYPT4GH, PEM_ED25519, PEM_X25519, SSH

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
OPENSSH, PKCS8 = PrivateFormat.OpenSSH, PrivateFormat.PKCS8
PROGRAMS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "text",
    [
        SSH,
        CRYPT4GH.encode("utf-16").decode("latin-1"),
        "\ufeff" + PEM_X25519.replace("\n", " "),
        PEM_ED25519.replace("-", "\u2013"),
    ],
)
def test_the_page_takes_what_the_engine_takes(
    rosa: User, confirmed: SignedIn, text: str
) -> None:
    expected = keys.fingerprint(keys.parse_public_key(text))

    page = confirmed(rosa).post(
        reverse("key_new"), {"name": "page", "public_key": text}
    )
    assert page.status_code == 302
    assert rosa.researcher_keys.get().fingerprint == expected


@pytest.mark.parametrize(
    "text",
    [
        texts.AGE,
        texts.PGP,
        texts.ssh(texts.RSA),
        CRYPT4GH + SSH,
        CRYPT4GH.splitlines()[1],
        "x" * 5000,
        "\0",
        "\ud800",
        texts.secret_text(texts.ED25519, OPENSSH),
        texts.secret_text(texts.X25519, PKCS8),
        texts.secret_text(texts.RSA, PKCS8).encode("utf-16").decode("latin-1"),
        f"AGE-SECRET-KEY-1{'Q' * 58}",
    ],
)
def test_the_page_refuses_in_the_words_of_the_engine(
    rosa: User,
    confirmed: SignedIn,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(KeyInvalid) as refusal:
        keys.parse_public_key(text)
    is_secret = isinstance(refusal.value, SecretKeyPasted)

    # A browser sends no half of a surrogate pair.
    page = confirmed(rosa).post(
        reverse("key_new"),
        {"name": "page", "public_key": text.replace("\ud800", "\ufffd")},
    )
    shown = html.unescape(page.content.decode())
    assert page.status_code == 200
    assert str(refusal.value)[1:] in shown  # after a capital letter
    if is_secret:
        line = max(text.splitlines(), key=len)
        assert line not in shown + caplog.text
    assert not ResearcherKey.objects.exists()


@pytest.mark.parametrize("length", [90, 200])
def test_a_secret_key_as_the_name_is_kept_nowhere(
    rosa: User, confirmed: SignedIn, length: int
) -> None:
    secret = keys.encode_secret_key(texts.CRYPT4GH_SECRET).splitlines()[1]
    fields = {"name": secret.ljust(length, "="), "public_key": CRYPT4GH}

    page = confirmed(rosa).post(reverse("key_new"), fields)
    assert "SECRET key" in page.content.decode()
    assert secret[:12] not in page.content.decode()
    assert not ResearcherKey.objects.exists()


@pytest.mark.parametrize(
    ("secret", "public", "command"),
    [
        (
            texts.secret_text(texts.ED25519, OPENSSH),
            SSH,
            ["crypt4gh", "decrypt", "--sk", "SECRET"],
        ),
        (
            texts.secret_text(texts.X25519, PKCS8),
            PEM_X25519,
            ["gemmule", "decrypt", "/dev/stdin", "--secret-key", "SECRET"],
        ),
        (
            texts.secret_text(texts.ED25519, PKCS8),
            PEM_ED25519,
            ["gemmule", "decrypt", "/dev/stdin", "--secret-key", "SECRET"],
        ),
    ],
)
def test_the_owner_of_a_converted_key_proves_it(
    rosa: User,
    confirmed: SignedIn,
    tmp_path: Path,
    secret: str,
    public: str,
    command: list[str],
) -> None:
    path = tmp_path / "secret"
    path.write_text(secret)
    client = confirmed(rosa)
    client.post(reverse("key_new"), {"name": "cluster", "public_key": public})
    key = rosa.researcher_keys.get()
    program, *arguments = command

    opened = subprocess.run(
        [
            PROGRAMS / program,
            *(str(path) if word == "SECRET" else word for word in arguments),
        ],
        input=client.get(reverse("key_challenge", args=[key.pk])).content,
        capture_output=True,
        timeout=60,
    )

    assert opened.returncode == 0, opened.stderr
    client.post(
        reverse("key_detail", args=[key.pk]), {"answer": opened.stdout.decode()}
    )
    key.refresh_from_db()
    assert key.state == ResearcherKey.State.ACTIVE
