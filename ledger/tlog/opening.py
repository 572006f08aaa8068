"""Show what an entry commits to: one key and one body, and nothing of any other entry.

An opening is kept apart from the receipt, so that the receipt can be shown without it.
How keys and commitments are made is in `ledger.commitments`.

    {"body":{...},"event":"4bd6a2f0-...","key":"<base64 of 32 bytes>","v":1}

(one line, RFC 8785). The entry vouches for key and body; `event` is how the platform
that issued the opening calls the act, and vouched for by nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from ledger import commitments, errors
from ledger.tlog import canonical
from ledger.tlog.canonical import JSON

VERSION = 1
# A body of 16 MiB, which may list a large cohort, and what stands around it.
MAX_BYTES = 16 * 1024 * 1024 + 1024

_KEYS = frozenset(("body", "event", "key", "v"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The key of one event's commitment, and the body it commits to."""

    event: UUID
    key: bytes = field(repr=False)
    body: Mapping[str, JSON] = field(repr=False)

    def encode(self) -> bytes:
        """Return the bytes of an opening; raise OpeningInvalid if it can have none."""
        try:
            return canonical.write(
                {
                    "body": self.body,
                    "event": str(self.event),
                    "key": canonical.encode_base64(self.key),
                    "v": VERSION,
                }
            )
        except ValueError as error:
            raise errors.OpeningInvalid(
                f"no body can be written so: {error}"
            ) from error

    @classmethod
    def parse(cls, data: bytes) -> "Opening":
        """Return the opening these bytes stand for; raise OpeningInvalid for others."""
        if len(data) > MAX_BYTES:
            raise errors.OpeningInvalid(f"an opening has at most {MAX_BYTES} bytes")
        try:
            found = _from_json(canonical.read(data))
        except ValueError as error:
            raise errors.OpeningInvalid(f"not an opening: {error}") from error
        # Bytes that mean the same but are written otherwise are refused too.
        if found.encode() != data:
            raise errors.OpeningInvalid("an opening is written in canonical form")
        return found


def check(opening: Opening, commit: bytes) -> None:
    """Raise OpeningInvalid unless the commitment of an entry opens to this body."""
    try:
        body = canonical.write(opening.body)
    except ValueError as error:
        raise errors.OpeningInvalid(f"no body can be written so: {error}") from error
    commitments.check_opening(commit, opening.key, body)


def _from_json(value: object) -> Opening:
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise ValueError(f"expected an object with the keys {', '.join(sorted(_KEYS))}")
    if type(value["v"]) is not int or value["v"] != VERSION:
        raise ValueError(f"expected version {VERSION}")
    event, key, body = value["event"], value["key"], value["body"]
    if not isinstance(event, str) or not isinstance(key, str):
        raise ValueError("event and key must be strings")
    if not isinstance(body, dict):
        raise ValueError("body must be an object")
    opened = canonical.decode_base64(key)
    if len(opened) != commitments.KEY_BYTES:
        raise ValueError(f"the key has {commitments.KEY_BYTES} bytes")
    return Opening(event=UUID(event), key=opened, body=body)
