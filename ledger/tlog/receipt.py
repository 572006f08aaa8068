"""Keep an entry with the proof that it is in the log, to be checked without the log.

Which checkpoints are believed is for `policy`, what the entry commits to for `opening`.
Source: C2SP tlog-proof (https://c2sp.org/tlog-proof), whose extra data is the entry.

    c2sp.org/tlog-proof@v1
    extra eyJjb21taXQiOiJxS...
    index 41233
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
    B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

    example.com/log
    41300
    sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

    — example.com/log hI2DJw...
    — witness1.example mJirIk...
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger import errors
from ledger.tlog import canonical, entry, hashing, note, proof
from ledger.tlog.entry import Entry
from ledger.tlog.policy import Cosigned, Policy

# One hash for each level of the highest tree there can be.
MAX_PROOF = 64
# The entry in base64, the proof, and the longest note.
MAX_BYTES = entry.MAX_BYTES * 4 // 3 + 8 * 1024 + note.MAX_BYTES

_HEADER = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An entry, where it stands, its audit path, and the note that signs the tree."""

    entry: bytes
    index: int
    proof: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """Return the bytes of a `.tlog-proof` file."""
        head = [
            _HEADER,
            f"extra {canonical.encode_base64(self.entry)}",
            f"index {self.index}",
            *map(canonical.encode_base64, self.proof),
        ]
        return "".join(f"{line}\n" for line in head).encode() + b"\n" + self.note

    @classmethod
    def parse(cls, data: bytes) -> "Receipt":
        """Return the receipt; raise ReceiptInvalid unless its form is exact.

        Nothing of it is believed before `check`.
        """
        if len(data) > MAX_BYTES:
            raise errors.ReceiptInvalid(f"a receipt has at most {MAX_BYTES} bytes")
        head, gap, signed = data.partition(b"\n\n")
        if not gap:
            raise errors.ReceiptInvalid("an empty line stands before the checkpoint")
        try:
            lines = iter(head.decode("ascii").split("\n"))
            if next(lines, None) != _HEADER:
                raise ValueError(f"the first line must be {_HEADER}")
            return cls(
                entry=canonical.decode_base64(_value(lines, "extra")),
                index=canonical.decode_count(_value(lines, "index")),
                proof=_path(lines),
                note=signed,
            )
        except ValueError as error:
            raise errors.ReceiptInvalid(f"not a receipt: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """An entry that is in a log, where, and who vouches for the log."""

    entry: Entry
    index: int
    cosigned: Cosigned


def check(receipt: Receipt, policy: Policy) -> Checked:
    """Return what the receipt shows to someone who believes the policy.

    Raises NoteInvalid, CheckpointInvalid, QuorumNotMet, EntryInvalid, ReceiptInvalid,
    ProofInvalid.
    """
    cosigned = policy.check(receipt.note)
    found = entry.parse(receipt.entry)
    if found.seq != receipt.index:
        raise errors.ReceiptInvalid(
            f"the receipt of entry {receipt.index} holds entry {found.seq}"
        )
    proof.verify_inclusion(
        index=receipt.index,
        size=cosigned.checkpoint.size,
        leaf=hashing.leaf_hash(receipt.entry),
        proof=receipt.proof,
        root=cosigned.checkpoint.root,
    )
    return Checked(entry=found, index=receipt.index, cosigned=cosigned)


def _value(lines: Iterator[str], key: str) -> str:
    """Return what stands behind the key in the next line; raise ValueError if none."""
    found, _, value = next(lines, "").partition(" ")
    if found != key or not value:
        raise ValueError(f"a line must be: {key} and a value")
    return value


def _path(lines: Iterator[str]) -> tuple[bytes, ...]:
    path = tuple(map(hashing.decode, lines))
    if len(path) > MAX_PROOF:
        raise ValueError(f"a proof has at most {MAX_PROOF} hashes, not {len(path)}")
    return path
