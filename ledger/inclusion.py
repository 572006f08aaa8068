"""Show that an event stands in the signed tree, and check it as a stranger would.

Checking starts from the bytes of the entry and ends at the signed note, so that a
changed column can spoil a proof and never forge one. What entries say is in
`selectors`.
"""

from dataclasses import dataclass
from uuid import UUID

from ledger import errors, keys
from ledger.models import Checkpoint, Entry
from ledger.tlog import checkpoint, proof
from ledger.tlog.entry import parse
from ledger.tlog.hashing import Frontier, LeafHash, leaf_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusion:
    """An entry, its audit path and the signed head it leads to."""

    data: bytes
    index: int
    path: tuple[bytes, ...]
    size: int
    root: bytes
    note: bytes


def prove(event: UUID) -> Inclusion:
    """Return the proof that the event is in the latest signed tree.

    Raises EntryNotFound while no checkpoint covers it. Reads the leaf hashes of the
    tree: 32 bytes for each entry.
    """
    row = Entry.objects.filter(event=event).first()
    signed = Checkpoint.objects.order_by("-size").first()
    if row is None or signed is None or row.seq >= signed.size:
        raise errors.EntryNotFound(f"no signed checkpoint covers event {event} yet")
    rows = Entry.objects.filter(seq__lt=signed.size).order_by("seq")
    leaves = [LeafHash(bytes(one)) for one in rows.values_list("leaf_hash", flat=True)]
    path = proof.inclusion_proof(
        row.seq, signed.size, proof.subtrees_of(Frontier(), leaves)
    )
    return Inclusion(
        data=bytes(row.data),
        index=row.seq,
        path=tuple(path),
        size=signed.size,
        root=bytes(signed.root),
        note=bytes(signed.note),
    )


def check(found: Inclusion) -> None:
    """Raise VerificationError unless the proof leads to a head that the log signed."""
    head = checkpoint.open_note(found.note, keys.log_key().verifier)
    if (head.size, head.root) != (found.size, found.root):
        raise errors.CheckpointInvalid("the note signs another tree than the proof's")
    entry = parse(found.data)
    if entry.seq != found.index:
        raise errors.EntryInvalid(
            f"entry {entry.seq} stands where {found.index} belongs"
        )
    proof.verify_inclusion(
        index=found.index,
        size=found.size,
        leaf=leaf_hash(found.data),
        proof=found.path,
        root=found.root,
    )
