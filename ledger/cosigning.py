"""Ask one witness to cosign a checkpoint, and believe nothing but its signature.

Which witnesses are asked, and how many must agree, is left to `publishing` and the
policy. No Django.
Source: C2SP tlog-witness (https://c2sp.org/tlog-witness), the client's side.
"""

import re
from collections.abc import Sequence

from ledger import errors, exchange, serving
from ledger.exchange import Reply
from ledger.submission import Submission
from ledger.tlog import cosignature
from ledger.tlog import note as notes
from ledger.tlog.note import Signature, VerifierKey

# Signatures of a few keys, of which one is ours; or a few words.
MAX_ANSWER_BYTES = 64 * 1024
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


def cosign(
    url: str,
    key: VerifierKey,
    *,
    old_size: int,
    proof: Sequence[bytes],
    note: bytes,
    timeout_s: float,
) -> str:
    """Return the signature line of the witness with this key on the signed `note`.

    `url` is the submission prefix; `proof` leads from the `old_size` entries that the
    witness cosigned last. Raises WitnessRefused (a 409 tells the size to start from)
    or WitnessUnreachable.
    """
    asked = Submission(old_size=old_size, consistency=tuple(proof), checkpoint=note)
    try:
        connection, path = exchange.to_url(url, timeout_s=timeout_s)
        reply = exchange.exchange(
            connection,
            "POST",
            f"{path}/add-checkpoint",
            asked.encode(),
            timeout_s=timeout_s,
            max_bytes=MAX_ANSWER_BYTES,
        )
    except exchange.Unreachable as error:
        raise errors.WitnessUnreachable(
            f"the witness {key.name} does not answer: {error}"
        ) from error
    if reply.status != 200:
        raise errors.WitnessRefused(
            f"the witness {key.name} answers {reply.status}: {_words(reply)}",
            status=reply.status,
            size=_size(reply),
        )
    try:
        return _signature(reply.body, key, notes.parse(note).text).line
    except errors.NoteInvalid as error:
        raise errors.WitnessRefused(
            f"the witness {key.name} answers without its cosignature: {error}",
            status=reply.status,
            size=None,
        ) from error


def last_note(url: str, *, origin: str, timeout_s: float) -> bytes | None:
    """Return the signed note of a log that a witness cosigned last.

    None where it has none, or is a witness of other software, which need not answer.
    Nothing of it is checked. Raises WitnessUnreachable.
    """
    try:
        connection, path = exchange.to_url(url, timeout_s=timeout_s)
        reply = exchange.exchange(
            connection,
            "POST",
            f"{path}/last-note",
            f"{origin}\n".encode(),
            timeout_s=timeout_s,
            max_bytes=notes.MAX_BYTES,
        )
    except exchange.Unreachable as error:
        raise errors.WitnessUnreachable(
            f"the witness at {url} does not answer: {error}"
        ) from error
    return reply.body if reply.status == 200 else None


def _signature(answer: bytes, key: VerifierKey, text: str) -> Signature:
    """Return the cosignature of this key in the answer; others are ignored."""
    # tlog-witness: "the client MAY concatenate it to the checkpoint".
    answered = notes.parse(text.encode() + b"\n" + answer)
    if answered.text != text:
        raise errors.NoteInvalid("the answer is more than signature lines")
    for each in answered.signatures:
        if (each.name, each.key_id) == (key.name, key.key_id):
            cosignature.verify(each, text, key)
            return each
    raise errors.NoteInvalid("no line is of the key that was asked for")


def _size(reply: Reply) -> int | None:
    if reply.status != 409 or reply.content_type != serving.SIZE_TYPE:
        return None
    found = _SIZE.fullmatch(reply.body.decode(errors="replace"))
    return int(found[1]) if found else None


def _words(reply: Reply) -> str:
    """Return what the far side says, fit to be logged."""
    said = reply.body[:200].decode(errors="replace").strip()
    return "".join(each if each.isprintable() else " " for each in said)
