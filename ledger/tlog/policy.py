"""Say which logs and witnesses are believed, and how many witnesses must have cosigned.

Who asks the witnesses is `ledger.publishing`; whether a checkpoint is the newest one,
or its times are in the past, is left to those who have a clock.
Source: C2SP tlog-policy (https://c2sp.org/tlog-policy), with Ed25519 keys alone.

    log example.com/log+a73b2d5c+AdrB...
    witness hospital hospital.example+1d0f7a35+BCju... https://hospital.example/witness
    witness library library.example+93b5c1aa+BPSF...
    group outside any hospital library
    quorum outside
"""

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ledger import errors
from ledger.tlog import checkpoint, cosignature, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import VerifierKey

# The name that stands for no witness at all, tlog-policy, "Defining the quorum".
NONE = "none"
# 32 of each are recommended. A note holds the signatures of this many witnesses.
MAX_OF_EACH = 64
MAX_BYTES = 256 * 1024

_THRESHOLD = re.compile(r"all|any|[1-9][0-9]{0,2}")
# Whatever comes later is no date. (9999-12-31T23:59:59Z)
_LAST_TIME = 253402300799


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Who cosigns, under a name that has a meaning within its policy alone."""

    name: str
    key: VerifierKey
    url: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A name that has witnessed as soon as `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigner:
    """A witness of the policy that cosigned, and when it says it did."""

    name: str
    key: VerifierKey
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """A checkpoint that a policy believes, and who vouches for it."""

    checkpoint: Checkpoint
    log_keys: tuple[VerifierKey, ...]
    cosigners: tuple[Cosigner, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A parsed policy. `log_urls` stand in the order of `logs`."""

    text: str
    logs: tuple[VerifierKey, ...]
    log_urls: tuple[str | None, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Return the policy of a text; raise PolicyInvalid unless it is exactly one."""
        return _parse(text)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Policy":
        """Return the policy of a file, whose names may be octets of no encoding."""
        # "All octets with the high bit set are opaque", "Character set".
        return _parse(data.decode("utf-8", "surrogateescape"))

    @classmethod
    def single(cls, key: VerifierKey) -> "Policy":
        """Return the policy that believes one log key and asks for no witness."""
        return _parse(f"log {key.text}\nquorum {NONE}\n")

    @property
    def sha256(self) -> str:
        """Return the hash of the text, in hex."""
        return hashlib.sha256(_octets(self.text)).hexdigest()

    def is_met(self, names: Collection[str]) -> bool:
        """Return whether the quorum is reached once these witnesses cosigned."""
        witnessed = {each.name for each in self.witnesses} & set(names)
        # A group names only what stands before it, so one pass decides all of them.
        for group in self.groups:
            if len(witnessed.intersection(group.members)) >= group.threshold:
                witnessed.add(group.name)
        return self.quorum == NONE or self.quorum in witnessed

    def check(self, data: bytes) -> Cosigned:
        """Return the checkpoint of a note that a log signed and enough cosigned.

        A false signature of a key in the policy spoils the note, one of a key that is
        not is ignored. Raises NoteInvalid, CheckpointInvalid, QuorumNotMet.
        """
        signed = note.parse(data)
        log_keys = note.verify(signed, self.logs)
        found = checkpoint.parse(signed.text)
        # "This name MUST correspond to the log's origin line", "Defining a log".
        log_keys = tuple(key for key in log_keys if key.name == found.origin)
        if not log_keys:
            raise errors.CheckpointInvalid(
                f"the checkpoint of {found.origin} is signed by another log"
            )
        cosigners = self._cosigners(signed)
        if not self.is_met({each.name for each in cosigners}):
            raise errors.QuorumNotMet(
                f"{len(cosigners)} of the policy's {len(self.witnesses)} witnesses "
                f"cosigned the checkpoint of {found.size} entries: not the quorum"
            )
        return Cosigned(checkpoint=found, log_keys=log_keys, cosigners=cosigners)

    def _cosigners(self, signed: note.Note) -> tuple[Cosigner, ...]:
        names = {witness.key: witness.name for witness in self.witnesses}
        found = []
        for key, signature in note.signatures_of(signed, list(names)):
            time = cosignature.verify(signature, signed.text, key)
            if time > _LAST_TIME:
                raise errors.NoteInvalid(f"the time of {key.label} is of no year")
            found.append(
                Cosigner(
                    name=names[key], key=key, time=datetime.fromtimestamp(time, UTC)
                )
            )
        return tuple(found)


@dataclass(slots=True)
class _Draft:
    """What the lines of a policy have said so far."""

    logs: dict[VerifierKey, str | None] = field(default_factory=dict)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorum: str | None = None
    # Names of witnesses and groups, and whether a group has them as a member.
    taken: dict[str, bool] = field(default_factory=dict)

    def read(self, keyword: str, words: list[str]) -> None:
        """Take in one line; raise PolicyInvalid when it says nothing or too much."""
        match keyword, words:
            case "log", [vkey, *url] if len(url) <= 1:
                key = _key(vkey, note.ED25519, "a log", self.logs)
                self.logs[key] = url[0] if url else None
            case "witness", [name, vkey, *url] if len(url) <= 1:
                keys = [each.key for each in self.witnesses]
                key = _key(vkey, note.COSIGNATURE, "a witness", keys)
                self._define(name)
                self.witnesses.append(
                    Witness(name=name, key=key, url=url[0] if url else None)
                )
            case "group", [name, threshold, *members] if members:
                self._group(name, threshold, members)
            case "quorum", [name]:
                if self.quorum is not None:
                    raise errors.PolicyInvalid("there is one quorum line")
                if name not in self.taken and name != NONE:
                    raise errors.PolicyInvalid("the quorum is not defined before")
                self.quorum = name
            case _:
                raise errors.PolicyInvalid(
                    "a line is: log <key> [<url>], witness <name> <key> [<url>], "
                    "group <name> all|any|<k> <name>..., or quorum <name>"
                )

    def _define(self, name: str) -> None:
        if name in self.taken or name == NONE:
            raise errors.PolicyInvalid("the name is taken")
        self.taken[name] = False

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        for member in members:
            # Each witness may count towards the quorum in one way only.
            if self.taken.get(member, True):
                raise errors.PolicyInvalid(
                    "each member is defined before, and of one group once"
                )
            self.taken[member] = True
        # Last, so that no group is a member of itself.
        self._define(name)
        if _THRESHOLD.fullmatch(threshold) is None:
            raise errors.PolicyInvalid("a threshold is all, any or a plain number")
        needed = {"all": len(members), "any": 1}.get(threshold) or int(threshold)
        if needed > len(members):
            raise errors.PolicyInvalid(
                f"{needed} of {len(members)} members can never witness"
            )
        self.groups.append(Group(name=name, threshold=needed, members=tuple(members)))


def _parse(text: str) -> Policy:
    if len(_octets(text)) > MAX_BYTES:
        raise errors.PolicyInvalid(f"a policy has at most {MAX_BYTES} bytes")
    # A file that was cut off could ask for less than it was written to ask for.
    if not text.endswith("\n"):
        raise errors.PolicyInvalid("every line of a policy ends in a newline")
    draft = _Draft()
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        # Space and tab only: to a policy, no other octet is white.
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            draft.read(words[0], words[1:])
        except errors.PolicyInvalid as error:
            raise errors.PolicyInvalid(f"line {number}: {error}") from error
    if draft.quorum is None:
        raise errors.PolicyInvalid("a policy has a quorum line")
    for found in (draft.logs, draft.witnesses, draft.groups):
        if len(found) > MAX_OF_EACH:
            raise errors.PolicyInvalid(
                f"a policy has at most {MAX_OF_EACH} logs, witnesses and groups each"
            )
    return Policy(
        text=text,
        logs=tuple(draft.logs),
        log_urls=tuple(draft.logs.values()),
        witnesses=tuple(draft.witnesses),
        groups=tuple(draft.groups),
        quorum=draft.quorum,
    )


def _octets(text: str) -> bytes:
    """Return the octets of a policy; raise PolicyInvalid where one is not allowed."""
    if any((each < " " and each not in "\t\n") or each == "\x7f" for each in text):
        raise errors.PolicyInvalid("a policy has no control character but tab, newline")
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise errors.PolicyInvalid("a policy is made of octets") from error


def _key(
    text: str, algorithm: bytes, whose: str, others: Collection[VerifierKey]
) -> VerifierKey:
    try:
        key = VerifierKey.from_text(text)
    except errors.KeyFileInvalid as error:
        raise errors.PolicyInvalid(str(error)) from error
    if key.algorithm != algorithm:
        raise errors.PolicyInvalid(
            f"the key of {whose} is of type {algorithm.hex()}, "
            f"type {key.algorithm.hex()} came"
        )
    # "Duplicate if they wrap the same underlying public key", whatever its name.
    if any(each.public_key == key.public_key for each in others):
        raise errors.PolicyInvalid(f"the key of {whose} stands there already")
    return key
