"""Compare every table of the ledger with a replay of its bytes, and tell what differs.

Each finding names its place and says in plain words what is wrong; one finding does
not hide the others. Reads only, takes no lock, and may run beside writers: every
comparison is with what was read before it. What needs no tables is in `verify`;
bodies are examined by `opening`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, Max, OuterRef

from ledger import errors, keys, notary
from ledger.models import Body, Checkpoint, Entry, Head, Pending
from ledger.opening import BodyExaminer, Committed
from ledger.tlog import checkpoint, vocabulary
from ledger.tlog.checkpoint import Checkpoint as SignedHead
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import VerifierKey
from ledger.verify import Replay

_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: what kind, where, and in words."""

    code: str
    message: str
    seq: int | None = None
    event: UUID | None = None


@dataclass(slots=True, kw_only=True)
class Report:
    """What was examined and what was found; sound when nothing was."""

    entries: int = 0
    published: int = 0
    pending: int = 0
    erased: int = 0
    root: bytes = b""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    def add(
        self,
        code: str,
        message: str,
        *,
        seq: int | None = None,
        event: UUID | None = None,
    ) -> None:
        """Note one finding."""
        self.findings.append(Finding(code=code, message=message, seq=seq, event=event))


def inspect() -> Report:
    """Examine the whole ledger and return what is wrong with it."""
    report = Report()
    # In the order in which they run behind each other: beside a writer, what is read
    # later can only be further on.
    waiting = _read_pending(report)
    published = Checkpoint.objects.aggregate(size=Max("size"))["size"] or 0
    remembered = _remembered(report)
    head = Head.objects.first()
    key = _log_key(report) if head is not None else None
    replay = Replay()
    examiner = BodyExaminer(report.add)
    is_whole = True
    for rows in _chunks(head.size if head else 0):
        heads = _signed_heads(replay.size, key, report)
        if remembered is not None:
            heads.setdefault(remembered.size, []).append(("notary", remembered))
        is_whole = _replay_chunk(replay, rows, heads, examiner, report)
        if not is_whole:
            break
        for row in rows:
            waiting.pop(row.event, None)
    if is_whole:
        _check_ends(replay, head, published, remembered, report)
        _check_announced(replay, key, report)
        examiner.examine(list(waiting.values()))
    report.entries, report.root = replay.size, replay.frontier.root()
    report.published, report.erased = published, examiner.erased
    _check_orphans(report)
    return report


def _chunks(size: int) -> Iterator[list[Entry]]:
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        yield list(Entry.objects.filter(seq__gte=start, seq__lt=end).order_by("seq"))


def _replay_chunk(
    replay: Replay,
    rows: list[Entry],
    heads: dict[int, list[tuple[str, SignedHead]]],
    examiner: BodyExaminer,
    report: Report,
) -> bool:
    """Feed one chunk; return False when the chain broke, as nothing follows then."""
    committed: list[Committed] = []
    for row in rows:
        try:
            found = replay.feed(bytes(row.data))
        except errors.ReplayError as error:
            examiner.examine(committed)
            report.add("chain", f"{error}; the replay ends here", seq=error.seq)
            return False
        if bytes(row.leaf_hash) != replay.last_leaf:
            report.add(
                "leaf-hash",
                f"entry {row.seq}: the stored leaf hash is not that of its bytes",
                seq=row.seq,
            )
        committed.append(Committed(event=row.event, commit=found.commit, seq=row.seq))
        for code, head in heads.get(replay.size, ()):
            try:
                replay.check_root(head)
            except errors.RootMismatch as error:
                report.add(code, str(error), seq=error.seq)
    examiner.examine(committed)
    return True


def _signed_heads(
    start: int, key: VerifierKey | None, report: Report
) -> dict[int, list[tuple[str, SignedHead]]]:
    """Return the checkpoints within the chunk from `start` on, their notes checked."""
    found: dict[int, list[tuple[str, SignedHead]]] = {}
    rows = Checkpoint.objects.filter(size__gt=start, size__lte=start + _AT_ONCE)
    for row in rows.order_by("size"):
        signed = _check_note(row, key, report)
        if signed is not None:
            found.setdefault(row.size, []).append(("checkpoint", signed))
    return found


def _check_note(
    row: Checkpoint, key: VerifierKey | None, report: Report
) -> SignedHead | None:
    if key is None:
        return None
    try:
        signed = checkpoint.open_note(bytes(row.note), key)
    except errors.VerificationError as error:
        report.add("checkpoint", f"checkpoint {row.size}: {error}", seq=row.size)
        return None
    if (signed.size, signed.root) != (row.size, bytes(row.root)):
        report.add(
            "checkpoint",
            f"checkpoint {row.size}: its columns say something else than its note",
            seq=row.size,
        )
    if not _is_root_of(bytes(row.frontier), row.size, signed.root):
        report.add(
            "checkpoint",
            f"checkpoint {row.size}: its frontier does not give its root",
            seq=row.size,
        )
    return signed


def _check_ends(
    replay: Replay,
    head: Head | None,
    published: int,
    remembered: SignedHead | None,
    report: Report,
) -> None:
    """Compare where the log ends with the head, the checkpoints and the notary."""
    size = replay.size
    if head is None:
        # One statement again: beside a writer, the first head may have come since.
        head_fits = not Entry.objects.filter(~Exists(Head.objects.all())).exists()
    else:
        head_fits = (
            head.size == size
            and bytes(head.frontier) == replay.frontier.to_bytes()
            and bytes(head.last_leaf) == replay.last_leaf
            and head.last_time == replay.last_time
        )
        beyond = Entry.objects.filter(seq__gte=Head.objects.values("size")).exists()
        head_fits = head_fits and not beyond
    if not head_fits:
        report.add(
            "head",
            f"the head does not describe the log of {size} entries: entries were added "
            "or removed apart from the sequencer",
            seq=size,
        )
    if published > size:
        report.add(
            "tail",
            f"a checkpoint covers {published} entries, only {size} are there: "
            "the tail was cut off",
            seq=size,
        )
    if remembered is not None and remembered.size > size:
        report.add(
            "tail",
            f"the notary signed {remembered.size} entries, only {size} are there: the "
            "tail was cut off, or an old backup was restored",
            seq=size,
        )
    if remembered is not None and remembered.size < published:
        report.add(
            "notary",
            f"the notary remembers {remembered.size} entries, a checkpoint covers "
            f"{published}: an old copy of its memory was put back",
            seq=remembered.size,
        )


def _check_announced(replay: Replay, key: VerifierKey | None, report: Report) -> None:
    if key is None or not replay.size:
        return
    if replay.origin != key.name or key.key_id.hex() not in replay.key_ids:
        report.add(
            "key",
            f"the log is {replay.origin} and does not announce the key "
            f"{key.name}+{key.key_id.hex()}",
            seq=0,
        )


def _read_pending(report: Report) -> dict[UUID, Committed]:
    """Return what waits for its place, in order, its public parts checked."""
    found: dict[UUID, Committed] = {}
    # One statement sees one moment: a row that moves on is here or there.
    twice = Exists(Entry.objects.filter(event=OuterRef("event")))
    for row in Pending.objects.annotate(is_twice=twice).order_by("id"):
        report.pending += 1
        if row.is_twice:
            report.add(
                "pending",
                f"event {row.event} is pending and has an entry already",
                event=row.event,
            )
            continue
        try:
            vocabulary.check(row.type, row.pub)
        except (errors.EventTypeUnknown, errors.PubInvalid) as error:
            report.add(
                "pending", f"pending event {row.event}: {error}", event=row.event
            )
        found[row.event] = Committed(event=row.event, commit=bytes(row.commit))
    return found


def _check_orphans(report: Report) -> None:
    entries = Exists(Entry.objects.filter(event=OuterRef("event")))
    pending = Exists(Pending.objects.filter(event=OuterRef("event")))
    lost = Body.objects.filter(~entries, ~pending).values_list("event", flat=True)
    for event in lost:
        report.add(
            "event-lost",
            f"event {event} was accepted, but is neither pending nor an entry: its "
            "row was deleted",
            event=event,
        )


def _remembered(report: Report) -> SignedHead | None:
    """Return what the notary remembers to have signed, if it ever signed."""
    state_file = keys.notary_state_file()
    if not state_file.exists() and not Checkpoint.objects.exists():
        return None
    try:
        return notary.read_state(state_file)
    except errors.NotaryStateLost as error:
        report.add("notary", str(error))
        return None


def _log_key(report: Report) -> VerifierKey | None:
    try:
        return keys.log_key().verifier
    except errors.KeyFileInvalid as error:
        report.add("key", f"checkpoints cannot be checked: {error}")
        return None


def _is_root_of(frontier: bytes, size: int, root: bytes) -> bool:
    try:
        return Frontier.from_bytes(size, frontier).root() == root
    except ValueError:
        return False
