"""Public keys are read as people send them; what they cannot be is named."""

import base64
from collections.abc import Callable
from pathlib import Path

import crypt4gh.keys
import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat
from hypothesis import example, given
from hypothesis import strategies as st

from genomics.crypt4gh import keys
from genomics.errors import KeyInvalid, SecretKeyPasted
from tests.genomics.crypt4gh import key_texts as texts
from tests.genomics.crypt4gh.key_texts import (
    BEGIN,
    CRYPT4GH,
    CRYPT4GH_KEY,
    END,
    PEM_ED25519,
    PEM_X25519,
    SSH,
    SSH_BLOB,
)

BODY = CRYPT4GH.splitlines()[1]
MAKE = "crypt4gh-keygen --sk my.sec --pk my.pub"

# What happens to a text on its way from a file into a form.
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "blank lines": lambda text: "\n\n" + text.replace("\n", "\n\n"),
    "trailing blanks": lambda text: text.replace("\n", "  \t\n"),
    "indented": lambda text: "    " + text.replace("\n", "\n    "),
    "byte order mark": lambda text: "\ufeff" + text,
    "byte order mark read as Latin-1": lambda text: "\xef\xbb\xbf" + text,
    "one line": lambda text: text.replace("\n", " "),
    "no-break spaces": lambda text: text.replace(" ", "\xa0").replace("\n", "\xa0\n"),
    "zero width at the ends": lambda text: f"\u200b\u2060{text}\u200d\u200b",
    "mail quotation": lambda text: "".join(f"> {line}\n" for line in text.splitlines()),
    "quoted twice": lambda text: "".join(f">> {line}\n" for line in text.splitlines()),
    "en dashes": lambda text: text.replace("-", "\u2013"),
    "em dashes and a hyphen": lambda text: text.replace("--", "\u2014"),
    "UTF-16 read as Latin-1": lambda text: text.encode("utf-16").decode("latin-1"),
    "UTF-16 with the big end first": lambda text: (
        b"\xfe\xff" + text.encode("utf-16-be")
    ).decode("latin-1"),
    "UTF-16 read as UTF-8": lambda text: text.encode("utf-16").decode(errors="replace"),
    "in quotation marks": lambda text: f"\u201c{text.strip()}\u201d",
    "in a code block": lambda text: f"```\n{text}```\n",
    "line ends written out": lambda text: text.replace("\n", "\\n"),
    "text after it": lambda text: f"{text}\nBest regards,\n{'-' * 50}\nRosa\n",
}
TAKEN = {
    "Crypt4GH": (CRYPT4GH, CRYPT4GH_KEY),
    "ssh-ed25519": (SSH, None),
    "PEM X25519": (PEM_X25519, texts.X25519.public_key().public_bytes_raw()),
    "PEM Ed25519": (PEM_ED25519, None),
}


@pytest.fixture(scope="module")
def ed25519_key(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the X25519 key that GA4GH's own tool makes of the Ed25519 one."""
    path: Path = tmp_path_factory.mktemp("ssh") / "id_ed25519.pub"
    path.write_text(SSH)
    return bytes(crypt4gh.keys.get_public_key(str(path)))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", TAKEN)
def test_a_public_key_survives_its_way(kind: str, way: str, ed25519_key: bytes) -> None:
    text, key = TAKEN[kind]

    assert keys.parse_public_key(WAYS[way](text)) == (key or ed25519_key)


@pytest.mark.parametrize(
    "text",
    [
        f"{BEGIN}{BODY}{END}",  # one line without blanks
        f"{BEGIN}\n{BODY[:20]}\n{BODY[20:]}\n{END}",  # wrapped
        f"{BEGIN}\n{BODY.rstrip('=')}\n{END}",  # without padding
        CRYPT4GH.replace(BEGIN, BEGIN.lower()).replace(END, END.lower()),
        "".join(CRYPT4GH.split()),
        CRYPT4GH.replace("-----\n", "----\n"),
        f"my key is:\n{CRYPT4GH}",
        f"{CRYPT4GH}rosa@laptop, not the private key\n",
    ],
)
def test_a_crypt4gh_key_is_read_from_what_programs_make_of_it(text: str) -> None:
    assert keys.parse_public_key(text) == CRYPT4GH_KEY


@pytest.mark.parametrize(
    "text",
    [
        SSH.partition(" rosa")[0],  # no comment
        SSH.replace("rosa@laptop", "Rosa's private key, of 2024"),
        SSH.replace(SSH_BLOB, f"{SSH_BLOB[:60]}\n{SSH_BLOB[60:]}"),
        SSH.replace(" ", "\n"),
        "".join(SSH.split()[:2]),
        SSH.replace("ssh-ed25519", "SSH-ED25519"),
        f'no-pty,from="10.0.0.1" {SSH}',  # a line of authorized_keys
    ],
)
def test_an_ssh_key_is_read_from_what_programs_make_of_it(
    text: str, ed25519_key: bytes
) -> None:
    assert keys.parse_public_key(text) == ed25519_key


def ssh_body(type_name: str) -> str:
    size = len(type_name).to_bytes(4, "big")
    return base64.b64encode(size + type_name.encode() + bytes(40)).decode()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (texts.AGE, "an age key"),
        (texts.AGE.upper(), "an age key"),
        ("age1yubikey1" + "q" * 50, "an age key"),
        (texts.PGP, "a PGP public key"),
        (texts.PGP.replace("mDME", "mDME" * 100), "a PGP public key"),
        (texts.SSH2, "ssh-keygen -i -f FILE"),
        (texts.ssh(texts.RSA), "of type RSA"),
        (texts.pem(texts.RSA), "an RSA key"),
        (texts.framed(bytes(270), "RSA PUBLIC KEY"), "an RSA key"),
        (texts.pem(texts.EC), r"elliptic curve key \(ECDSA\)"),
        (f"ssh-dss {ssh_body('ssh-dss')}", "of type DSA"),
        (f"ecdsa-sha2-nistp256 {ssh_body('ecdsa-sha2-nistp256')} r", "of type ECDSA"),
        (
            f"sk-ssh-ed25519@openssh.com {ssh_body('sk-ssh-ed25519@openssh.com')} r",
            "a security key",
        ),
        (
            "ssh-ed25519-cert-v01@openssh.com "
            f"{ssh_body('ssh-ed25519-cert-v01@openssh.com')} r",
            "an SSH certificate",
        ),
        (f"ssh-ed25519 {ssh_body('ssh-rsa')} r", "of type RSA"),
        (texts.framed(bytes(300), "CERTIFICATE"), "an X.509 certificate"),
        (texts.framed(bytes(300), "CERTIFICATE REQUEST"), "a certificate request"),
        ('{"kty":"OKP","crv":"X25519","x":"hSDwCYkwp1R0i33ctD73"}', "JSON Web Key"),
        (f"untrusted comment: minisign public key\n{'RWQf6LRC' * 7}", "minisign"),
    ],
)
def test_a_key_of_another_tool_is_named_and_the_right_command_given(
    text: str, name: str
) -> None:
    with pytest.raises(KeyInvalid, match=name) as refusal:
        keys.parse_public_key(text)
    assert MAKE in str(refusal.value)
    assert not isinstance(refusal.value, SecretKeyPasted)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty text"),
        ("\u200b \n", "an empty text"),
        ("rubbish", "no key"),
        (f"{BODY}\n", "32 bytes in base64 without its first and last line"),
        (SSH_BLOB, "51 bytes in base64 without"),
        (f"{BEGIN}\n{END}\n", "base64"),
        (f"{BEGIN}\n{BODY}", "without its last line"),
        (f"{BODY}\n{END}", "without its first line"),
        (f"{BEGIN}\n{BODY}\n-----END PUBLIC KEY-----", "another kind of key"),
        (texts.framed(bytes(31)), "32 bytes of key, got 31"),
        (texts.framed(bytes(33)), "32 bytes of key, got 33"),
        (texts.framed(base64.b64decode(SSH_BLOB)), "got an SSH key of type ed25519"),
        (PEM_X25519.replace("PUBLIC", "CRYPT4GH PUBLIC"), "got an X25519 key in PEM"),
        (CRYPT4GH.replace("CRYPT4GH ", ""), "X25519 or Ed25519 key between the lines"),
        (CRYPT4GH.lower(), "capital and small letters"),
        (CRYPT4GH + CRYPT4GH, "expected one key, got 2"),
        ("".join((CRYPT4GH * 2).splitlines()), "expected one key, got 2"),
        (CRYPT4GH + SSH, "expected one key, got 2"),
        (SSH + SSH + PEM_X25519, "expected one key, got 3"),
        (SSH + texts.AGE, "expected one key, got 2"),
        (CRYPT4GH + BODY, "may be another key"),
        (SSH + SSH_BLOB, "may be another key"),
        (SSH.replace(" rosa", "rosa"), "68 characters of key"),
        (SSH.replace(SSH_BLOB, SSH_BLOB[:-1]), "68 characters of key"),
        ("x" * 5000, "at most 4096 characters, got 5000"),
        (f"{SSH.strip()}{' rosa' * 1000}", "at most 4096 characters"),
    ],
)
def test_what_is_not_one_public_key_is_refused_with_its_reason(
    text: str, reason: str
) -> None:
    with pytest.raises(KeyInvalid, match=reason) as refusal:
        keys.parse_public_key(text)
    assert not isinstance(refusal.value, SecretKeyPasted)


OPENSSH, PKCS8, PKCS1 = (
    PrivateFormat.OpenSSH,
    PrivateFormat.PKCS8,
    PrivateFormat.TraditionalOpenSSL,
)
SECRETS = {
    "Crypt4GH": keys.encode_secret_key(texts.CRYPT4GH_SECRET),
    "OpenSSH": texts.secret_text(texts.ED25519, OPENSSH),
    "OpenSSH RSA": texts.secret_text(texts.RSA, OPENSSH),
    "PEM": texts.secret_text(texts.X25519, PKCS8),
    "PEM Ed25519": texts.secret_text(texts.ED25519, PKCS8),
    "PEM RSA": texts.secret_text(texts.RSA, PKCS8),
    "RSA": texts.secret_text(texts.RSA, PKCS1),
    "elliptic curve": texts.secret_text(texts.EC, PKCS1),
    "encrypted PEM": texts.secret_text(texts.ED25519, PKCS8, texts.PASSPHRASE),
    "PGP": texts.PGP.replace("PUBLIC", "PRIVATE"),
    "age": f"AGE-SECRET-KEY-1{'Q' * 58}\n",
    "PuTTY": f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n{BODY}\n",
    "JSON Web Key": f'{{"kty":"OKP","d":"{BODY[:43]}"}}\n',
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_key_is_named_and_never_quoted(kind: str) -> None:
    secret = SECRETS[kind]
    body = max(secret.splitlines(), key=len)
    for text in (
        secret,
        CRYPT4GH + secret,
        SSH + secret,
        secret.replace("-", "\u2013"),
        "".join(f"> {line}\r\n" for line in secret.splitlines()),
        "".join(secret.split()),
        secret.encode("utf-16").decode("latin-1"),
        secret + " " * 5000,
    ):
        with pytest.raises(SecretKeyPasted) as refusal:
            keys.parse_public_key(text)
        message = str(refusal.value)
        assert body[:12] not in message
        assert kind.split()[0] in message
        assert "consider it exposed" in message and MAKE in message


@pytest.mark.parametrize(
    "kind", ["Crypt4GH", "OpenSSH", "PEM", "PEM Ed25519", "RSA", "elliptic curve"]
)
def test_a_secret_key_without_its_frame_or_in_the_wrong_one_is_seen(kind: str) -> None:
    lines = SECRETS[kind].splitlines()
    bare = "".join(lines[1:-1])
    for text in (
        "\n".join(lines[1:-1]),
        bare,
        f"my key is {bare}",
        f"{BEGIN}\n{bare}\n{END}",
        f"-----BEGIN PUBLIC KEY-----\n{bare}\n-----END PUBLIC KEY-----",
    ):
        with pytest.raises(SecretKeyPasted):
            keys.parse_public_key(text)


@pytest.mark.parametrize(
    "text",
    [
        f"PrivateKey = {BODY}",  # WireGuard
        f"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n{BODY}",
        f"private key: {base64.b64decode(BODY).hex()}",
        f"{CRYPT4GH}secret key: {BODY}",
    ],
)
def test_a_text_that_speaks_of_a_secret_key_is_taken_for_one(text: str) -> None:
    with pytest.raises(SecretKeyPasted):
        keys.parse_public_key(text)


_PIECES = (BEGIN, END, BODY, SSH_BLOB, *PEM_X25519.splitlines(), "ssh-ed25519", "age1")
_MARKS = ("-", "\n", " ", "\0", "A", "=")


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(_PIECES + _MARKS), max_size=12).map("".join)
    | st.binary(max_size=90).map(texts.framed)
    | st.binary(max_size=90).map(lambda body: texts.framed(body, "PUBLIC KEY"))
    | st.binary(max_size=60).map(
        lambda body: f"ssh-ed25519 AAAA{base64.b64encode(body).decode()}"
    )
)
@example(f"{BEGIN}\n\N{FULLWIDTH DIGIT ONE}\n{END}")
@example("\ud800")
def test_any_text_is_a_key_or_an_error_of_this_room(text: str) -> None:
    try:
        assert len(keys.parse_public_key(text)) == 32
    except KeyInvalid:
        pass
