"""The far side of a network: a site that answers as a test wants it to."""

import base64
import hashlib
import io
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gemmule.releases import signatures
from genomics.crypt4gh import keys
from genomics.crypt4gh.stream import encrypt_stream
from ledger.tlog.hashing import leaf_hash, root_hash

ACCESSION = "GMR000007"
VARIANTS, INDEX = "a.vcf.gz.c4gh", "a.tbi.c4gh"
TOKEN = "0123456789abcdef" * 4
EVENT = str(uuid.UUID(int=7))

# Status, headers, body, and how much of the body goes out before the line breaks.
Answer = tuple[int, dict[str, str], bytes, int | None]


class FarSide:
    """A site on this machine with one release; `before` may answer first."""

    def __init__(self, names: tuple[str, ...] = (VARIANTS, INDEX)):
        self.secret, self.public = keys.generate()
        self.plain: dict[str, bytes] = {}
        self.files: dict[str, bytes] = {}
        self.state = "available"
        self.asked: list[tuple[str, Mapping[str, str]]] = []
        self.before: Callable[[str, Mapping[str, str]], Answer | None] = (
            lambda path, headers: None
        )
        self.named: dict[str, Any] = {}
        self.says: dict[str, Any] = {}  # of the manifest, otherwise than usual
        self.manifest = b""
        for number, name in enumerate(names):
            self.put(name, bytes([number]) * 300_000 + b"end")
        self.sign()

    def put(self, name: str, plain: bytes) -> None:
        """Seal a file to the key and let the manifest name it."""
        out = io.BytesIO()
        sealed = encrypt_stream(io.BytesIO(plain), out, self.public)
        self.plain[name], self.files[name] = plain, out.getvalue()
        self.named[name] = {
            "name": name,
            "role": "variants",
            "sha256_plain": sealed.sha256_plain,
            "sha256_cipher": sealed.sha256_cipher,
            "size_bytes": sealed.size_bytes,
            "segments": sealed.segments,
        }

    def sign(self) -> None:
        """Make the manifest of the files there are now."""
        one = hashlib.sha256(b"a sample").digest()
        body: dict[str, Any] = {
            "v": 1,
            "release": ACCESSION,
            "request": "GMA000001",
            "request_sha256": "00" * 32,
            "project": "GMP000001",
            "purpose": {},
            "decision": {},
            "versions": {"rules": "1"},
            "dataset": "GMD000001",
            "build": "GRCh37",
            "regions": None,
            "samples": 1,
            "commitments": [_b64(one)],
            "cohort_root": _b64(root_hash([leaf_hash(one)])),
            "ledger_size": 3,
            "records": 1,
            "genotypes_withheld": 0,
            "records_withheld": 0,
            "files": list(self.named.values()),
            "recipient_key": keys.fingerprint(self.public),
            "software": {},
            "sealed_at": "2026-03-02T09:30:00.000Z",
            **self.says,
        }
        key = Ed25519PrivateKey.generate()
        public = key.public_key().public_bytes_raw()
        signature = {
            "algorithm": signatures.ALGORITHM,
            "key": _b64(public),
            "key_id": signatures.key_id(public),
            "value": _b64(key.sign(signatures.message(body))),
        }
        self.manifest = rfc8785.dumps({"manifest": body, "signature": signature})

    def answer(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Answer as a site does."""
        base = f"/api/v1/releases/{ACCESSION}/"
        if headers.get("Authorization") != f"Token {TOKEN}":
            return problem(401, "not-authenticated", "Invalid token.")
        if path == base:
            told: dict[str, Any] = {
                "accession": ACCESSION,
                "state": self.state,
                "progress": {"percent": 40, "seconds_left": 90},
                "failure_reason": "not enough donors",
                "manifest_sha256": hashlib.sha256(self.manifest).hexdigest(),
                "event": EVENT,
                "closed_reason": "",
            }
            return 200, {}, rfc8785.dumps(told), None
        if path == f"{base}manifest/":
            return 200, {}, self.manifest, None
        if path == f"/api/v1/receipts/{EVENT}/":
            return 200, {}, b"a receipt", None
        name = path.removeprefix(f"{base}files/")
        if name in self.files:
            return self.ranged(name, headers)
        return problem(404, "not-found", "there is nothing here")

    def ranged(self, name: str, headers: Mapping[str, str]) -> Answer:
        """Answer with a file, or the rest of it."""
        data = self.files[name]
        etag = f'"{self.named[name]["sha256_cipher"]}"'
        wanted = headers.get("Range")
        if wanted and headers.get("If-Range") == etag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            found = {
                "ETag": etag,
                "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}",
            }
            return 206, found, data[start:], None
        return 200, {"ETag": etag}, data, None

    def asked_for(self, name: str) -> list[Mapping[str, str]]:
        """Return the headers of every request for a file."""
        return [headers for path, headers in self.asked if path.endswith(f"/{name}")]


@contextmanager
def running(site: FarSide) -> Iterator[str]:
    """Run the site on this machine; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = dict(self.headers.items())
            site.asked.append((self.path, headers))
            status, more, body, until = site.before(self.path, headers) or site.answer(
                self.path, headers
            )
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:until])
            self.close_connection = True

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def problem(status: int, code: str, detail: str, **more: str) -> Answer:
    """Return an answer as RFC 9457 words a refusal."""
    headers = {"Content-Type": "application/problem+json"}
    if "retry_after" in more:
        headers["Retry-After"] = more.pop("retry_after")
    body: dict[str, Any] = {
        "title": "No",
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    return status, headers, rfc8785.dumps(body), None


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
