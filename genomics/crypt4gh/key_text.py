"""Read the text that a person pasted as their public key.

Undoes what mail programs, editors and terminals do to a text, and refuses texts that
have two readings. `genomics.crypt4gh.key_kinds` says what the bytes of a key are, and
`genomics.crypt4gh.keys` whether a key can be used. No message quotes the text.

    -----BEGIN CRYPT4GH PUBLIC KEY-----
    0AqybqRdvjGyUBt11PYdPsjTlsFJDWOGm8BlmoBBKCg=
    -----END CRYPT4GH PUBLIC KEY-----

    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI... rosa@laptop

    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VuAyEAxDbXjGahimRkuphAx2+x7Lew2ETkgm8Hw/0xms8GXCI=
    -----END PUBLIC KEY-----
"""

import base64
import re
import unicodedata
from typing import NoReturn

from genomics.crypt4gh import key_kinds
from genomics.crypt4gh.key_kinds import Form, Kind
from genomics.errors import KeyInvalid, SecretKeyPasted

# A key file has about 114 characters; nobody needs more for comment and white space.
MAX_CHARACTERS = 4096
# How far a secret key is sought: beyond any key file; longer texts are refused anyway.
_SOUGHT_CHARACTERS = 100_000

_EXPECTED = "expected a Crypt4GH, ssh-ed25519, X25519 or Ed25519 public key"
_MAKE = "crypt4gh-keygen --sk my.sec --pk my.pub"
_KEY_BYTES = 32
_SSH_ED25519_CHARACTERS = 68  # base64 of 51 bytes

# What mail programs and editors put around or in place of characters; none of it is
# in base64.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_QUOTES = ">|`\"'\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
_REPLACED = {ord(dash): "-" for dash in _DASHES} | {ord(mark): " " for mark in _QUOTES}
# The UTF-16 and UTF-8 byte order marks, each byte read as a character of its own.
_MISREAD_MARKS = ("\xff\xfe", "\xfe\xff", "\ufffd\ufffd", "\xef\xbb\xbf")

# A label ends in one of these words, so that no comment is taken for a frame. Any
# number of dashes: editors turn two or three of them into a longer one. Those at the
# end may begin the next frame as well, and are not part of the match.
_FRAME = re.compile(
    r"(?<!-)-+\s*(BEGIN|END)\s*"
    r"((?:[A-Z0-9][A-Z0-9 ]{0,60}?\s?)?"
    r"(?:KEY|BLOCK|CERTIFICATE|REQUEST|MESSAGE|SIGNATURE|FILE))(?=\s*-)",
    re.IGNORECASE,
)
_SSH = re.compile(
    r"(?<![\w@.-])"
    r"((?i:ssh|sk-ssh|ecdsa-sha2|sk-ecdsa-sha2)-(?i:[a-z0-9@.-]{2,50}?))\s*"
    r"(AAAA[A-Za-z0-9+/=]+)"
)
_AGE = re.compile(r"(?<!\w)age1[a-z0-9]{20,}", re.IGNORECASE)
# Long enough for the 32 bytes of a key in base64 or hex, or for a line of a long key.
_MATERIAL = re.compile(r"[A-Za-z0-9+/=_-]{40,}")
# A line drawn under a mail has few different characters; a key has many.
_RULE_CHARACTERS = 4
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")

# Secret keys, sought with all blanks and quotation marks taken out: a secret key is
# one in the wrong frame, without a frame, or broken over lines as well.
_SECRET_FRAME = re.compile(
    r"BEGIN([A-Z0-9]{0,40}(?:PRIVATE|SECRET)KEY(?:BLOCK)?)", re.IGNORECASE
)
_SECRETS = (
    (re.compile(r"c4gh-v1|YzRnaC12M", re.ASCII), key_kinds.CRYPT4GH_SECRET),
    (re.compile(r"openssh-key-v1|b3BlbnNzaC1rZXktdj"), key_kinds.OPENSSH_SECRET),
    (re.compile(r"AGE-SECRET-KEY|AGE-PLUGIN-", re.IGNORECASE), "an age secret key"),
    (re.compile(r"PuTTY-User-Key-File|Private-Lines", re.I), "a PuTTY private key"),
    (re.compile(r"Proc-Type:4,ENCRYPTED|DEK-Info:"), "an encrypted PEM private key"),
    # PKCS #8 of X25519 and Ed25519 (RFC 8410), versions 1 and 2, up to the key.
    (re.compile(r"MC4CAQAwBQYDK2V|M[A-Z][A-Za-z0-9]CAQEwBQYDK2V"), "a PEM private key"),
    (re.compile(r"[{,]d:[A-Za-z0-9+/_-]{40,}"), "a JSON Web Key with its secret part"),
    # PKCS #1 and #8 of RSA, SEC 1: a DER sequence that begins with a version.
    (re.compile(r"MII[A-Za-z0-9+/]{3}IBA|MHcCAQEE|MIGHAgEA"), "a PEM private key"),
)
# A text that speaks of a secret key and is no public key may hold one in any form.
_SECRET_NAMED = re.compile(r"(?:PRIVATE|SECRET)[-_]?KEY", re.IGNORECASE)


def read(text: str) -> Kind:
    """Return the one public key in the text, of Form X25519 or ED25519.

    Raises SecretKeyPasted for a secret key of any kind and KeyInvalid for whatever
    else is not exactly one public key.
    """
    refuse_secret_key(text)
    try:
        return _single_key(text)
    except KeyInvalid:
        if _SECRET_NAMED.search(_squeezed(text)):
            raise _secret("a text that speaks of a secret key") from None
        raise


def refuse_secret_key(text: str) -> None:
    """Raise SecretKeyPasted if the text holds anything that looks like a secret key."""
    squeezed = _squeezed(text)
    frame = _SECRET_FRAME.search(squeezed)
    if frame:
        kind = key_kinds.of_label(frame[1].upper())
        raise _secret(kind.name if kind else "a private key")
    for pattern, name in _SECRETS:
        if pattern.search(squeezed):
            raise _secret(name)


# --- the text ----------------------------------------------------------------


def _clean(text: str) -> str:
    """Undo what programs do to a text on its way."""
    text = _decoded(text)
    text = text.replace("\\r", "\n").replace("\\n", "\n")  # of a JSON or .env value
    text = "".join(
        character for character in text if unicodedata.category(character) != "Cf"
    )
    text = text.translate(_REPLACED)
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _decoded(text: str) -> str:
    """Return what UTF-16 stands for when each of its bytes became a character."""
    for mark in _MISREAD_MARKS:
        text = text.removeprefix(mark)
    if "\0" not in text:
        return text
    for start in (0, 1):
        letters, zeros = text[start::2], text[1 - start :: 2]
        if not zeros.strip("\0"):
            return letters
    return text


def _squeezed(text: str) -> str:
    text = text[:_SOUGHT_CHARACTERS]
    return "".join(_clean(text).replace("\0", "").split())


# --- keys in it --------------------------------------------------------------


def _single_key(text: str) -> Kind:
    clean = _clean(text[:MAX_CHARACTERS])
    if not clean:
        raise KeyInvalid(f"{_EXPECTED}, got an empty text")
    begins = [mark for mark in _FRAME.finditer(clean) if mark[1].upper() == "BEGIN"]
    ends = [mark for mark in _FRAME.finditer(clean) if mark[1].upper() == "END"]
    outside = _outside(clean, begins, ends)
    ssh_keys = list(_SSH.finditer(outside))
    age_keys = _AGE.findall(outside)
    count = len(begins) + len(ssh_keys) + len(age_keys)
    if count > 1:
        raise KeyInvalid(f"expected one key, got {count}")
    if begins:
        _refuse_foreign(key_kinds.of_label(_label(begins[0])))
    if ssh_keys:
        _refuse_foreign(key_kinds.of_ssh_type(ssh_keys[0][1].lower()))
    if age_keys:
        _refuse_foreign(Kind(form=Form.OTHER, name="an age key (age1...)"))
    if len(text) > MAX_CHARACTERS:
        raise KeyInvalid(
            f"expected a public key file of at most {MAX_CHARACTERS} characters, got "
            f"{len(text)}"
        )
    if begins:
        return _framed_key(clean, outside, begins[0], ends)
    if ends:
        raise KeyInvalid(
            "expected the whole text of a public key file, got one without its first "
            "line, -----BEGIN ...-----"
        )
    if ssh_keys:
        return _ssh_key(outside, ssh_keys[0])
    _refuse_unframed(clean)


def _label(mark: re.Match[str]) -> str:
    return "".join(mark[2].split()).upper()


def _outside(text: str, begins: list[re.Match[str]], ends: list[re.Match[str]]) -> str:
    """Return the text without what stands between the first BEGIN and the last END."""
    if not begins:
        return text
    stop = ends[-1].end() if ends else len(text)
    return f"{text[: begins[0].start()]}\n{text[max(stop, begins[0].end()) :]}"


def _framed_key(
    text: str, outside: str, begin: re.Match[str], ends: list[re.Match[str]]
) -> Kind:
    if len(ends) != 1 or ends[0].start() < begin.end():
        raise KeyInvalid(
            "expected the whole text of a public key file, got one without its last "
            "line, -----END ...-----"
        )
    if _label(ends[0]) != _label(begin):
        raise KeyInvalid(
            "expected a key between two lines that belong together, got the last line "
            "of another kind of key"
        )
    encoded = "".join(text[begin.end() : ends[0].start()].split()).lstrip("-")
    if begin[0] != begin[0].upper() and encoded in {encoded.lower(), encoded.upper()}:
        raise KeyInvalid(
            "expected capital and small letters as they are in the file, got a text in "
            "which they were changed: copy the key again"
        )
    body = _base64(encoded)
    kind = key_kinds.of_body(body)
    _refuse_foreign(kind)
    _refuse_material(outside)
    if _label(begin) == "CRYPT4GHPUBLICKEY":
        return _crypt4gh_key(body, kind)
    if kind is None or kind.name == key_kinds.SSH_ED25519:
        raise KeyInvalid(
            "expected an X25519 or Ed25519 key between the lines of a PEM public key, "
            f"got {kind.name if kind else f'{len(body)} bytes of something else'}: "
            "paste the file as the tool wrote it"
        )
    return kind


def _crypt4gh_key(body: bytes, kind: Kind | None) -> Kind:
    if kind is not None:
        raise KeyInvalid(
            "expected a Crypt4GH key between the lines of a Crypt4GH public key, got "
            f"{kind.name}: paste the file as the tool wrote it, without these lines"
        )
    if len(body) != _KEY_BYTES:
        raise KeyInvalid(
            f"expected {_KEY_BYTES} bytes of key, got {len(body)}: paste the whole "
            "text of the public key file"
        )
    return Kind(form=Form.X25519, name="a Crypt4GH key", raw=body)


def _ssh_key(text: str, match: re.Match[str]) -> Kind:
    encoded, rest = match[2], text[match.end() :]
    # A mail program broke the line: each next line gives its first word, as long as
    # the key ends exactly where a word ends.
    while len(encoded) < _SSH_ED25519_CHARACTERS and rest.startswith("\n"):
        word, _, rest_of_line = rest[1:].partition(" ")
        word, newline, rest_of_text = word.partition("\n")
        encoded += word
        rest = newline + rest_of_text + (" " + rest_of_line if rest_of_line else "")
    if len(encoded) != _SSH_ED25519_CHARACTERS or not _BASE64.fullmatch(encoded):
        raise KeyInvalid(
            f"expected {_SSH_ED25519_CHARACTERS} characters of key after ssh-ed25519, "
            f"then a blank, got {len(encoded)}: paste the whole line of the .pub file"
        )
    kind = key_kinds.of_body(_base64(encoded))
    _refuse_foreign(kind)
    if kind is None:
        raise KeyInvalid(
            "expected an ed25519 key after ssh-ed25519, got something else: paste the "
            "whole line of the .pub file"
        )
    _refuse_material(f"{text[: match.start()]}\n{rest}")
    return kind


def _refuse_unframed(text: str) -> NoReturn:
    """Refuse a text without a frame or type; name what a person may have taken it for.

    Bytes alone do not say whose format they are, nor whether they are public: the
    secret key of WireGuard is 32 bytes in base64 as well.
    """
    joined = "".join(text.split())
    if _BASE64.fullmatch(joined) and len(joined) >= 40 and len(joined) % 4 != 1:
        body = _base64(joined)
        kind = key_kinds.of_body(body)
        if kind is not None and kind.form in {Form.SECRET, Form.OTHER}:
            _refuse_foreign(kind)
        raise KeyInvalid(
            f"expected the whole text of a public key file, got {len(body)} bytes in "
            "base64 without its first and last line: they could be any key, even a "
            "secret one. If they are, consider that key exposed and make a new one "
            f"with: {_MAKE}"
        )
    if text.startswith("{") and "kty" in text:
        _refuse_foreign(Kind(form=Form.OTHER, name="a JSON Web Key"))
    if "untrusted comment:" in text.lower():
        _refuse_foreign(Kind(form=Form.OTHER, name="a key of minisign or signify"))
    raise KeyInvalid(
        "expected the whole text of a public key file (Crypt4GH, ssh-ed25519, X25519 "
        "or Ed25519), got a text with no key. To make a key: "
        f"{_MAKE}; then paste the text of my.pub"
    )


def _refuse_foreign(kind: Kind | None) -> None:
    if kind is None or kind.form in {Form.X25519, Form.ED25519}:
        return
    if kind.form is Form.SECRET:
        raise _secret(kind.name)
    raise KeyInvalid(
        f"{_EXPECTED}, got {kind.name}. To make a key that is accepted: {_MAKE}; then "
        "paste the text of my.pub"
    )


def _refuse_material(beside: str) -> None:
    """Forgive a comment; refuse what may be another key, or the rest of this one."""
    runs = _MATERIAL.findall(beside)
    if any(len(set(run)) > _RULE_CHARACTERS for run in runs):
        raise KeyInvalid(
            "expected one key and at most a comment, got a text beside it that may be "
            "another key: paste the public key alone"
        )


def _secret(name: str) -> SecretKeyPasted:
    return SecretKeyPasted(
        f"expected a public key, got a SECRET key ({name}). It was not kept, but it "
        "has left your computer: consider it exposed, stop using it and make a new "
        f"pair with: {_MAKE}; then paste the text of my.pub"
    )


def _base64(encoded: str) -> bytes:
    """Return the bytes; padding at the end may be missing."""
    if not _BASE64.fullmatch(encoded) or len(encoded.rstrip("=")) % 4 == 1:
        raise KeyInvalid("expected base64 in the public key, got other characters")
    digits = encoded.rstrip("=")
    return base64.b64decode(digits + "=" * (-len(digits) % 4))
