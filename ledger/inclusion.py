"""Show that an event stands in the signed tree, and check it as a stranger would.

A proof is made from the tiles that everybody reads, so it costs as little for ten
million entries as for ten; from the entries themselves where tiles were lost. Checking
starts from the bytes of the entry and ends at the cosigned note, so that a changed
column or tile can spoil a proof and never forge one. What entries say is in
`selectors`.
"""

import logging
from uuid import UUID

from ledger import commitments, derivation, errors, publishing, selectors, vault
from ledger.models import Body, Checkpoint, Entry
from ledger.tlog import canonical, hashing, proof
from ledger.tlog import opening as tlog_opening
from ledger.tlog import receipt as tlog_receipt
from ledger.tlog.hashing import Frontier
from ledger.tlog.opening import Opening
from ledger.tlog.receipt import Checked, Receipt
from ledger.tlog.tile import TileTree

logger = logging.getLogger(__name__)


def prove(event: UUID) -> Receipt:
    """Return the receipt of the event in the latest published tree.

    Raises EntryNotFound while no checkpoint covers it. Two queries, and at most two
    tiles for each level of 256 entries.
    """
    row = Entry.objects.filter(event=event).first()
    published = Checkpoint.objects.order_by("-size").defer("frontier").first()
    if row is None or published is None or row.seq >= published.size:
        raise errors.EntryNotFound(f"no signed checkpoint covers event {event} yet")
    return Receipt(
        entry=bytes(row.data),
        index=row.seq,
        proof=_path(row, published),
        note=bytes(published.note),
    )


def check(found: Receipt) -> Checked:
    """Return what a receipt shows to who believes the policy in force.

    Raises VerificationError.
    """
    return tlog_receipt.check(found, selectors.policy())


def receipt(event: UUID) -> bytes:
    """Return the receipt as the bytes of a `.tlog-proof` file; raise EntryNotFound."""
    return prove(event).encode()


def opening(event: UUID) -> Opening | None:
    """Return what opens the commitment of the event, or None when it was erased.

    Raises EntryNotFound, VaultSealBroken, OpeningInvalid.
    """
    body = Body.objects.filter(event=event).first()
    if body is None:
        raise errors.EntryNotFound(f"no entry has the event {event}")
    if body.key_id is None or body.sealed is None:
        return None
    key = vault.open_keys([body.key_id]).get(body.key_id)
    if key is None:
        return None
    found = Opening(
        event=event,
        key=commitments.commitment_key(key, event),
        body=canonical.read(commitments.open_body(key, event, bytes(body.sealed))),
    )
    tlog_opening.check(found, selectors.entry(event).commit)
    return found


def _path(row: Entry, published: Checkpoint) -> tuple[bytes, ...]:
    size, root = published.size, bytes(published.root)
    tree = TileTree(size, derivation.reader(publishing.store()))
    path = proof.inclusion_proof(row.seq, size, tree)
    try:
        proof.verify_inclusion(
            index=row.seq,
            size=size,
            leaf=hashing.leaf_hash(bytes(row.data)),
            proof=path,
            root=root,
        )
    except errors.ProofInvalid:
        # Nobody is to go without a receipt because a file was spoiled.
        logger.error(
            "the tiles do not prove entry %d of %d: proving from entries",
            row.seq,
            size,
        )
        leaves = list(derivation.leaves(0, size))
        path = proof.inclusion_proof(
            row.seq, size, proof.subtrees_of(Frontier(), leaves)
        )
    return tuple(path)
