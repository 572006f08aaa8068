"""Make a subject's part of the ledger noise, for good, and prove that it happened.

The entries stay, with all their proofs; what they commit to is lost with the subject's
key. Everything else that is known of a person is erased above
(`gemmule.releases.erasure`), which calls these steps in this order, each as often as
it takes:

    destroy_key()   a tombstone in the main database, then the key in the vault
    erase_bodies()  ciphertext, commitment and key id of every body of the subject
    record()        `subject.erased`, which names nobody

`replay()` does the first two again for every tombstone: after a backup was restored.
"""

import json
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from ledger import bodies, copies, durable, locks, services, vault
from ledger.models import Body, ErasedKey, Pending, VaultKey, Verification

logger = logging.getLogger(__name__)

_TOMBSTONES = "erased"
_DIGEST = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay found alive again, and made noise again."""

    keys: int
    bodies: int


def destroy_key(*, subject: UUID, now: datetime) -> None:
    """Bury the subject's key and destroy it; nothing of the subject opens from now on.

    The tombstone comes first: from then on the key opens nothing, in whichever state
    the vault is found. It also goes to a file, and to the places of `copies`, which
    outlive a restored database.
    """
    digest = vault.tombstone(subject)
    with transaction.atomic():
        locks.lock_subject(
            subject
        )  # An event of the subject is accepted whole, or not.
        ErasedKey.objects.get_or_create(digest=digest)
    durable.append_line(tombstone_file(), digest)
    copies.here().write(f"{_TOMBSTONES}/{digest}", b"")
    vault.destroy(subject, now=now)
    # If the bucket is away, the next steps wait, but the key is already destroyed.
    for place in copies.others():
        place.write(f"{_TOMBSTONES}/{digest}", b"")


def erase_bodies(*, subject: UUID) -> int:
    """Erase what the subject's entries commit to; return how many bodies had it."""
    # First the files, which no transaction covers: a second run finds the same events.
    events = Body.objects.filter(key_id=subject).values_list("event", flat=True)
    bodies.erase(list(events))
    with transaction.atomic():
        locks.lock_subject(subject)
        erased = Body.objects.filter(key_id=subject).update(
            key_id=None, subject_seq=None, commit=None, sealed=None
        )
    vault.forget(subject)
    return erased


def record(*, event: UUID, now: datetime) -> None:
    """Append `subject.erased`, which says of whom to nobody, to the transaction."""
    services.append(type="subject.erased", pub={}, body={}, event=event, now=now)


def redact(values: Collection[str]) -> None:
    """Take these values out of what past inspections of the ledger have found."""
    for row in Verification.objects.exclude(findings=[]):
        text = told = json.dumps(row.findings)
        for value in values:
            text = text.replace(value, "(erased)")
        if text != told:
            row.findings = json.loads(text)
            row.save(update_fields=["findings"])


def erased_among(subjects: Iterable[UUID]) -> set[UUID]:
    """Return the subjects whose keys were buried. One query for each 500."""
    return vault.buried(subjects)


def replay(*, now: datetime) -> Replayed:
    """Carry every tombstone out again; call it after any restore.

    Tombstones from the file come back into the table first. Reads the ids of the whole
    vault: some seconds for a million keys.
    """
    restore_tombstones()
    keys = bodies = 0
    for ids in vault.all_ids():
        for key_id in vault.buried(ids):
            vault.destroy(key_id, now=now)
            bodies += erase_bodies(subject=key_id)
            keys += 1
    # Bodies that came back without their key: a main database older than its vault.
    for key_id in vault.buried(_body_keys()):
        bodies += erase_bodies(subject=key_id)
    return Replayed(keys=keys, bodies=bodies)


def has_erased() -> bool:
    """Tell whether the key of any subject was destroyed. One query."""
    return ErasedKey.objects.exists()


def restore_tombstones() -> int:
    """Take tombstones that stand in the file alone into the table; return how many."""
    missing = missing_tombstones()
    ErasedKey.objects.bulk_create(
        [ErasedKey(digest=digest) for digest in sorted(missing)], ignore_conflicts=True
    )
    return len(missing)


def missing_tombstones() -> set[str]:
    """Return the digests kept in files that the table lacks: it is an older copy."""
    path = tombstone_file()
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    for place in copies.everywhere():
        try:
            lines += place.names(_TOMBSTONES)
        except OSError as error:
            logger.warning("tombstones could not be read: %s", error)
    noted = {line for line in lines if len(line) == 64 and set(line) <= _DIGEST}
    return noted - set(ErasedKey.objects.values_list("digest", flat=True))


def revived() -> list[UUID]:
    """Return the keys that lie in the vault although they were buried."""
    return [key_id for ids in vault.all_ids() for key_id in vault.buried(ids)]


def touched() -> tuple[type[Model], ...]:
    """Return the tables in which an erasure deletes something."""
    return (Body, Pending, VaultKey, Verification)


def tombstone_file() -> Path:
    """Return the file that keeps every tombstone beside the databases."""
    return Path(settings.DATA_DIR) / "ledger" / "erased.txt"


def _body_keys() -> Iterable[UUID]:
    rows = Body.objects.filter(subject_seq=1).values_list("key_id", flat=True)
    return [key_id for key_id in rows.iterator() if key_id is not None]
