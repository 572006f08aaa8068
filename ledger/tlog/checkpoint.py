"""The head of the log as a signed text: origin, size, root.

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

Signatures are made and checked by `note`.
Source: C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint), without extension
lines, which no monitor could audit.
"""

from dataclasses import dataclass

from ledger import errors
from ledger.tlog import canonical, hashing, note
from ledger.tlog.note import SignerKey, VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Which log, how many entries, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """Return the text that is signed."""
        return f"{self.origin}\n{self.size}\n{canonical.encode_base64(self.root)}\n"


def parse(text: str) -> Checkpoint:
    """Return the checkpoint; raise CheckpointInvalid unless the text is exactly one."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise errors.CheckpointInvalid(
            "a checkpoint has three lines: origin, size, root"
        )
    origin, size_text, root_text, _ = lines
    try:
        note.check_name(origin)
        size = canonical.decode_count(size_text)
        root = hashing.decode(root_text)
    except (ValueError, errors.NoteInvalid) as error:
        raise errors.CheckpointInvalid(f"not a checkpoint: {error}") from error
    if size == 0 and root != hashing.EMPTY_ROOT:
        raise errors.CheckpointInvalid("an empty tree has the root SHA-256 of nothing")
    return Checkpoint(origin=origin, size=size, root=root)


def sign(checkpoint: Checkpoint, key: SignerKey) -> bytes:
    """Return the checkpoint as a note signed by the log's key."""
    if key.name != checkpoint.origin:
        raise errors.CheckpointInvalid(
            f"the key of {key.name} cannot sign for the log {checkpoint.origin}"
        )
    return key.sign(checkpoint.text)


def open_note(data: bytes, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint of the log that `key` signs for.

    Raises NoteInvalid unless the key signed it, CheckpointInvalid unless it is a
    checkpoint of the log with the key's name.
    """
    signed = note.parse(data)
    note.verify(signed, [key])
    checkpoint = parse(signed.text)
    if checkpoint.origin != key.name:
        raise errors.CheckpointInvalid(
            f"a checkpoint of {key.name} was expected, one of {checkpoint.origin} came"
        )
    return checkpoint
