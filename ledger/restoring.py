"""Put the log back into the tables from files that were kept of it.

Everything is verified before a row is written, and again while they are: a log that
does not hold, or is not the one the tables begin with, changes nothing. Rows that are
left are kept, so an old backup is brought up to date.

What the files do not hold:
- Which event an entry stands for. It is found by the commitment, which a body that is
  left in the table has as well; else by the body that was kept beside the public files
  (`bodies`), if it opens to what the entry commits to. Entries whose body was erased
  get the events of the erased bodies that have no entry, where these are exactly as
  many: which is which was forgotten with the erasure, and nothing opens either. Any
  other entry gets a new event of its own and an erased body: nobody can open it any
  more.
- What was accepted after the files were written: a pending event stays pending.
- Keys, and what the notary remembers. The notary must remember no more than the files
  hold; one that remembers less is brought up to them. One whose memory was lost signs
  nothing, unless a person answers for it that it signed nothing beyond the files.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from ledger import (
    bodies,
    durable,
    errors,
    keys,
    locks,
    mentions,
    policies,
    publishing,
    served,
)
from ledger.memory import Memory
from ledger.models import Body, Checkpoint, Entry, Head, Mention, Pending
from ledger.reopening import Bodies
from ledger.sources import CHECKPOINT, Folder
from ledger.tiles import TileStore
from ledger.tlog import entry, note, proof
from ledger.tlog.checkpoint import Checkpoint as SignedHead
from ledger.tlog.policy import Policy
from ledger.tlog.tile import WIDTH, TileTree
from ledger.verify import Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """How many entries the log has, and what became of those that were put back."""

    size: int
    new: int
    # Of the new ones: those whose event is not known any more.
    unknown: int
    # And those whose body was put back.
    opened: int = 0


def restore(
    folder: Path,
    *,
    policy: Policy,
    now: datetime,
    notary_forgot: bool = False,
    kept_bodies: Path | None = None,
) -> Restored:
    """Put back the entries of the files in the folder that the tables lack.

    Their bodies come from the folder `kept_bodies`, the same folder, the site's own
    public files or the other places of `copies`, whichever has them.
    `notary_forgot`: the memory of this process's notary was lost, and the caller
    answers for it that it signed nothing beyond the files.
    Raises what `served.check` raises, RestoreRefused where the tables hold another
    log or a longer one, NotaryRefused where the notary signed more than the files
    hold.
    """
    source = Folder(folder)
    signed = source.fetch(CHECKPOINT, limit=note.MAX_BYTES)
    head = policy.check(signed).checkpoint
    found = served.check(source, policy)
    assert found.replay is not None, "a folder shows its entries"
    found.replay.check_announced(keys.verifiers())
    if not (notary_forgot and _has_forgotten()):
        _check_remembered(head)
    with transaction.atomic(durable=True):
        locks.lock_head()
        restoration = _Restoration(folder, head, kept_bodies)
        _check_shown(head)
        restored = restoration.run(signed, policy, now)
    if notary_forgot and _has_forgotten():
        durable.write_once(keys.notary_state_file(), head.text.encode())
    elif not keys.is_notary_elsewhere():
        _remind(source, head)
    publishing.rebuild()
    return restored


class _Restoration:
    def __init__(
        self, folder: Path, head: SignedHead, kept_bodies: Path | None
    ) -> None:
        self._folder = folder
        self._source = Folder(folder)
        self._head = head
        self._kept = _kept_size(head)
        # Commitment -> event, of the bodies that have no entry.
        self._events = _events_without_entry()
        self._bodies = Bodies(
            [each for each in (kept_bodies, folder) if each is not None],
            start=self._kept,
            end=head.size,
        )
        self._erased: list[UUID] = []
        # Events of entries that nobody can tell the event of.
        self._unknown: list[UUID] = []
        self._lost: list[int] = []

    def run(self, signed: bytes, given: Policy, now: datetime) -> Restored:
        """Write the rows that are missing, and head and checkpoint above them."""
        self._erased = self._erased_events()
        replay = Replay()
        for start, datas in self._bundles(0):
            rows = dict(
                Entry.objects.filter(seq__gte=start, seq__lt=start + WIDTH).values_list(
                    "seq", "data"
                )
            )
            new: list[tuple[entry.Entry, Entry]] = []
            for seq, data in enumerate(datas, start=start):
                parsed = replay.feed(data)
                if seq >= self._kept:
                    new.append((parsed, self._row(seq, data, parsed, replay)))
                elif bytes(rows[seq]) != data:
                    raise errors.RestoreRefused(
                        f"entry {seq} of the table is another one than that of the "
                        "files: they are two histories"
                    )
            _write(new)
        replay.check_root(self._head)
        Body.objects.bulk_create(
            (Body(event=event) for event in self._unknown), batch_size=1000
        )
        Body.objects.bulk_create(self._bodies.rows, batch_size=1000)
        bodies.note_lost(self._lost)
        if replay.size:
            _write_head(replay)
            announced = _announced_policy(self._folder, replay, given)
            _write_checkpoint(replay, signed, announced, now)
        return Restored(
            size=self._head.size,
            new=self._head.size - self._kept,
            unknown=len(self._unknown),
            opened=len(self._bodies.rows),
        )

    def _bundles(self, start: int) -> Iterator[tuple[int, list[bytes]]]:
        first = start // WIDTH * WIDTH
        for some in served.bundles(self._source, first, self._head.size):
            yield first, some
            first += WIDTH

    def _erased_events(self) -> list[UUID]:
        """Return the events of erased bodies, if they are as many as lost entries."""
        has_entry = Exists(Entry.objects.filter(event=OuterRef("event")))
        has_pending = Exists(Pending.objects.filter(event=OuterRef("event")))
        erased = Body.objects.filter(~has_entry, ~has_pending, key_id__isnull=True)
        events = list(erased.order_by("event").values_list("event", flat=True))
        if not events:
            return []
        unmatched = sum(
            entry.parse(data).commit not in self._events
            for start, datas in self._bundles(self._kept)
            for seq, data in enumerate(datas, start=start)
            if seq >= self._kept
        )
        return events if unmatched == len(events) else []

    def _row(self, seq: int, data: bytes, parsed: entry.Entry, replay: Replay) -> Entry:
        event = self._events.pop(parsed.commit, None)
        if event is None:
            event = self._bodies.restore(seq, parsed.commit)
        if event is None and self._erased:
            event = self._erased.pop()
        if event is None:
            event = uuid.uuid4()
            self._unknown.append(event)
            if not self._bodies.is_erased(seq):
                self._lost.append(seq)
        return Entry(seq=seq, event=event, data=data, leaf_hash=replay.last_leaf)


def _kept_size(head: SignedHead) -> int:
    """Return how many entries the tables hold; raise unless they begin the log."""
    kept = Entry.objects.count()
    row = Head.objects.first()
    counted = kept if row is None else row.size
    if counted != kept:
        raise errors.RestoreRefused(
            f"the head counts {counted} entries, the table holds {kept}: entries in "
            "the middle cannot be put back; restore into an empty table"
        )
    if kept > head.size:
        raise errors.RestoreRefused(
            f"the table holds {kept} entries, the files only {head.size}: find newer "
            "ones"
        )
    if Entry.objects.filter(seq__gte=kept).exists():
        raise errors.RestoreRefused(
            "entries are missing within the table; restore into an empty one"
        )
    for signed in Checkpoint.objects.filter(size__gt=head.size):
        raise errors.RestoreRefused(
            f"a checkpoint of {signed.size} entries was published, the files have only "
            f"{head.size}: find newer ones"
        )
    return kept


def _events_without_entry() -> dict[bytes, UUID]:
    has_entry = Exists(Entry.objects.filter(event=OuterRef("event")))
    bodies = Body.objects.filter(~has_entry, commit__isnull=False)
    return {
        bytes(commit): event
        for event, commit in bodies.values_list("event", "commit")
        if commit is not None
    }


def _write(new: list[tuple[entry.Entry, Entry]]) -> None:
    """Write the rows; what was pending and has an entry now is pending no more."""
    if not new:
        return
    by_event = {row.event: parsed for parsed, row in new}
    for pending in Pending.objects.filter(event__in=by_event):
        parsed = by_event[pending.event]
        if (pending.type, pending.pub) != (parsed.type, dict(parsed.pub)):
            raise errors.RestoreRefused(
                f"pending event {pending.event} is entry {parsed.seq} of the files, "
                "and says something else"
            )
        pending.delete()
    Entry.objects.bulk_create([row for _, row in new])
    # What was pending has them already.
    Mention.objects.bulk_create(
        [
            mention
            for parsed, row in new
            for mention in mentions.of(row.event, parsed.type, parsed.pub)
        ],
        ignore_conflicts=True,
    )


def _write_head(replay: Replay) -> None:
    assert replay.last_time is not None, "an entry has a time"
    Head.objects.update_or_create(
        id=1,
        defaults={
            "size": replay.size,
            "frontier": replay.frontier.to_bytes(),
            "last_leaf": replay.last_leaf,
            "last_time": replay.last_time,
        },
    )


def _write_checkpoint(
    replay: Replay, signed: bytes, announced: Policy | None, now: datetime
) -> None:
    """Write the checkpoint, and the policy that the log announced last before it."""
    if announced is not None and not policies.is_announced(announced):
        policies.note_announced(announced, now=now)
    if Checkpoint.objects.filter(size=replay.size).exists():
        return
    Checkpoint.objects.create(
        size=replay.size,
        root=replay.frontier.root(),
        note=signed,
        frontier=replay.frontier.to_bytes(),
        signed_at=now,
        policy=policies.announced() if announced is not None else None,
    )


def _announced_policy(folder: Path, replay: Replay, given: Policy) -> Policy | None:
    """Return the policy that the log announced last, as far as its text is there.

    The log holds its hash alone: the text is what the copy brings along, or what the
    checkpoint is believed by.
    """
    known = [given]
    brought = TileStore(folder).read_policy()
    try:
        known += [] if brought is None else [Policy.from_bytes(brought)]
    except errors.PolicyInvalid:
        pass  # What the copy brings is none.
    found = (each for each in known if each.sha256 == replay.policy_sha256)
    return next(found, None)


def _check_shown(head: SignedHead) -> None:
    """Raise RestoreRefused where others read more of the log than the files hold."""
    shown = publishing.store().head()
    if shown is not None and shown.size > head.size:
        raise errors.RestoreRefused(
            f"the site's own files cover {shown.size} entries, these {head.size}: "
            f"restore from {publishing.store().root}"
        )


def _has_forgotten() -> bool:
    """Tell whether the notary of this process has no memory at all."""
    return not (keys.is_notary_elsewhere() or keys.notary_state_file().exists())


def _check_remembered(head: SignedHead) -> None:
    """Raise NotaryRefused where the notary has signed more than the files hold."""
    signed = keys.open_notary().last_signed()
    if signed.size > head.size:
        raise errors.NotaryRefused(
            f"the notary has signed {signed.size} entries, the files hold {head.size}: "
            "find newer ones"
        )


def _remind(source: Folder, head: SignedHead) -> None:
    """Let the notary of this process remember what it is to go on from."""
    memory = Memory(keys.notary_state_file(), origin=head.origin)
    old = memory.last()
    tree = TileTree(head.size, lambda tile: served.read_hashes(source, tile))
    memory.advance(
        head,
        old_size=old.size,
        consistency=(
            proof.consistency_proof(old.size, head.size, tree) if old.size else []
        ),
        sign=lambda: None,
    )
