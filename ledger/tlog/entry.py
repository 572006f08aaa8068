"""One entry of the log: a leaf of the tree, a link of the chain, exact bytes.

    {"commit":"<base64>","prev":"<base64>","pub":{},"seq":0,
     "time":"2026-11-22T15:43:34.123Z","type":"subject.erased","v":1}

(one line, without spaces). `prev` is the leaf hash of the entry before, so the chain
and the tree share their hashes. What `pub` may hold is in `vocabulary`; whether the
entries of a log follow from each other is for `ledger.verify`.
"""

import base64
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger import errors
from ledger.tlog import canonical, hashing, vocabulary
from ledger.tlog.canonical import JSON
from ledger.tlog.hashing import LeafHash

VERSION = 1
MAX_BYTES = 8 * 1024
COMMIT_BYTES = 32
# `prev` of entry 0.
NO_PREVIOUS = LeafHash(bytes(hashing.HASH_BYTES))

_KEYS = frozenset(("commit", "prev", "pub", "seq", "time", "type", "v"))
# Hour 24 is midnight for some readers: one moment would have two writings.
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
)
# Every entry in canonical form, and nothing else once the public part is known to be
# one object in canonical form. The last letter of a hash has two unused bits.
_WRITTEN = re.compile(
    rb'\{"commit":"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"'
    rb',"prev":"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"'
    rb',"pub":(\{.*\}),"seq":(0|[1-9][0-9]{0,15})'
    rb',"time":"(%b)","type":"([a-z.]+)","v":1\}' % _TIME.pattern.encode(),
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The values of one entry; `time` is in UTC, to the millisecond."""

    seq: int
    prev: LeafHash
    time: datetime
    type: str
    pub: Mapping[str, JSON]
    commit: bytes


def to_milliseconds(moment: datetime) -> datetime:
    """Return the moment in UTC, cut to the millisecond."""
    utc = moment.astimezone(UTC)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def encode(entry: Entry) -> bytes:
    """Return the bytes of an entry.

    Raises EventTypeUnknown and PubInvalid for what the vocabulary does not know,
    EntryInvalid for anything else an entry cannot hold.
    """
    if not 0 <= entry.seq <= canonical.MAX_INTEGER:
        raise errors.EntryInvalid(f"seq must be within 0 and 2^53-1, not {entry.seq}")
    if len(entry.prev) != hashing.HASH_BYTES or len(entry.commit) != COMMIT_BYTES:
        raise errors.EntryInvalid(
            f"prev and commit have 32 bytes, not {len(entry.prev)} and "
            f"{len(entry.commit)} (entry {entry.seq})"
        )
    if entry.time.tzinfo is not UTC or entry.time.microsecond % 1000:
        raise errors.EntryInvalid(
            f"time must be in UTC to the millisecond (entry {entry.seq})"
        )
    vocabulary.check(entry.type, entry.pub)
    data = _write(entry)
    if len(data) > MAX_BYTES:
        raise errors.EntryInvalid(
            f"an entry has at most {MAX_BYTES} bytes, not {len(data)} "
            f"(entry {entry.seq})"
        )
    return data


def parse(data: bytes) -> Entry:
    """Return the entry these bytes stand for; raise EntryInvalid for any others.

    Bytes that mean the same but are written otherwise are refused too.
    """
    if len(data) > MAX_BYTES:
        raise errors.EntryInvalid(
            f"an entry has at most {MAX_BYTES} bytes, not {len(data)}"
        )
    return _parse_written(data) or _parse_any(data)


def _parse_written(data: bytes) -> Entry | None:
    """Return the entry when it is seen at once to be canonical, else None.

    4 us where `_parse_any`, which says why bytes are refused, takes 13: half the time
    of a replay.
    """
    match = _WRITTEN.fullmatch(data)
    if match is None or int(match[4]) > canonical.MAX_INTEGER:
        return None
    try:
        pub = _public_part(match[6].decode(), match[3])
        time = datetime.fromisoformat(match[5].decode())
    except (ValueError, errors.EventTypeUnknown, errors.PubInvalid):
        return None
    return Entry(
        seq=int(match[4]),
        prev=LeafHash(base64.b64decode(match[2])),
        time=time,
        type=match[6].decode(),
        # Nobody may change what the next entry with the same public part gets.
        pub={
            key: list(value) if type(value) is list else value
            for key, value in pub.items()
        },
        commit=base64.b64decode(match[1]),
    )


@functools.lru_cache(maxsize=1024)
def _public_part(event_type: str, data: bytes) -> dict[str, JSON]:
    """Return the public part; many entries have the same, such as that of a form."""
    value = canonical.read(data)
    if not isinstance(value, dict) or canonical.write_plain(value) != data:
        raise ValueError("the public part is not one canonical object")
    vocabulary.check(event_type, value)
    return value


def _parse_any(data: bytes) -> Entry:
    try:
        value = canonical.read(data)
        entry = _from_json(value)
        vocabulary.check(entry.type, entry.pub)
    except ValueError as error:
        raise errors.EntryInvalid(f"not an entry: {error}") from error
    except (errors.EventTypeUnknown, errors.PubInvalid) as error:
        raise errors.EntryInvalid(str(error)) from error
    if _write(entry) != data:
        raise errors.EntryInvalid(
            f"entry {entry.seq} is not written in canonical form (RFC 8785)"
        )
    return entry


def _write(entry: Entry) -> bytes:
    return canonical.write_plain(
        {
            "commit": canonical.encode_base64(entry.commit),
            "prev": canonical.encode_base64(entry.prev),
            "pub": entry.pub,
            "seq": entry.seq,
            "time": f"{entry.time.isoformat(timespec='milliseconds')[:-6]}Z",
            "type": entry.type,
            "v": VERSION,
        }
    )


def _from_json(value: object) -> Entry:
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise ValueError(f"expected an object with the keys {', '.join(sorted(_KEYS))}")
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise ValueError(f"expected version {VERSION}")
    seq = value["seq"]
    if type(seq) is not int or not 0 <= seq <= canonical.MAX_INTEGER:
        raise ValueError("seq must be a whole number within 0 and 2^53-1")
    if not isinstance(value["pub"], dict):
        raise ValueError("pub must be an object")
    return Entry(
        seq=seq,
        prev=LeafHash(_hash(value["prev"])),
        time=_time(value["time"]),
        type=_text(value["type"]),
        pub=value["pub"],
        commit=_hash(value["commit"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("prev, commit, time and type must be strings")
    return value


def _hash(value: object) -> bytes:
    return hashing.decode(_text(value))


def _time(value: object) -> datetime:
    text = _text(value)
    if _TIME.fullmatch(text) is None:
        raise ValueError("time must be written as 2026-11-22T15:43:34.123Z")
    return datetime.fromisoformat(text)
