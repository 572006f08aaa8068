"""Gather, for many events at once, what shows them to somebody who has no ledger.

What `inclusion` makes for one event: all proofs here end at one checkpoint, whose note
is kept once, and the keys of a thousand openings cost a few queries. For dossiers,
which speak of every donor of a dataset.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from ledger import commitments, derivation, errors, publishing, vault
from ledger.models import Body, Checkpoint, Entry
from ledger.tlog import canonical, entry, hashing, proof
from ledger.tlog import opening as tlog_opening
from ledger.tlog.opening import Opening
from ledger.tlog.tile import TileTree

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """The bytes of an entry, where it stands, and its audit path."""

    entry: bytes
    index: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Entries of events under the checkpoint of one note, and what opens them.

    `openings` lacks those whose bodies were erased.
    """

    note: bytes
    entries: Mapping[UUID, Located]
    openings: Mapping[UUID, Opening]


def gather(events: Iterable[UUID]) -> Evidence:
    """Return what shows the events, and says them, under the latest checkpoint.

    Raises EntryNotFound unless it covers all of them; ProofInvalid where the tiles do
    not lead to it; VaultSealBroken, OpeningInvalid. Five queries for each 500.
    """
    published = Checkpoint.objects.order_by("-size").defer("frontier").first()
    if published is None:
        raise errors.EntryNotFound("no checkpoint is signed yet")
    size, root = published.size, bytes(published.root)
    tree = TileTree(size, derivation.reader(publishing.store()))
    entries: dict[UUID, Located] = {}
    openings: dict[UUID, Opening] = {}
    for some in _batches(events):
        rows = Entry.objects.filter(event__in=some, seq__lt=size)
        found = {row.event: (row.seq, bytes(row.data)) for row in rows}
        for event in some:
            if event not in found:
                raise errors.EntryNotFound(f"no checkpoint covers event {event} yet")
            index, data = found[event]
            path = tuple(proof.inclusion_proof(index, size, tree))
            proof.verify_inclusion(
                index=index,
                size=size,
                leaf=hashing.leaf_hash(data),
                proof=path,
                root=root,
            )
            entries[event] = Located(entry=data, index=index, path=path)
        openings.update(_openings(some, entries))
    return Evidence(note=bytes(published.note), entries=entries, openings=openings)


def sample_keys(*, context: bytes, subjects: Iterable[UUID]) -> dict[UUID, bytes]:
    """Return what opens the commitments of `services.commit_for_subjects`.

    Subjects whose keys were destroyed are left out. One query for each 500.
    """
    return {
        subject: commitments.sample_key(key, context)
        for subject, key in vault.open_keys(subjects).items()
    }


def _openings(
    events: list[UUID], entries: Mapping[UUID, Located]
) -> Iterator[tuple[UUID, Opening]]:
    bodies = Body.objects.in_bulk(events)
    keys = vault.open_keys(
        [body.key_id for body in bodies.values() if body.key_id is not None]
    )
    for event, body in bodies.items():
        key = None if body.key_id is None else keys.get(body.key_id)
        if key is None or body.sealed is None:
            continue
        found = Opening(
            event=event,
            key=commitments.commitment_key(key, event),
            body=canonical.read(commitments.open_body(key, event, bytes(body.sealed))),
        )
        tlog_opening.check(found, entry.parse(entries[event].entry).commit)
        yield event, found


def _batches(events: Iterable[UUID]) -> Iterator[list[UUID]]:
    left = iter(dict.fromkeys(events))
    while some := list(islice(left, _AT_ONCE)):
        yield some
