"""A log in which one donor's acts stand among others, and the record of them."""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from ledger import commitments
from ledger.tlog import canonical
from ledger.tlog.opening import Opening
from tests.ledger import written

TYPES = (
    "consent.given",
    "consent.changed",
    "consent.paused",
    "consent.resumed",
    "consent.withdrawn",
)


@dataclass
class Scene:
    """Acts 1..k of one donor at the entries 1, 3, 5 and so on of one log."""

    acts: int = 4
    log: list[bytes] = field(init=False)
    openings: list[Opening] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        values = [written.values_of(0)]
        previous: str | None = None
        for number in range(1, self.acts + 1):
            body = {
                "subject_seq": number,
                "subject_prev": previous,
                "terms": {"permission": "GRU", "modifiers": ["NPU", "US"]},
                "valid_until": None,
            }
            opening = open_of(f"act {number}", body)
            commit = commitments.commit(opening.key, canonical.write(body))
            previous = canonical.encode_base64(commit)
            self.openings.append(opening)
            for changes in (
                {"type": TYPES[number - 1], "commit": commit},
                {"type": "role.granted", "pub": {"role": "steward"}},
            ):
                values.append(written.values_of(len(values), **changes))
        self.log = written.chain(values)

    def receipt(self, number: int, **options: Any) -> bytes:
        return written.receipt_of(self.log, self.index(number), **options)

    def index(self, number: int) -> int:
        return 2 * number - 1

    def act(self, number: int, **options: Any) -> dict[str, Any]:
        opening = json.loads(self.openings[number - 1].encode())
        return {
            "receipt": self.receipt(number, **options).decode(),
            "opening": opening,
        }

    def record(self, *numbers: int, **changes: Any) -> bytes:
        """Return the record of these acts; of all if none is named."""
        chosen = numbers or range(1, self.acts + 1)
        value = {
            "v": 1,
            "kind": "gemmule/donor-record",
            "origin": written.KEY.name,
            "made_at": "2026-11-22T15:43:34.123Z",
            "acts": [self.act(each) for each in chosen],
            **changes,
        }
        return json.dumps(value).encode()


def open_of(name: str, body: dict[str, Any]) -> Opening:
    key = hashlib.sha256(name.encode()).digest()
    return Opening(event=uuid.uuid5(uuid.NAMESPACE_OID, name), key=key, body=body)
