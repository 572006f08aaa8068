"""Open a Crypt4GH file with a secret key, whatever it holds.

For the challenge of a new key, and for whose key other tools do not read (PEM). Nothing
is held against a manifest here: that is `gemmule.verifier.files`.
"""

from pathlib import Path
from typing import IO

from gemmule.verifier.errors import NothingChecked, VerifierError
from genomics.crypt4gh import stream
from genomics.errors import CryptInvalid


class DecryptionFailed(VerifierError):
    """The file does not open with the key, or was changed."""


def decrypt(path: Path, secret_key: bytes, target: IO[bytes]) -> None:
    """Write what is inside the file to `target`.

    Raises DecryptionFailed, after which `target` holds the segments before the fault,
    and NothingChecked when the file cannot be read.
    """
    try:
        source = path.open("rb")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NothingChecked(f"cannot read {path}: {reason}") from error
    with source:
        try:
            stream.decrypt_stream(source, target, secret_key)
        except CryptInvalid as error:
            raise DecryptionFailed(f"{path} does not open: {error}") from error
