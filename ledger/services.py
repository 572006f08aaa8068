"""Write to the ledger: accept events, give them their place, publish signed heads.

Who may cause an event, and when, is decided above: here every event that keeps the
form is accepted. How a head is signed is in `publishing`.

    append()    inside the business transaction: a pending row and an encrypted body
    sequence()  gives pending rows their place: at most 256 in one short transaction
    publish()   signs a checkpoint that covers every entry
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from ledger import commitments, errors, keys, locks, publishing, vault
from ledger.models import Body, Entry, Head, Pending
from ledger.tlog import canonical, entry, hashing, vocabulary
from ledger.tlog.canonical import JSON
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier, LeafHash

BATCH = 256
# A body may list a large cohort; far above that, something else is wrong.
MAX_BODY_BYTES = 16 * 1024 * 1024

# What `append` adds to the body of a subject's event.
_PLACE_KEYS = frozenset(("subject_seq", "subject_prev"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEntry:
    """What `append` accepted: now, or when it was called with this event before."""

    event: UUID
    type: str
    commit: bytes


def new_subject(*, now: datetime) -> UUID:
    """Return the opaque id of a new subject, its key made and committed."""
    return new_subjects(count=1, now=now)[0]


def new_subjects(*, count: int, now: datetime) -> list[UUID]:
    """Return ids of `count` new subjects, their keys committed in one transaction."""
    return list(vault.create(count, now=now))


def append(
    *,
    type: str,
    pub: Mapping[str, JSON],
    body: Mapping[str, JSON],
    event: UUID,
    now: datetime,
    subject: UUID | None = None,
) -> PendingEntry:
    """Accept an event inside the caller's transaction; it holds if that commits.

    Call it last, when all locks are held: the order on the ledger is the order of
    these calls. The same `event` twice is one event; with another type or public part
    it raises EventReused. For a subject the body gets `subject_seq`, 1 for the first,
    and `subject_prev`, the commitment before: whoever opens all of them sees that none
    is missing. Raises EventTypeUnknown, PubInvalid, BodyInvalid, SubjectUnknown.
    """
    accepted = _accept(type, pub, body, event=event, subject=subject, now=now)
    # robust: the event is committed; that it is not sequenced yet must not turn the
    # answer into an error. A periodic task calls settle() as well.
    transaction.on_commit(lambda: settle(now=now), robust=True)
    return accepted


def sequence(*, now: datetime) -> int:
    """Give up to 256 pending events their place in the log; return how many.

    The first event of a log is preceded by `log.genesis`, which is not counted.
    Order is the order of acceptance. `now` becomes the time of the entries, or the
    time of the last one when the clock was set back.
    """
    if not Pending.objects.exists():
        return 0
    with transaction.atomic(durable=True):
        locks.lock_head()
        head = Head.objects.select_for_update().first()
        if head is None:
            head = _begin_log(now)
        rows = list(Pending.objects.order_by("id")[:BATCH])
        if rows:
            _extend(head, rows, now)
    return len(rows)


def publish(*, now: datetime) -> Checkpoint | None:
    """Sign and store a checkpoint of all entries; None while there is no entry."""
    return publishing.publish(now=now)


def settle(*, now: datetime) -> None:
    """Sequence until nothing is pending, then publish."""
    while sequence(now=now) >= BATCH:
        pass
    publish(now=now)


def commit_for_subjects(
    *, context: bytes, bodies: Sequence[tuple[UUID, Mapping[str, JSON]]]
) -> list[bytes]:
    """Return, in order, one commitment (32 bytes) to each (subject, body).

    For documents that speak of many subjects: who lacks a subject's key sees noise,
    and the same subject looks different in every `context`. One query for 500.
    """
    opened = vault.open_keys(subject for subject, _ in bodies)
    found = []
    for subject, body in bodies:
        if subject not in opened:
            raise errors.SubjectUnknown(f"the vault holds no key of subject {subject}")
        key = commitments.sample_key(opened[subject], context)
        found.append(commitments.commit(key, _body_bytes(body)))
    return found


def _accept(
    type_: str,
    pub: Mapping[str, JSON],
    body: Mapping[str, JSON],
    *,
    event: UUID,
    subject: UUID | None,
    now: datetime,
) -> PendingEntry:
    assert connection.in_atomic_block, (
        "append belongs inside the transaction of what it records"
    )
    said = _public_part(type_, pub)
    if subject is not None:
        locks.lock_subject(subject)
    earlier = _accepted(event)
    if earlier is not None:
        return _check_same(earlier, type_, said)
    if not body.keys().isdisjoint(_PLACE_KEYS):
        raise errors.BodyInvalid(
            f"{' and '.join(sorted(_PLACE_KEYS))} are set by the ledger (event {event})"
        )
    if subject is None:
        # A key of its own, so that the entry can be opened, or made noise, alone.
        ((key_id, key),) = vault.create(1, now=now).items()
        place: dict[str, Any] = {}
    else:
        key_id, key = subject, vault.open_key(subject)
        place = _next_place(subject)
    data = _body_bytes({**body, **place})
    commit = commitments.commit(commitments.commitment_key(key, event), data)
    try:
        # The savepoint keeps the caller's transaction usable when another one has
        # just committed the same event.
        with transaction.atomic():
            Body.objects.create(
                event=event,
                key_id=key_id,
                subject_seq=place.get("subject_seq"),
                commit=commit,
                sealed=commitments.seal_body(key, event, data),
            )
            Pending.objects.create(
                event=event, type=type_, pub=said, commit=commit, accepted_at=now
            )
    except IntegrityError:
        earlier = _accepted(event)
        if earlier is None:
            raise
        return _check_same(earlier, type_, said)
    return PendingEntry(event=event, type=type_, commit=commit)


def _public_part(type_: str, pub: Mapping[str, JSON]) -> dict[str, Any]:
    """Return the public part in built-in types, its lists as sorted sets; checked."""
    try:
        said: dict[str, Any] = canonical.builtin(pub)
    except ValueError as error:
        raise errors.PubInvalid(f"the public part of {type_}: {error}") from error
    for key, value in said.items():
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            said[key] = sorted(set(value))
    vocabulary.check(type_, said)
    return said


def _body_bytes(body: Mapping[str, JSON]) -> bytes:
    try:
        data = canonical.write(body)
    except ValueError as error:
        raise errors.BodyInvalid(f"the body of an event: {error}") from error
    if len(data) > MAX_BODY_BYTES:
        raise errors.BodyInvalid(
            f"a body has at most {MAX_BODY_BYTES} bytes, not {len(data)}"
        )
    return data


def _next_place(subject: UUID) -> dict[str, Any]:
    """Return which event of the subject comes next, and the commitment before it."""
    last = (
        Body.objects.filter(key_id=subject, subject_seq__isnull=False)
        .order_by("-subject_seq")
        .values_list("subject_seq", "commit")
        .first()
    )
    if last is None:
        return {"subject_seq": 1, "subject_prev": None}
    number, commit = last
    assert number is not None, "the query asks for numbered bodies"
    assert commit is not None, "an erased body has no key id"
    return {
        "subject_seq": number + 1,
        "subject_prev": canonical.encode_base64(bytes(commit)),
    }


def _accepted(event: UUID) -> tuple[PendingEntry, Mapping[str, JSON]] | None:
    """Return the event and its public part, pending or sequenced, if there is one."""
    pending = Pending.objects.filter(event=event).first()
    if pending is not None:
        commit = bytes(pending.commit)
        return PendingEntry(event=event, type=pending.type, commit=commit), pending.pub
    data = Entry.objects.filter(event=event).values_list("data", flat=True).first()
    if data is None:
        return None
    found = entry.parse(bytes(data))
    return PendingEntry(event=event, type=found.type, commit=found.commit), found.pub


def _check_same(
    earlier: tuple[PendingEntry, Mapping[str, JSON]], type_: str, pub: dict[str, Any]
) -> PendingEntry:
    accepted, said = earlier
    if (accepted.type, said) != (type_, pub):
        raise errors.EventReused(
            f"event {accepted.event} is a {accepted.type} already; the {type_} that "
            "came with its id differs from it"
        )
    return accepted


def _begin_log(now: datetime) -> Head:
    """Return the head of a new log that holds nothing but `log.genesis`."""
    key = keys.log_key().verifier
    genesis = uuid.uuid4()
    _accept(
        "log.genesis",
        {"origin": key.name, "key_id": key.key_id.hex(), "key": key.text},
        {},
        event=genesis,
        subject=None,
        now=now,
    )
    head = Head.objects.create(
        size=0,
        frontier=b"",
        last_leaf=entry.NO_PREVIOUS,
        last_time=entry.to_milliseconds(now),
    )
    _extend(head, [Pending.objects.get(event=genesis)], now)
    return head


def _extend(head: Head, rows: Sequence[Pending], now: datetime) -> None:
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
