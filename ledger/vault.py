"""Make, open and destroy the random keys that commitments and bodies hang on.

Keys lie in a database of their own, wrapped by the service key (AES-256-GCM, the key's
id as associated data): a stolen vault is useless without the service key, and a key
destroyed in the vault is gone for every copy of the main database. A vault that is
restored from a backup revives none: tombstones in the main database name, by digest,
the keys that no one opens any more. When one is destroyed `erasure` knows.
"""

import hashlib
import secrets
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from ledger import errors, keys
from ledger.commitments import KEY_BYTES, NONCE_BYTES
from ledger.models import ErasedKey, VaultKey
from ledger.routers import VAULT

_WRAP = b"gemmule/ledger/vault/v1"
_TOMBSTONE = b"gemmule/ledger/erased/v1\0"
_AT_ONCE = 500


def create(count: int, *, now: datetime) -> dict[UUID, bytes]:
    """Make and commit `count` keys in one transaction of their own; return them by id.

    They must be there before the business transaction needs them: no transaction spans
    both databases. If that one fails, a key that opens nothing is left: harmless.
    """
    cipher = AESGCM(keys.service_key())
    made = {uuid.uuid4(): secrets.token_bytes(KEY_BYTES) for _ in range(count)}
    rows = []
    for key_id, key in made.items():
        nonce = secrets.token_bytes(NONCE_BYTES)
        wrapped = nonce + cipher.encrypt(nonce, key, _WRAP + key_id.bytes)
        rows.append(VaultKey(id=key_id, wrapped=wrapped, created_at=now))
    with transaction.atomic(using=VAULT, durable=True):
        VaultKey.objects.bulk_create(rows)
    return made


def open_key(key_id: UUID) -> bytes:
    """Return the key (32 bytes); raise SubjectUnknown when it is not, or no longer."""
    try:
        return open_keys([key_id])[key_id]
    except KeyError:
        raise errors.SubjectUnknown(
            f"the vault holds no key {key_id}: it never did, or it was destroyed"
        ) from None


def open_keys(key_ids: Iterable[UUID]) -> dict[UUID, bytes]:
    """Return the keys that are there and not destroyed. Two queries for each 500."""
    wanted = list(dict.fromkeys(key_ids))
    cipher = AESGCM(keys.service_key())
    found: dict[UUID, bytes] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        rows = VaultKey.objects.filter(
            id__in=wanted[start : start + _AT_ONCE], wrapped__isnull=False
        )
        kept = dict(rows.values_list("id", "wrapped"))
        for key_id in kept.keys() - buried(kept):
            wrapped = kept[key_id]
            assert wrapped is not None, "the query asks for kept keys"
            found[key_id] = _unwrap(cipher, key_id, bytes(wrapped))
    return found


def tombstone(key_id: UUID) -> str:
    """Return the digest (hex) by which a key's tombstone is known."""
    # SHA-256(tag || id): the id has 122 random bits, so no list of ids leads to it.
    return hashlib.sha256(_TOMBSTONE + key_id.bytes).hexdigest()


def buried(key_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of the keys have a tombstone. One query for each 500."""
    wanted = {tombstone(key_id): key_id for key_id in key_ids}
    digests = list(wanted)
    found: set[UUID] = set()
    for start in range(0, len(digests), _AT_ONCE):
        rows = ErasedKey.objects.filter(digest__in=digests[start : start + _AT_ONCE])
        found.update(wanted[digest] for digest in rows.values_list("digest", flat=True))
    return found


def destroyed(key_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of the keys were there and are destroyed. Two queries for 500."""
    wanted = list(dict.fromkeys(key_ids))
    found = buried(wanted)
    for start in range(0, len(wanted), _AT_ONCE):
        found.update(
            VaultKey.objects.filter(
                id__in=wanted[start : start + _AT_ONCE], wrapped__isnull=True
            ).values_list("id", flat=True)
        )
    return found


def destroy(key_id: UUID, *, now: datetime) -> None:
    """Destroy a key for good: what it opened is noise from now on. Twice is once."""
    with transaction.atomic(using=VAULT, durable=True):
        VaultKey.objects.filter(id=key_id, destroyed_at__isnull=True).update(
            wrapped=None, destroyed_at=now
        )


def forget(key_id: UUID) -> None:
    """Delete the row of a key that has its tombstone: its id leads to a person."""
    assert buried([key_id]), "without a tombstone a backup could revive the key"
    with transaction.atomic(using=VAULT, durable=True):
        VaultKey.objects.filter(id=key_id).delete()


def all_ids() -> Iterator[list[UUID]]:
    """Yield the ids of every key in the vault, 500 at a time."""
    last = UUID(int=0)
    while some := list(
        VaultKey.objects.filter(id__gt=last)
        .order_by("id")
        .values_list("id", flat=True)[:_AT_ONCE]
    ):
        yield some
        last = some[-1]


def _unwrap(cipher: AESGCM, key_id: UUID, wrapped: bytes) -> bytes:
    try:
        return cipher.decrypt(
            wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _WRAP + key_id.bytes
        )
    except (InvalidTag, ValueError) as error:
        raise errors.VaultSealBroken(
            f"vault key {key_id} does not open with the service key"
        ) from error
