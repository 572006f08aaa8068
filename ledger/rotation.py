"""Let one log key follow another, with a time in which both sign.

    begin()    makes the next key and announces it: `log.key`, added
    ...        checkpoints carry both signatures; witnesses and policies learn the key
    finish()   announces that the old key is retired, and destroys it

The log says which keys sign it, so whoever replays it refuses all others. The first
key stays in `log.genesis` for good. Each step may be repeated after a crash. Where the
notary is a process of its own, its user makes and drops the keys there.
"""

import uuid
from datetime import datetime
from uuid import UUID

from django.db import transaction

from ledger import acceptance, errors, keys, locks, policies, selectors
from ledger.models import Entry, Head
from ledger.tlog import entry
from ledger.tlog.note import VerifierKey

# Ids of these events follow from the key, so that a step repeated is one event.
_NAMESPACE = UUID("5f1f3d0e-6f0b-4c53-9f0e-0f6b6d2b7a41")


def begin(*, now: datetime) -> VerifierKey:
    """Return the next key, made and announced; it signs beside the old one from now on.

    Raises RotationRefused for a log without entries, and where the notary is elsewhere
    and was given no new key.
    """
    if not Head.objects.exists():
        raise errors.RotationRefused("the log has no entries yet: there is no old key")
    with locks.turn_to_publish():
        if not keys.is_notary_elsewhere():
            keys.create_next_log_key()
        following = _following(keys.verifiers())
        _accept("added", following, now)
    return following


def finish(*, now: datetime) -> tuple[VerifierKey, ...]:
    """Return the keys that are retired now; only the next one signs from now on.

    Raises RotationRefused while a published checkpoint or the policy lacks that one.
    """
    with locks.turn_to_publish():
        signers = keys.verifiers()
        following = _following(signers)
        _check_known(following)
        old = tuple(key for key in signers if key != following)
        for key in old:
            _accept("retired", key, now)
        if not keys.is_notary_elsewhere():
            keys.retire_log_key()
    return old


def _following(signers: tuple[VerifierKey, ...]) -> VerifierKey:
    """Return the one of two signing keys that the log began to be signed with later."""
    if len(signers) == 1:
        raise errors.RotationRefused(
            "one key signs the log. To begin, the user of the notary's process runs "
            "`python -m ledger.notary add-key DIR`"
            if keys.is_notary_elsewhere()
            else "one key signs the log: no rotation has begun"
        )
    newest = max(signers, key=_announced_at)
    others = [key for key in signers if key != newest]
    if len(others) > 1:
        raise errors.RotationRefused(
            f"{len(signers)} keys sign the log: one follows another, drop the others"
        )
    return newest


def _announced_at(key: VerifierKey) -> tuple[int, int]:
    """Return where the log announces the key; a key it does not yet comes last."""
    genesis = entry.parse(bytes(Entry.objects.get(seq=0).data))
    if genesis.pub["key_id"] == key.key_id.hex():
        return 0, 0
    try:
        seq = selectors.entry(_event("added", key)).seq
    except errors.EntryNotFound:
        return 2, 0
    return (1, 0) if seq is None else (0, seq)


def _check_known(following: VerifierKey) -> None:
    if not selectors.is_published(_event("added", following)):
        raise errors.RotationRefused(
            f"no published checkpoint announces {following.label} yet: publish first, "
            "and let all who verify the log take the new key into their policies"
        )
    if following not in policies.current().logs:
        raise errors.RotationRefused(
            f"the policy file must name {following.label} before the old key is retired"
        )


def _accept(action: str, key: VerifierKey, now: datetime) -> None:
    with transaction.atomic(durable=True):
        acceptance.accept(
            "log.key",
            {"action": action, "key_id": key.key_id.hex(), "key": key.text},
            {},
            event=_event(action, key),
            now=now,
        )


def _event(action: str, key: VerifierKey) -> UUID:
    return uuid.uuid5(_NAMESPACE, f"{action} {key.text}")
