"""Cosign the checkpoints of some logs, each only when it extends the last one seen.

A cosigner lives in a folder: its key, the keys of the logs it follows, and for each log
the memory of what it cosigned (`memory` says what is believed of it). HTTP and the
command line are `witness`. No Django.
Source: C2SP tlog-witness (https://c2sp.org/tlog-witness) and tlog-cosignature.

    DIR/key                    PRIVATE+KEY+..., 0600
    DIR/logs                   one verifier key a line
    DIR/seen/<hash>.checkpoint the memory of one log
    DIR/seen/<hash>.note       what it cosigned last, as it was signed
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ledger import durable, errors, memory, submission
from ledger.memory import Memory
from ledger.submission import Submission
from ledger.tlog import checkpoint, cosignature, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import Note, SignerKey, VerifierKey

_SEED_BYTES = 32
_KEY, _LOGS, _SEEN, _LOCK = "key", "logs", "seen", "lock"


class Cosigner:
    """One key, the logs it follows, and what it cosigned of each."""

    def __init__(self, folder: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._clock = clock
        self._key = _read_key(folder)
        self._memories: dict[str, Memory] = {}
        self._lock = threading.Lock()

    @property
    def verifier(self) -> VerifierKey:
        """Return the public half of the key."""
        return self._key.verifier

    def logs(self) -> tuple[VerifierKey, ...]:
        """Return the keys it trusts, as they are now: they change while it serves."""
        return _read_logs(self._folder)

    def last(self, origin: str) -> tuple[Checkpoint, datetime | None]:
        """Return what it cosigned of a log last, and when; size 0 before the first."""
        found = self._memory(origin).recall()
        if found.written_ns is None or not found.checkpoint.size:
            return found.checkpoint, None
        return found.checkpoint, datetime.fromtimestamp(found.written_ns // 10**9, UTC)

    def check(self) -> None:
        """Raise NotaryStateLost unless it knows what it cosigned of every log."""
        for origin in sorted({key.name for key in self.logs()}):
            self._memory(origin).last()

    def add_checkpoint(self, body: bytes) -> str:
        """Return the cosignature line for what was submitted.

        Raises, in this order: SubmissionInvalid, LogUnknown, LogUntrusted, again
        SubmissionInvalid (the old size is the larger), OldSizeStale, RootForked,
        HistoryRewritten; NotaryStateLost when it cannot know.
        """
        asked = submission.parse(body)
        signed, new = _read_note(asked)
        self._check_trusted(signed, new.origin)
        if asked.old_size > new.size:
            raise errors.SubmissionInvalid(
                f"the old size {asked.old_size} is larger than the size {new.size}"
            )
        found = self._memory(new.origin)
        self._check_not_rolled_back(signed, new, found)

        def sign() -> str:
            line = cosignature.cosign(signed.text, self._key, time=int(self._clock()))
            self._keep_note(new.origin, signed, line)
            return line

        return found.advance(
            new, old_size=asked.old_size, consistency=asked.consistency, sign=sign
        )

    def last_note(self, body: bytes) -> str:
        """Return the note that was cosigned last of the log that the body names.

        It bears the log's signature, so that whoever asks need not believe this
        witness. Raises LogUnknown for a log that is not followed, or not cosigned yet.
        """
        origin = body.decode(errors="replace").strip()
        if origin in {key.name for key in self.logs()}:
            path = _note_file(self._folder, origin)
            if path.exists():
                return path.read_text(encoding="utf-8")
        raise errors.LogUnknown("this witness has cosigned nothing of the log")

    def _keep_note(self, origin: str, signed: Note, line: str) -> None:
        """Keep what is cosigned with the signatures of the log and our own."""
        trusted = [key for key in self.logs() if key.name == origin]
        lines = [each.line for _, each in note.signatures_of(signed, trusted)]
        text = f"{signed.text}\n{''.join(lines)}{line}"
        durable.replace(_note_file(self._folder, origin), text.encode())

    def _check_trusted(self, signed: Note, origin: str) -> None:
        trusted = [key for key in self.logs() if key.name == origin]
        if not trusted:
            raise errors.LogUnknown("this witness does not follow the log")
        try:
            note.verify(signed, trusted)
        except errors.NoteInvalid as error:
            raise errors.LogUntrusted(f"{error}") from error

    def _check_not_rolled_back(
        self, signed: Note, new: Checkpoint, found: Memory
    ) -> None:
        """Stop for good when our own cosignature proves that we have forgotten.

        A log that asks the other witnesses again sends along who cosigned already.
        """
        own = self.verifier
        for each in signed.signatures:
            if (each.name, each.key_id) != (own.name, own.key_id):
                continue
            try:
                cosignature.verify(each, signed.text, own)
            except errors.NoteInvalid:
                continue  # Anybody can write our name.
            last = found.last()
            if new.size > last.size or (
                new.size == last.size and new.root != last.root
            ):
                reason = (
                    f"a cosignature of this witness on {new.size} entries was shown, "
                    f"its memory knew {last.size}: an old state was restored"
                )
                found.forget(reason)
                raise errors.NotaryStateLost(f"{reason}; nothing is signed")

    def _memory(self, origin: str) -> Memory:
        # One for all threads: it knows the largest size that this process has seen.
        with self._lock:
            if origin not in self._memories:
                path = _memory_file(self._folder, origin)
                self._memories[origin] = Memory(path, origin=origin)
            return self._memories[origin]


def init(folder: Path, *, name: str, logs: Sequence[VerifierKey]) -> VerifierKey:
    """Make the folder of a new witness; return its public key.

    The key comes last: a folder without one is not yet a witness's.
    """
    if folder.exists() and any(folder.iterdir()):
        raise errors.WitnessFolderInvalid(
            f"{folder} is not empty; a witness is made once, into a folder of its own"
        )
    note.check_name(name)
    key = SignerKey(
        name=name,
        seed=secrets.token_bytes(_SEED_BYTES),
        algorithm=note.COSIGNATURE,
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for log in logs:
        add_log(folder, log)
    durable.write_once(folder / _KEY, f"{key.text}\n".encode())
    return key.verifier


def add_log(folder: Path, log: VerifierKey) -> None:
    """Trust one more key; of a log that is followed already, beside the others."""
    if log.algorithm != note.ED25519:
        raise errors.KeyFileInvalid("the key of a log is of type 1 (Ed25519)")
    with durable.locked(folder / f"{_LOGS}.lock"):
        known = _read_logs(folder) if (folder / _LOGS).exists() else ()
        if log in known:
            return
        if all(each.name != log.name for each in known):
            # Before the log is named: a log without a memory is one that was lost.
            memory.create_dated(_memory_file(folder, log.name), origin=log.name)
        _write_logs(folder, (*known, log))


def remove_log(folder: Path, log: VerifierKey) -> None:
    """Trust a key no longer. What was cosigned stays remembered."""
    with durable.locked(folder / f"{_LOGS}.lock"):
        known = _read_logs(folder)
        if log not in known:
            raise errors.WitnessFolderInvalid(f"{folder} trusts no such key")
        _write_logs(folder, [each for each in known if each != log])


def moved(folder: Path) -> list[Checkpoint]:
    """Believe the memories again after a person moved the folder; return them."""
    found = []
    for origin in sorted({key.name for key in _read_logs(folder)}):
        path = _memory_file(folder, origin)
        remembered = memory.read_undated(path).checkpoint
        if remembered.origin != origin:
            raise errors.NotaryStateLost(f"the memory {path} is not of {origin}")
        memory.adopt(path, remembered)
        found.append(remembered)
    return found


def lock_file(folder: Path) -> Path:
    """Return what the one process that serves the folder holds."""
    return folder / _LOCK


def _read_note(asked: Submission) -> tuple[Note, Checkpoint]:
    try:
        signed = note.parse(asked.checkpoint)
        # Lines after the third are the log's business; they are signed with the rest.
        lines = signed.text.split("\n")
        extensions = lines[3:-1]
        if not all(extensions):
            raise errors.CheckpointInvalid("an extension line is empty")
        new = checkpoint.parse("\n".join([*lines[:3], ""]))
    except (errors.NoteInvalid, errors.CheckpointInvalid) as error:
        raise errors.SubmissionInvalid(f"not a signed checkpoint: {error}") from error
    return signed, new


def _memory_file(folder: Path, origin: str) -> Path:
    # An origin may hold slashes, and be longer than a name.
    name = hashlib.sha256(origin.encode()).hexdigest()[:32]
    return folder / _SEEN / f"{name}.checkpoint"


def _note_file(folder: Path, origin: str) -> Path:
    return _memory_file(folder, origin).with_suffix(".note")


def _read_key(folder: Path) -> SignerKey:
    path = folder / _KEY
    try:
        key = SignerKey.from_text(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError, errors.KeyFileInvalid) as error:
        raise errors.WitnessFolderInvalid(
            f"{path} holds no key of a witness; `python -m ledger.witness init` makes "
            f"one: {error}"
        ) from error
    if key.algorithm != note.COSIGNATURE:
        raise errors.WitnessFolderInvalid(f"{path} must hold a key of type 4")
    return key


def _read_logs(folder: Path) -> tuple[VerifierKey, ...]:
    path = folder / _LOGS
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(VerifierKey.from_text(line) for line in lines)
    except (OSError, UnicodeDecodeError, errors.KeyFileInvalid) as error:
        raise errors.WitnessFolderInvalid(
            f"{path} must hold one verifier key a line: {error}"
        ) from error


def _write_logs(folder: Path, logs: Sequence[VerifierKey]) -> None:
    content = "".join(f"{log.text}\n" for log in logs).encode()
    durable.replace(folder / _LOGS, content)
