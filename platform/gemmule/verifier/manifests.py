"""Read the manifest of a release, and hold it against the receipt of its entry.

A signature alone proves little: the key stands beside it. What binds the manifest is
the ledger's entry `data.released`, which names the digest of these very bytes.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from gemmule.releases import signatures
from gemmule.verifier.errors import ManifestForged, ManifestInvalid, NotOnLedger
from gemmule.verifier.receipts import ReceiptHolds
from ledger.tlog import canonical, hashing

VERSION = 1
# A commitment for each of a million samples.
MAX_BYTES = 64 * 1024 * 1024
ENTRY_TYPE = "data.released"

_KEYS = frozenset(
    {
        "v",
        "release",
        "request",
        "request_sha256",
        "project",
        "purpose",
        "decision",
        "versions",
        "dataset",
        "build",
        "regions",
        "samples",
        "commitments",
        "cohort_root",
        "ledger_size",
        "records",
        "genotypes_withheld",
        "files",
        "recipient_key",
        "software",
        "sealed_at",
    }
)
# Manifests from before it was counted lack the first; the second stands in manifests of
# releases without a record.
_LATER_KEYS = frozenset({"records_withheld", "empty_because"})
_FILE_KEYS = frozenset(
    ("name", "role", "sha256_plain", "sha256_cipher", "size_bytes", "segments")
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file as the manifest names it."""

    name: str
    role: str
    sha256_plain: str
    sha256_cipher: str
    size_bytes: int
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a manifest says; `body` is all of it, `sha256` of the bytes as they came."""

    sha256: str
    body: Mapping[str, Any]
    key_id: str
    release: str
    files: tuple[NamedFile, ...]
    commitments: tuple[bytes, ...]
    cohort_root: bytes
    ledger_size: int
    recipient_key: str
    sealed_on: date


def read(data: bytes) -> Manifest:
    """Return the manifest; raise ManifestInvalid, ManifestForged."""
    try:
        whole = canonical.read(data)
        # Of one text two writings would have two digests.
        if not isinstance(whole, dict) or canonical.write(whole) != data:
            raise ValueError("it is not in its canonical form (RFC 8785)")
        if whole.keys() != {"manifest", "signature"}:
            raise ValueError("it must hold a manifest and a signature")
        body, signature = whole["manifest"], whole["signature"]
        if not isinstance(body, dict) or not isinstance(signature, dict):
            raise ValueError("manifest and signature must be objects")
    except ValueError as error:
        raise ManifestInvalid(str(error)) from error
    try:
        public = signatures.check(body, signature)
    except ValueError as error:
        raise ManifestForged(str(error)) from error
    try:
        return _manifest(data, body, signatures.key_id(public))
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestInvalid(f"it says not what a manifest says: {error}") from error


def check_entry(manifest: Manifest, receipt: ReceiptHolds) -> None:
    """Raise NotOnLedger unless the receipt is that of this manifest."""
    entry = receipt.checked.entry
    if entry.type != ENTRY_TYPE:
        raise NotOnLedger(
            f"the receipt is of an entry of another kind, {entry.type}, and not of a "
            "release"
        )
    if entry.pub.get("manifest_sha256") != manifest.sha256:
        raise NotOnLedger(
            f"the ledger's entry {entry.seq} names another manifest: this one was "
            "changed, or the receipt is that of another release"
        )
    root = canonical.encode_base64(manifest.cohort_root)
    if entry.pub.get("cohort_root") != root or (
        entry.pub.get("dataset") != manifest.body["dataset"]
    ):
        raise NotOnLedger(
            f"the ledger's entry {entry.seq} speaks of other samples or another "
            "dataset than the manifest"
        )
    if manifest.ledger_size > entry.seq:
        raise NotOnLedger(
            f"the manifest cites {manifest.ledger_size} entries, and stands itself at "
            f"entry {entry.seq}"
        )


def _manifest(data: bytes, body: Mapping[str, Any], key_id: str) -> Manifest:
    if body.keys() | _LATER_KEYS != _KEYS | _LATER_KEYS:
        raise ValueError("other fields than those of a manifest")
    if type(body["v"]) is not int or body["v"] != VERSION:
        raise ValueError(f"this program reads version {VERSION}")
    commitments = tuple(hashing.decode(one) for one in body["commitments"])
    root = hashing.decode(body["cohort_root"])
    if hashing.root_hash(map(hashing.leaf_hash, commitments)) != root:
        raise ValueError("the samples do not give the root")
    if _count(body["samples"]) != len(commitments):
        raise ValueError("there are not as many samples as it counts")
    files = tuple(map(_file, body["files"]))
    if not files or len({file.name for file in files}) != len(files):
        raise ValueError("every file must have a name of its own")
    for key in ("purpose", "decision", "versions", "software"):
        if not isinstance(body[key], dict):
            raise ValueError(f"{key} must be an object")
    for key in ("release", "request", "request_sha256", "project", "dataset"):
        _text(body[key])
    if (reasons := body.get("empty_because")) is not None:
        if not isinstance(reasons, list) or not reasons or body["records"] != 0:
            raise ValueError("empty_because must list reasons, and records must be 0")
        for reason in reasons:
            _text(reason)
    return Manifest(
        sha256=hashlib.sha256(data).hexdigest(),
        body=body,
        key_id=key_id,
        release=body["release"],
        files=files,
        commitments=commitments,
        cohort_root=root,
        ledger_size=_count(body["ledger_size"]),
        recipient_key=_digest(body["recipient_key"]),
        sealed_on=_moment(body["sealed_at"]).date(),
    )


def _file(value: Mapping[str, Any]) -> NamedFile:
    if value.keys() != _FILE_KEYS:
        raise ValueError("other fields than those of a file")
    return NamedFile(
        name=_text(value["name"]),
        role=_text(value["role"]),
        sha256_plain=_digest(value["sha256_plain"]),
        sha256_cipher=_digest(value["sha256_cipher"]),
        size_bytes=_count(value["size_bytes"]),
        segments=_count(value["segments"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text was expected")
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or _SHA256.fullmatch(value) is None:
        raise ValueError("a SHA-256 in hex was expected")
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a count was expected")
    return value


def _moment(value: object) -> datetime:
    found = datetime.fromisoformat(_text(value))
    if found.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return found.astimezone(UTC)
