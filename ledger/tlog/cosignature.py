"""Cosign a checkpoint with the time, as a witness does, and check cosignatures.

Whether a witness may sign is for `ledger.witness`, how many must for `policy`.
Source: C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature), Ed25519, type 0x04.

What is signed is not the text of the checkpoint alone:

    cosignature/v1
    time 1679315147
    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
"""

from ledger import errors
from ledger.tlog import note
from ledger.tlog.note import Signature, SignerKey, VerifierKey

# "It MUST NOT exceed 2^63 - 1", tlog-cosignature, "Format".
MAX_TIME = 2**63 - 1

_TIME_BYTES = 8
_SIGNATURE_BYTES = 64


def cosign(text: str, key: SignerKey, *, time: int) -> str:
    """Return the signature line, its newline included; `time` in POSIX seconds."""
    note.check_text(text)
    note.check_algorithm(key, note.COSIGNATURE)
    if not 0 <= time <= MAX_TIME:
        raise errors.NoteInvalid("the time of a cosignature is within 0 and 2^63-1")
    # struct { u64 timestamp; opaque ed25519_signature[64]; }, big-endian
    value = time.to_bytes(_TIME_BYTES, "big") + key.sign_bytes(_message(text, time))
    return Signature(name=key.name, key_id=key.verifier.key_id, value=value).line


def verify(signature: Signature, text: str, key: VerifierKey) -> int:
    """Return when the key cosigned the text, in POSIX seconds, or raise NoteInvalid."""
    note.check_algorithm(key, note.COSIGNATURE)
    if len(signature.value) != _TIME_BYTES + _SIGNATURE_BYTES:
        raise errors.NoteInvalid(
            f"a cosignature has {_TIME_BYTES + _SIGNATURE_BYTES} bytes, that of "
            f"{key.label} has {len(signature.value)}"
        )
    time = int.from_bytes(signature.value[:_TIME_BYTES], "big")
    if time > MAX_TIME:
        raise errors.NoteInvalid(f"the time of {key.label} is beyond 2^63-1")
    key.verify_bytes(signature.value[_TIME_BYTES:], _message(text, time))
    return time


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
