"""Find out whether the rows are older than a signed checkpoint of the log.

A database that was restored from a backup is consistent and lacks everything after the
backup. Other places still know more: the notary's memory, the published checkpoint and
its copies, the notes that witnesses cosigned, and mirrors. A signed checkpoint with
more entries than there are rows, or with another root, proves that rows were lost; so
does a quorum of witnesses that refuse the log. A note that none of our log keys signed
proves nothing and is only an alarm. A place that does not answer is neither.

Each process compares all signed checkpoints when it first asks, and after that, once a
second, those in files of its machine. The publisher and the periodic task ask all
places again, and ask witnesses whether they refuse (`examine`). The process also
remembers the largest checkpoint that it has seen. The rooms above decide what is held.
"""

import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.conf import settings

from ledger import derivation, elsewhere, errors, keys, models, notary
from ledger.gathering import Answer
from ledger.tiles import TileStore
from ledger.tlog import checkpoint, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier
from ledger.tlog.note import VerifierKey
from ledger.tlog.policy import Policy

logger = logging.getLogger(__name__)

# How long a comparison with the files of this machine is valid.
FRESH_S = 1.0
# How long a refusal of witnesses is valid: the rows may have been repaired since.
_REFUSED_S = 15.0
_MOST_NOTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Something that contradicts the rows; only a proof holds releases."""

    code: str
    message: str
    is_proof: bool


_Signed = tuple[str, Checkpoint]


@dataclass(slots=True)
class _Watch:
    """What this process knows; shared by its threads."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    due: float = 0.0
    asked_at: float | None = None
    contradictions: tuple[Contradiction, ...] = ()
    # What others showed and claimed when they were asked last.
    of_others: tuple[_Signed, ...] = ()
    claims: tuple[Contradiction, ...] = ()
    refusals: tuple[Contradiction, ...] = ()
    refused_at: float = 0.0
    largest: Checkpoint | None = None
    # Bytes of a note -> its checkpoint, None when no key of the log signed it.
    read: dict[bytes, Checkpoint | None] = field(default_factory=dict)

    def is_refused_long_ago(self, now: float) -> bool:
        """Tell whether witnesses refused, and may do so no longer."""
        return bool(self.refusals) and now > self.refused_at + _REFUSED_S


_watch = _Watch()


def check() -> tuple[Contradiction, ...]:
    """Return what contradicts the rows; the answer is at most a second old.

    The first call of a process asks witnesses and mirrors, and may take some seconds.
    Few queries when a second has passed, none before.
    """
    if time.monotonic() < _watch.due:
        return _watch.contradictions
    # While another thread compares, the last answer counts, if there is one.
    if not _watch.lock.acquire(blocking=_watch.asked_at is None):
        return _watch.contradictions
    try:
        now = time.monotonic()
        if now >= _watch.due:
            if _watch.asked_at is None:
                _ask_others()
            if _watch.is_refused_long_ago(now):
                _ask_whether_refused()
            _look()
    finally:
        _watch.lock.release()
    return _watch.contradictions


def examine() -> tuple[Contradiction, ...]:
    """Ask everybody again; return what contradicts the rows."""
    with _watch.lock:
        _ask_others()
        _ask_whether_refused()
        _look()
    return _watch.contradictions


def proofs() -> tuple[Contradiction, ...]:
    """Return what proves that rows were lost.

    One query more than `check`: rows that went back a moment ago are seen at once.
    """
    if time.monotonic() < _watch.due:
        size = models.Head.objects.values_list("size", flat=True).first()
        if (size or 0) < floor():
            _watch.due = 0.0
    return tuple(each for each in check() if each.is_proof)


def floor() -> int:
    """Return how many entries there must be, by what this process has seen. No query.

    `ROWS_REACH` asks the database whether there are.
    """
    return _watch.largest.size if _watch.largest is not None else 0


# For statements that ask more than this, in either database; `{floor}` is a number.
ROWS_REACH = "COALESCE((SELECT MAX(size) FROM ledger_head), 0) >= {floor}"


def learn(published: Checkpoint) -> None:
    """Remember what this process has published itself."""
    if published.size > floor():
        _watch.largest = published


def refused(policy: Policy, answers: Iterable[Answer]) -> None:
    """Remember who refused a publication; as many as could cosign prove something."""
    refusing = [each for each in answers if each.contradicts]
    names = {each.witness.name for each in refusing}
    # A quorum of nobody is always met.
    is_proof = policy.is_met(names) and not policy.is_met(())
    _watch.refused_at, _watch.due = time.monotonic(), 0.0
    _watch.refusals = tuple(
        Contradiction(
            code="witness-refuses",
            message=f"the witness {each.witness.key.name} refuses the log: "
            f"{each.failure}",
            is_proof=is_proof,
        )
        for each in refusing
    )


def forget() -> None:
    """Begin as a new process does."""
    global _watch
    _watch = _Watch()


def _look() -> None:
    """Compare again. Checkpoints are read first: rows are written before them."""
    claims: list[Contradiction] = []
    known = dict.fromkeys((*_local(claims), *_watch.of_others))
    if _watch.largest is not None:
        known[("what this process has seen", _watch.largest)] = None
    head = models.Head.objects.first()
    compared: dict[Checkpoint, Contradiction | None] = {}
    for place, signed in known:
        if signed not in compared:
            compared[signed] = _compare(place, signed, head)
        if signed.size > floor():
            _watch.largest = signed
    contradictions = (
        *filter(None, compared.values()),
        *claims,
        *_watch.claims,
        *_watch.refusals,
    )
    _tell(set(contradictions) - set(_watch.contradictions))
    _watch.contradictions = contradictions
    _watch.due = time.monotonic() + FRESH_S


def _compare(
    place: str, signed: Checkpoint, head: models.Head | None
) -> Contradiction | None:
    """Return how the rows contradict a signed checkpoint, None when they lead to it."""
    size = 0 if head is None else head.size
    if signed.size > size:
        return Contradiction(
            code="rows-behind",
            message=f"{place}: a signed checkpoint has {signed.size} entries, the "
            f"tables have {size}: they were restored from an older backup, or rows of "
            "them were deleted",
            is_proof=True,
        )
    if not signed.size or head is None or _root_at(signed.size, head) == signed.root:
        return None
    return Contradiction(
        code="rows-differ",
        message=f"{place}: a signed checkpoint of {signed.size} entries has another "
        "root than the tables: they hold another history",
        is_proof=True,
    )


def _root_at(size: int, head: models.Head) -> bytes | None:
    if size == head.size:
        return Frontier.from_bytes(head.size, bytes(head.frontier)).root()
    row = models.Checkpoint.objects.filter(size=size).only("root").first()
    if row is not None:
        return bytes(row.root)
    try:
        return derivation.frontier_at(size).root()
    except errors.SequenceBroken:
        return None


def _local(claims: list[Contradiction]) -> Iterator[_Signed]:
    """Yield what the files of this machine say was signed."""
    if not keys.is_notary_elsewhere() and keys.notary_state_file().exists():
        try:
            yield "the notary", notary.read_state(keys.notary_state_file())
        except errors.NotaryStateLost as error:
            claims.append(_claim("notary-state", str(error)))
    place = "the checkpoint in place"
    yield from _opened(
        place, TileStore(settings.LEDGER_PUBLIC_DIR).read_checkpoint(), claims
    )


def _ask_others() -> None:
    """Learn the signed checkpoints of all who are elsewhere, and what they claim."""
    _watch.read.clear()
    claims: list[Contradiction] = []
    signed: list[_Signed] = []
    if keys.is_notary_elsewhere():
        try:
            signed.append(("the notary", keys.open_notary().last_signed()))
        except errors.NotaryUnreachable:
            pass  # It signs nothing either.
        except errors.NotaryRefused as error:
            claims.append(_claim("notary-state", str(error)))
    for place, data in elsewhere.signed_notes():
        signed += _opened(place, data, claims)
    _watch.of_others, _watch.claims = tuple(signed), tuple(claims)
    _watch.asked_at = time.monotonic()


def _opened(
    place: str, data: bytes | None, claims: list[Contradiction]
) -> Iterator[_Signed]:
    """Yield the checkpoint of a note, if a key of this log signed it; else a claim."""
    if data is None:
        return
    if len(_watch.read) > _MOST_NOTES:
        _watch.read.clear()
    if data not in _watch.read:
        _watch.read[data] = _checked(data)
    signed = _watch.read[data]
    if signed is not None:
        yield place, signed
    else:
        claims.append(
            _claim(
                "note-unsigned",
                f"{place}: expected a checkpoint signed by a key of this log, got "
                "another note; it proves nothing: find out who wrote it",
            )
        )


def _checked(data: bytes) -> Checkpoint | None:
    try:
        signed = note.parse(data)
        parsed = checkpoint.parse(signed.text)
        if parsed.origin != settings.LEDGER_ORIGIN:
            return None
        note.verify(signed, _keys())
    except errors.VerificationError:
        return None
    return parsed


def _keys() -> list[VerifierKey]:
    """Return the keys that sign this log, as far as they are known here."""
    verifiers: list[VerifierKey] = []
    try:
        verifiers += keys.verifiers()
    except (errors.KeyFileInvalid, errors.NotaryRefused, errors.NotaryUnreachable):
        pass  # The policy names them as well.
    policy = elsewhere.policy_of_file()
    if policy is not None:
        verifiers += [key for key in policy.logs if key.name == settings.LEDGER_ORIGIN]
    return list(dict.fromkeys(verifiers))


def _ask_whether_refused() -> None:
    """Learn who refuses the last checkpoint today."""
    policy = elsewhere.policy_of_file()
    if policy is not None:
        refused(policy, elsewhere.refusals())


def _claim(code: str, message: str) -> Contradiction:
    return Contradiction(code=code, message=message, is_proof=False)


def _tell(new: Iterable[Contradiction]) -> None:
    for each in new:
        level = logging.CRITICAL if each.is_proof else logging.WARNING
        logger.log(level, "%s", each.message)
