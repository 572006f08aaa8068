"""Compare every table of the ledger with a replay of its bytes, and tell what differs.

Each finding names its place and says in plain words what is wrong; one finding does
not hide the others. Reads only, and may run beside writers: every comparison is with
what was read before it. What needs no tables is in `verify`; signed heads are examined
by `heads`, the files that others read by `shown`, bodies by `opening`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Exists, OuterRef

from ledger import errors, keys, locks, mentions, notary, policies, publishing
from ledger.heads import HeadExaminer
from ledger.models import Body, Checkpoint, Entry, Head, Pending, PolicyVersion
from ledger.opening import BodyExaminer, Committed
from ledger.shown import FileExaminer
from ledger.tlog import vocabulary
from ledger.tlog.canonical import JSON
from ledger.tlog.checkpoint import Checkpoint as SignedHead
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
    published = _last_checkpoint()
    heads = HeadExaminer(report.add)
    files = FileExaminer(report.add, publishing.store(), heads)
    remembered = _remembered(report)
    head = Head.objects.first()
    signers = _signers(report) if head is not None else ()
    replay = Replay()
    bodies = BodyExaminer(report.add)
    examiners = _Examiners(heads=heads, files=files, bodies=bodies)
    is_whole = True
    for rows in _chunks(head.size if head else 0):
        is_whole = _replay_chunk(replay, rows, remembered, examiners, report)
        if not is_whole:
            break
        for row in rows:
            waiting.pop(row.event, None)
    size = published.size if published else 0
    if is_whole:
        _check_ends(replay, head, size, remembered, report)
        _check_announced(replay, signers, heads, report)
        _check_policy(replay, report)
        bodies.examine(list(waiting.values()))
    _check_files(files, replay.size, published)
    report.entries, report.root = replay.size, replay.frontier.root()
    report.published, report.erased = size, bodies.erased
    _check_orphans(report)
    return report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Examiners:
    heads: HeadExaminer
    files: FileExaminer
    bodies: BodyExaminer


def _last_checkpoint() -> Checkpoint | None:
    rows = Checkpoint.objects.order_by("-size").select_related("policy")
    return rows.defer("note", "frontier").first()


def _chunks(size: int) -> Iterator[list[Entry]]:
    for start in range(0, size, _AT_ONCE):
        end = min(start + _AT_ONCE, size)
        yield list(Entry.objects.filter(seq__gte=start, seq__lt=end).order_by("seq"))


def _replay_chunk(
    replay: Replay,
    rows: list[Entry],
    remembered: SignedHead | None,
    examiners: _Examiners,
    report: Report,
) -> bool:
    """Feed one chunk; return False when the chain broke, as nothing follows then."""
    start = replay.size
    checkpoints = (
        Checkpoint.objects.filter(size__gt=start, size__lte=start + _AT_ONCE)
        .select_related("policy")
        .in_bulk()
    )
    committed: list[Committed] = []
    said: list[tuple[UUID, str, Mapping[str, JSON]]] = []
    for row in rows:
        data = bytes(row.data)
        try:
            found = replay.feed(data)
        except errors.ReplayError as error:
            examiners.bodies.examine(committed)
            report.add("chain", f"{error}; the replay ends here", seq=error.seq)
            return False
        if bytes(row.leaf_hash) != replay.last_leaf:
            report.add(
                "leaf-hash",
                f"entry {row.seq}: the stored leaf hash is not that of its bytes",
                seq=row.seq,
            )
        committed.append(Committed(event=row.event, commit=found.commit, seq=row.seq))
        said.append((row.event, found.type, found.pub))
        examiners.heads.learn(found)
        if replay.size in checkpoints:
            examiners.heads.examine(checkpoints[replay.size], replay)
        if remembered is not None and remembered.size == replay.size:
            examiners.heads.check_root(remembered, replay, "notary")
        examiners.files.feed(data, replay.last_leaf, replay)
    examiners.bodies.examine(committed)
    _check_mentions(said, report)
    return True


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


def _check_announced(
    replay: Replay,
    signers: tuple[VerifierKey, ...],
    heads: HeadExaminer,
    report: Report,
) -> None:
    for key in signers if replay.size else ():
        if replay.origin != key.name or not heads.is_announced(key):
            report.add(
                "key",
                f"the log is {replay.origin} and does not announce the key "
                f"{key.label}, which signs it, or has retired it",
                seq=0,
            )


def _check_policy(replay: Replay, report: Report) -> None:
    """Compare what the log announced last with the table and the file."""
    if not replay.size:
        return
    # A row comes with the pending entry, so it may be one ahead of the log.
    rows = PolicyVersion.objects.order_by("-id").values_list("sha256", flat=True)[:2]
    kept: list[str | None] = [*rows] or [None]
    if replay.policy_sha256 not in kept:
        report.add(
            "policy", "the table of policies does not end with the one on the log"
        )
    try:
        in_force = policies.current().sha256
    except errors.PolicyInvalid as error:
        report.add("policy", f"no policy is in force: {error}")
    except (errors.KeyFileInvalid, errors.NotaryUnreachable):
        pass  # That was found already, where the signing keys were asked for.
    else:
        if in_force not in (replay.policy_sha256, kept[0]):
            report.add(
                "policy",
                "the log does not announce the policy in force; the next publication "
                "does",
            )


def _check_files(
    files: FileExaminer, entries: int, published: Checkpoint | None
) -> None:
    size = published.size if published else 0
    if files.size != size:
        # Beside a publisher, a file may be ahead of its row: not while it is our turn.
        with locks.turn_to_publish():
            published = _last_checkpoint()
        size = max(size, min(published.size if published else 0, files.size))
    files.finish(
        published=size, policy=published.policy if published else None, entries=entries
    )


def _read_pending(report: Report) -> dict[UUID, Committed]:
    """Return what waits for its place, in order, its public parts checked."""
    found: dict[UUID, Committed] = {}
    said: list[tuple[UUID, str, Mapping[str, JSON]]] = []
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
        said.append((row.event, row.type, row.pub))
        found[row.event] = Committed(event=row.event, commit=bytes(row.commit))
    for start in range(0, len(said), _AT_ONCE):
        _check_mentions(said[start : start + _AT_ONCE], report)
    return found


def _check_mentions(
    events: Sequence[tuple[UUID, str, Mapping[str, JSON]]], report: Report
) -> None:
    for event in mentions.differing(events):
        report.add(
            "mention",
            f"the rows of ledger_mention for event {event} differ from what the event "
            "says in public: they were changed or written outside the services",
            event=event,
        )


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
    for event in mentions.of_nothing():
        report.add(
            "mention",
            f"ledger_mention has event {event}, which the ledger does not have",
            event=event,
        )


def _remembered(report: Report) -> SignedHead | None:
    """Return what the notary remembers to have signed, if it ever signed."""
    is_elsewhere = keys.is_notary_elsewhere()
    if not (
        is_elsewhere or keys.notary_state_file().exists() or Checkpoint.objects.exists()
    ):
        return None
    try:
        if is_elsewhere:
            return keys.open_notary().last_signed()
        return notary.read_state(keys.notary_state_file())
    except (errors.NotaryRefused, errors.NotaryUnreachable) as error:
        report.add("notary", str(error))
        return None


def _signers(report: Report) -> tuple[VerifierKey, ...]:
    try:
        return keys.verifiers()
    except (errors.KeyFileInvalid, errors.NotaryUnreachable) as error:
        report.add("key", f"nobody knows which keys sign: {error}")
        return ()
