"""Put a checkpoint of every entry in place: tiles, notary, witnesses, file, row.

One turn at a time, among all processes and machines, spans reading the notary's memory
to storing the row; no transaction is open while notary and witnesses are asked.

    tiles       from the entries since the last publication
    notary      signs, its memory on disk before the signature leaves
    witnesses   cosign side by side, until the policy of the log is met
    bodies      are copied, sealed, for a restore of the database
    checkpoint  takes the place of the one before, which others read
    row         opens the release gate for what the checkpoint covers

Whoever dies between two steps leaves nothing that the next call does not go on from,
or do again: tiles are the same bytes, notary and witnesses sign one tree as often as
they are asked, and neither file nor row ever goes back.
"""

import logging
import time
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction

from ledger import (
    acceptance,
    bodies,
    derivation,
    errors,
    gathering,
    keys,
    locks,
    models,
    policies,
    rollback,
    sequencing,
)
from ledger.gathering import Answer
from ledger.tiles import TileStore
from ledger.tlog import proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier
from ledger.tlog.policy import Policy
from ledger.tlog.tile import TileTree

logger = logging.getLogger(__name__)

# What waiting does not cure: somebody has to look.
_ALARMING = (
    errors.HistoryRewritten,
    errors.NotaryStateLost,
    errors.ReplayError,
    errors.RootForked,
    errors.TileConflict,
)


def publish(*, now: datetime) -> Checkpoint | None:
    """Return the published checkpoint of all entries; None while there is none.

    Raises QuorumNotMet while too few witnesses cosign, NotaryUnreachable or
    PolicyInvalid; NotaryRefused when the log does not extend what was signed before,
    RootMismatch or SequenceBroken when its rows do not hold, TileConflict when files do
    not fit them.
    """
    if (current := _current()) is not None:
        return current
    with locks.turn_to_publish():
        try:
            _announce_policy(now)
            # Whoever had the turn before may have covered our entries as well.
            return _current() or _publish(now)
        except _ALARMING as error:
            logger.critical("nothing is published any more: %s", error)
            raise


def rebuild() -> None:
    """Make the files of what is published anew where they were lost.

    Reads every entry. Raises as `publish` does where files or rows do not fit.
    """
    with locks.turn_to_publish():
        row = models.Checkpoint.objects.order_by("-size").first()
        if row is not None:
            _put_back(row)


def store() -> TileStore:
    """Return the files that others read."""
    return TileStore(settings.LEDGER_PUBLIC_DIR)


def _current() -> Checkpoint | None:
    """Return the last checkpoint if there is nothing left to do."""
    size = models.Head.objects.values_list("size", flat=True).first()
    row = models.Checkpoint.objects.order_by("-size").only("size", "root").first()
    if row is None or size is None or row.size < size:
        return None
    stored = _signed(row)
    if store().head() != stored or not policies.is_announced(policies.current()):
        return None
    return stored


def _signed(row: models.Checkpoint) -> Checkpoint:
    return Checkpoint(
        origin=settings.LEDGER_ORIGIN, size=row.size, root=bytes(row.root)
    )


def _announce_policy(now: datetime) -> None:
    """Let the log say which policy is in force, before anything is published by it."""
    policy = policies.current()
    with transaction.atomic(durable=True):
        if not models.Head.objects.exists() or policies.is_announced(policy):
            return
        acceptance.accept(
            "log.policy",
            {"policy_sha256": policy.sha256},
            {},
            event=uuid.uuid4(),
            now=now,
        )
        policies.note_announced(policy, now=now)
    while sequencing.sequence(now=now) >= sequencing.BATCH:
        pass


def _publish(now: datetime) -> Checkpoint | None:
    begun = time.monotonic()
    head = models.Head.objects.first()
    if head is None:
        return None
    row = models.Checkpoint.objects.order_by("-size").first()
    if row is not None and row.size == head.size:
        return _put_back(row)
    version = policies.announced()
    assert version is not None, "a log that has a head has announced its policy"
    policy = policies.parsed(version)
    notary = keys.open_notary()
    signed, published = notary.last_signed(), _signed(row) if row else None
    if published is not None and published.size > signed.size:
        raise errors.NotaryStateLost(
            f"a checkpoint of {published.size} entries is stored, the notary remembers "
            f"only {signed.size}: an old copy of its memory was put back"
        )
    # Before anything is written over what was signed or published.
    frontier = _extended(head, [signed, published, store().head()])
    new = Checkpoint(
        origin=settings.LEDGER_ORIGIN, size=head.size, root=frontier.root()
    )
    derivation.extend(store(), old=published, new=new)
    tree = TileTree(new.size, derivation.reader(store()))
    signed_note = notary.sign(
        new, old_size=signed.size, consistency=_consistency(tree, signed.size)
    )
    answers = _ask_witnesses(policy, signed_note, tree)
    _remember(answers, now=now)
    rollback.refused(policy, answers)
    lines = [each.line for each in answers if each.line]
    cosigned_note = signed_note + "".join(lines).encode()
    cosigned = policy.check(cosigned_note)
    if cosigned.checkpoint != new:
        raise errors.NotaryRefused("the notary signed another checkpoint than asked")
    bodies.keep(end=new.size)
    store().write_policy(bytes(version.text))
    store().write_checkpoint(cosigned_note)
    with transaction.atomic(durable=True):
        models.Checkpoint.objects.create(
            size=new.size,
            root=new.root,
            note=cosigned_note,
            frontier=frontier.to_bytes(),
            signed_at=now,
            policy=version,
        )
    rollback.learn(new)
    store().prune(published.size if published else 0, new.size)
    logger.info(
        "published size=%d cosigned=%d/%d seconds=%.3f",
        new.size,
        len(lines),
        len(policy.witnesses),
        time.monotonic() - begun,
    )
    return new


def _put_back(row: models.Checkpoint) -> Checkpoint:
    """Make the files of the last publication again: they were lost."""
    signed, kept = _signed(row), store().head()
    if kept is not None and kept.size >= row.size and kept != signed:
        raise errors.HistoryRewritten(
            f"the checkpoint in {store().root} covers {kept.size} entries and is not "
            f"that of the {row.size} entries of the log: the log was cut back, "
            "restored from an old backup, or rewritten"
        )
    derivation.extend(store(), old=None, new=signed)
    if row.policy is not None:
        store().write_policy(bytes(row.policy.text))
    bodies.keep(end=row.size)
    store().write_checkpoint(bytes(row.note))
    return signed


def _extended(head: models.Head, before: Iterable[Checkpoint | None]) -> Frontier:
    """Return the right edge of the log, which begins with everything in `before`.

    Raises HistoryRewritten where it does not, RootMismatch where the rows do not give
    the root that the sequencer computed.
    """
    known = [each for each in before if each is not None and each.size]
    for each in known:
        if each.size > head.size:
            raise errors.HistoryRewritten(
                f"whoever signed {each.size} entries signs no smaller tree "
                f"({head.size}): the log was cut back or restored from an old backup"
            )
    frontier = derivation.frontier_at(min([head.size, *(each.size for each in known)]))
    for size in sorted({each.size for each in known} | {head.size}):
        for leaf in derivation.leaves(frontier.size, size):
            frontier.append(leaf)
        root = frontier.root()
        if any(each.size == size and each.root != root for each in known):
            raise errors.HistoryRewritten(
                f"the log does not begin with the {size} entries that were signed: "
                "history was rewritten"
            )
    if root != Frontier.from_bytes(head.size, bytes(head.frontier)).root():
        raise errors.RootMismatch(
            f"the entries before {head.size} do not give the root of the head: rows "
            "were changed after they were sequenced",
            seq=head.size,
        )
    return frontier


def _consistency(tree: TileTree, old_size: int) -> Sequence[bytes]:
    return proof.consistency_proof(old_size, tree.size, tree) if old_size else []


def _ask_witnesses(
    policy: Policy, signed_note: bytes, tree: TileTree
) -> Sequence[Answer]:
    if not policy.witnesses:
        return []
    texts = [each.key.text for each in policy.witnesses]
    rows = models.Witness.objects.filter(key__in=texts)
    return gathering.gather(
        policy,
        signed_note,
        size=tree.size,
        # A row that says too much costs one more question, no more.
        known={row.key: min(row.size, tree.size) for row in rows},
        prove=lambda old_size: _consistency(tree, old_size),
    )


def _remember(answers: Sequence[Answer], *, now: datetime) -> None:
    """Note how far each witness has come; log who begins and who ceases to fail."""
    if not answers:
        return
    with transaction.atomic(durable=True):
        rows = models.Witness.objects.in_bulk(
            [each.witness.key.text for each in answers]
        )
        for each in answers:
            key = each.witness.key.text
            # Names in a policy may hold octets of no encoding.
            name = each.witness.name.encode("utf-8", "backslashreplace").decode()
            row = rows.get(key) or models.Witness(key=key)
            if each.failure and not row.failure:
                logger.warning("witness %s does not cosign: %s", name, each.failure)
            if row.failure and not each.failure:
                logger.info("witness %s cosigns again", name)
            row.name = name
            row.failure = each.failure[:500]
            if each.size is not None:
                row.size = each.size
            if each.time is not None:
                row.cosigned_at = each.time
            if each.failure:
                row.failed_at = now
            row.save()
