"""A key is read the same by page, API and engine, and proved with its own tools."""

import html
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from django.test import Client
from django.urls import reverse

from gemmule.accounts.models import ResearcherKey, User
from gemmule.api.models import IdempotentAnswer
from genomics.crypt4gh import keys
from genomics.errors import KeyInvalid, SecretKeyPasted
from tests.gemmule.api.callers import Caller, assert_problem
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
def test_page_and_api_take_what_the_engine_takes(
    as_rosa: Caller, rosa: User, signed_in: SignedIn, text: str
) -> None:
    expected = keys.fingerprint(keys.parse_public_key(text))

    answer = as_rosa.post("/keys/", {"name": "api", "public_key": text})
    assert answer.status_code == 201, answer.content
    assert rosa.researcher_keys.get().fingerprint == expected
    rosa.researcher_keys.all().delete()
    page = signed_in(rosa).post(
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
def test_page_and_api_refuse_in_the_words_of_the_engine(
    as_rosa: Caller,
    rosa: User,
    signed_in: SignedIn,
    text: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(KeyInvalid) as refusal:
        keys.parse_public_key(text)
    is_secret = isinstance(refusal.value, SecretKeyPasted)

    answer = as_rosa.post("/keys/", {"name": "api", "public_key": text}, key="once")
    problem: dict[str, Any] = assert_problem(answer, 400, field="public_key")
    assert problem["detail"] == str(refusal.value)
    assert (problem["code"] == "secret-key") == is_secret
    # A browser sends no half of a surrogate pair.
    page = signed_in(rosa).post(
        reverse("key_new"),
        {"name": "page", "public_key": text.replace("\ud800", "\ufffd")},
    )
    shown = html.unescape(page.content.decode())
    assert page.status_code == 200
    assert str(refusal.value)[1:] in shown  # after a capital letter
    if is_secret:
        line = max(text.splitlines(), key=len)
        assert line not in shown + answer.content.decode() + caplog.text
    assert not ResearcherKey.objects.exists()
    assert not IdempotentAnswer.objects.exists()


@pytest.mark.parametrize("length", [90, 200])
def test_a_secret_key_as_the_name_is_kept_nowhere(
    as_rosa: Caller, rosa: User, signed_in: SignedIn, length: int
) -> None:
    secret = keys.encode_secret_key(texts.CRYPT4GH_SECRET).splitlines()[1]
    fields = {"name": secret.ljust(length, "="), "public_key": CRYPT4GH}

    answer = as_rosa.post("/keys/", fields)
    assert_problem(answer, 400, field="name")
    page = signed_in(rosa).post(reverse("key_new"), fields)
    assert "SECRET key" in page.content.decode()
    for body in (answer.content, page.content):
        assert secret[:12] not in body.decode()
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
    as_rosa: Caller, tmp_path: Path, secret: str, public: str, command: list[str]
) -> None:
    path = tmp_path / "secret"
    path.write_text(secret)
    answer = as_rosa.post("/keys/", {"name": "cluster", "public_key": public})
    key = f"/keys/{answer.json()['id']}/"
    program, *arguments = command

    opened = subprocess.run(
        [
            PROGRAMS / program,
            *(str(path) if word == "SECRET" else word for word in arguments),
        ],
        input=as_rosa.get(f"{key}challenge/").content,
        capture_output=True,
        timeout=60,
    )

    assert opened.returncode == 0, opened.stderr
    proved = as_rosa.post(f"{key}prove/", {"answer": opened.stdout.decode()})
    assert proved.json()["state"] == "active"
