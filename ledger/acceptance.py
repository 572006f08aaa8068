"""Accept an event: a pending row, and an encrypted body, in the caller's transaction.

What follows when the transaction has committed is decided in `services`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from ledger import commitments, errors, locks, mentions, vault
from ledger.models import Body, Entry, Pending
from ledger.tlog import canonical, entry, vocabulary
from ledger.tlog.canonical import JSON

# A body may list a large cohort; far above that, something else is wrong.
MAX_BODY_BYTES = 16 * 1024 * 1024

# What is added to the body of a subject's event.
_PLACE_KEYS = frozenset(("subject_seq", "subject_prev"))


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingEntry:
    """What was accepted: now, or when the event came before."""

    event: UUID
    type: str
    commit: bytes


def accept(
    type_: str,
    pub: Mapping[str, JSON],
    body: Mapping[str, JSON],
    *,
    event: UUID,
    subject: UUID | None = None,
    now: datetime,
) -> PendingEntry:
    """Accept the event, or return it if it was accepted before; see `services`."""
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
    data = body_bytes({**body, **place})
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
            mentions.note(event, type_, said)
    except IntegrityError:
        earlier = _accepted(event)
        if earlier is None:
            raise
        return _check_same(earlier, type_, said)
    return PendingEntry(event=event, type=type_, commit=commit)


def body_bytes(body: Mapping[str, JSON]) -> bytes:
    """Return the canonical bytes of a body; raise BodyInvalid if it has none."""
    try:
        data = canonical.write(body)
    except ValueError as error:
        raise errors.BodyInvalid(f"the body of an event: {error}") from error
    if len(data) > MAX_BODY_BYTES:
        raise errors.BodyInvalid(
            f"a body has at most {MAX_BODY_BYTES} bytes, not {len(data)}"
        )
    return data


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
