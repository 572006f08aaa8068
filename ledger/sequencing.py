"""Give pending events their place: one chain, one tree, without a gap.

The head is locked before it is read, and events are taken in the order of their
acceptance, so that there is one order however many do this at once.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from ledger import acceptance, keys, locks, policies, rollback
from ledger.models import Entry, Head, Pending
from ledger.tlog import entry, hashing
from ledger.tlog.hashing import Frontier, LeafHash

BATCH = 256


def sequence(*, now: datetime) -> int:
    """Give up to 256 pending events their place in the log; return how many.

    The first event of a log is preceded by `log.genesis`, which is not counted.
    Order is the order of acceptance. `now` becomes the time of the entries, or the
    time of the last one when the clock was set back.
    If rows are known to be lost, no entry is written behind the others, which would
    begin a second history: events wait until the lost entries are restored.
    """
    if not Pending.objects.exists() or rollback.proofs():
        return 0
    with transaction.atomic(durable=True):
        locks.lock_head()
        head = Head.objects.select_for_update().first()
        if head is None:
            head = _begin_log(now)
        rows = list(Pending.objects.order_by("id")[:BATCH])
        if rows:
            extend(head, rows, now)
    return len(rows)


def _begin_log(now: datetime) -> Head:
    """Return the head of a new log that holds nothing but `log.genesis`."""
    key = keys.verifiers()[0]
    policy = policies.current()
    genesis = uuid.uuid4()
    acceptance.accept(
        "log.genesis",
        {
            "origin": key.name,
            "key_id": key.key_id.hex(),
            "key": key.text,
            "policy_sha256": policy.sha256,
        },
        {},
        event=genesis,
        now=now,
    )
    policies.note_announced(policy, now=now)
    head = Head.objects.create(
        size=0,
        frontier=b"",
        last_leaf=entry.NO_PREVIOUS,
        last_time=entry.to_milliseconds(now),
    )
    extend(head, [Pending.objects.get(event=genesis)], now)
    return head


def extend(head: Head, rows: Sequence[Pending], now: datetime) -> None:
    """Write the rows behind the head, delete them, and move the head."""
    frontier = Frontier.from_bytes(head.size, bytes(head.frontier))
    leaf = LeafHash(bytes(head.last_leaf))
    # A clock that was set back must not make the log look edited.
    time = max(entry.to_milliseconds(now), entry.to_milliseconds(head.last_time))
    entries = []
    for row in rows:
        data = entry.encode(
            entry.Entry(
                seq=frontier.size,
                prev=leaf,
                time=time,
                type=row.type,
                pub=row.pub,
                commit=bytes(row.commit),
            )
        )
        leaf = hashing.leaf_hash(data)
        entries.append(
            Entry(seq=frontier.size, event=row.event, data=data, leaf_hash=leaf)
        )
        frontier.append(leaf)
    Entry.objects.bulk_create(entries)
    Pending.objects.filter(id__in=[row.id for row in rows]).delete()
    head.size = frontier.size
    head.frontier = frontier.to_bytes()
    head.last_leaf = leaf
    head.last_time = time
    head.save(update_fields=["size", "frontier", "last_leaf", "last_time"])
