"""Write to the ledger: accept events, give them their place, publish signed heads.

Who may cause an event, and when, is decided above: here every event that keeps the
form is accepted.

    append()    inside the business transaction: a pending row and an encrypted body
    sequence()  gives pending rows their place: at most 256 in one short transaction
    publish()   has a checkpoint of every entry signed, cosigned and put in place
    settle()    what follows a commit: sequence, and publish where that takes no witness
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from ledger import (
    acceptance,
    commitments,
    errors,
    policies,
    publishing,
    sequencing,
    vault,
)
from ledger.acceptance import PendingEntry
from ledger.tlog.canonical import JSON
from ledger.tlog.checkpoint import Checkpoint


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
    accepted = acceptance.accept(type, pub, body, event=event, subject=subject, now=now)
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
    return sequencing.sequence(now=now)


def publish(*, now: datetime) -> Checkpoint | None:
    """Have a checkpoint of all entries published; None while there is no entry.

    Asks notary and witnesses over the network where they are elsewhere: not for a
    request that somebody waits for. Raises QuorumNotMet when too few of them cosigned:
    then nothing is published, and the next call goes on.
    """
    return publishing.publish(now=now)


def settle(*, now: datetime) -> None:
    """Sequence until nothing is pending; publish too, where no witness is asked.

    With witnesses `manage.py publish_ledger --follow` publishes, and the periodic task.
    """
    sequence_all(now=now)
    if not policies.names_witnesses():
        publish(now=now)


def sequence_all(*, now: datetime) -> None:
    """Sequence until nothing is pending."""
    while sequence(now=now) >= sequencing.BATCH:
        pass


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
        found.append(commitments.commit(key, acceptance.body_bytes(body)))
    return found
