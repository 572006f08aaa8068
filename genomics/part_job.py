"""The jobs that cut one share of a release, and join all shares to it, as JSON.

Beside `genomics.job`, whose rules hold. What the shares of one release have in common
is the `SubsetJob`, which must be the same in each of them, and in the join; the paths
in it may differ, as machines do.
"""

import base64
import dataclasses
import json
from pathlib import Path

from genomics.errors import JobInvalid
from genomics.job import RECIPIENT_KEY_BYTES, SubsetJob
from genomics.jsonfields import JSON, Fields, list_of, text_of, tuple_of

# More are never worth the child processes that they take.
MAX_COUNT = 10_000
_PATHS = ("source", "output_dir")


def essence(job: SubsetJob) -> bytes:
    """Return what a job asks for, wherever its files lie: equal for equal releases."""
    value = {k: v for k, v in job.to_json().items() if k not in _PATHS}
    return json.dumps(value, sort_keys=True).encode("ascii")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PartJob:
    """Cut share `number` (from 0) of `count` and seal it for whoever joins them.

    `part` is the file to write. The holder of the secret to `build_public_key` can join
    the parts, and nobody else can read them.
    """

    subset: SubsetJob
    number: int
    count: int
    build_public_key: bytes
    part: Path

    def __post_init__(self) -> None:
        if not 0 <= self.number < self.count <= MAX_COUNT:
            raise JobInvalid(f"expected one of at most {MAX_COUNT} parts")
        _check_key(self.build_public_key)

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "part",
            "subset": self.subset.to_json(),
            "number": self.number,
            "count": self.count,
            "build_public_key": base64.b64encode(self.build_public_key).decode(),
            "part": str(self.part),
        }

    @classmethod
    def from_json(cls, value: JSON) -> "PartJob":
        fields = Fields(value, "part job")
        fields.constant("kind", "part")
        job = cls(
            subset=SubsetJob.from_json(fields.take("subset")),
            number=fields.integer("number"),
            count=fields.integer("count"),
            build_public_key=fields.base64("build_public_key"),
            part=fields.path("part"),
        )
        fields.finish()
        return job


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """The digest (hex) of a part's file, and what it holds."""

    sha256: str
    records_out: int
    bytes: int  # of text

    def to_json(self) -> dict[str, JSON]:
        return {"kind": "part", **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, value: JSON) -> "PartResult":
        fields = Fields(value, "part result")
        fields.constant("kind", "part")
        result = cls(
            sha256=fields.text("sha256"),
            records_out=fields.integer("records_out"),
            bytes=fields.integer("bytes"),
        )
        fields.finish()
        return result


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JoinJob:
    """Make of all parts the files that the `SubsetJob` by itself would make.

    `parts` are (file, its SHA-256 in hex), in order.
    """

    subset: SubsetJob
    parts: tuple[tuple[Path, str], ...]
    build_secret_key: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.parts) <= MAX_COUNT:
            raise JobInvalid(f"expected 1 to {MAX_COUNT} parts")
        _check_key(self.build_secret_key)

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": "join",
            "subset": self.subset.to_json(),
            "parts": [[str(path), sha256] for path, sha256 in self.parts],
            "build_secret_key": base64.b64encode(self.build_secret_key).decode(),
        }

    @classmethod
    def from_json(cls, value: JSON) -> "JoinJob":
        fields = Fields(value, "join job")
        fields.constant("kind", "join")
        job = cls(
            subset=SubsetJob.from_json(fields.take("subset")),
            parts=tuple(
                _part_of(one) for one in list_of(fields.take("parts"), "parts")
            ),
            build_secret_key=fields.base64("build_secret_key"),
        )
        fields.finish()
        return job


def _part_of(value: JSON) -> tuple[Path, str]:
    path, sha256 = (text_of(one, "part") for one in tuple_of(value, "part", 2))
    if not Path(path).is_absolute():
        raise JobInvalid("expected an absolute path of each part")
    return Path(path), sha256


def _check_key(key: bytes) -> None:
    if len(key) != RECIPIENT_KEY_BYTES:
        raise JobInvalid(
            f"expected a build key of {RECIPIENT_KEY_BYTES} bytes, got {len(key)}"
        )
