"""A log that can show two histories, and witnesses as processes of their own.

with witnesses.serving(folder) as witness:
    status, headers, body = witness.submit(LOG.submission(0, 5))
"""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ledger import cosigner
from ledger.submission import Submission
from ledger.tlog import checkpoint, hashing, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import Frontier, LeafHash
from ledger.tlog.note import SignerKey, VerifierKey

Reply = tuple[int, http.client.HTTPMessage, bytes]

KEY = SignerKey(name="example.com/log", seed=bytes(range(32)))
NEXT_KEY = SignerKey(name="example.com/log", seed=bytes(reversed(range(32))))
STRANGER = SignerKey(name="example.com/stranger", seed=bytes(32))
WITNESS = "witness.example.org/w1"


def _leaves(word: str) -> list[LeafHash]:
    return [hashing.leaf_hash(f"{word} {number}".encode()) for number in range(64)]


@dataclass(frozen=True)
class Log:
    """64 leaves and whoever signs their trees."""

    leaves: Sequence[LeafHash] = field(default_factory=lambda: _leaves("entry"))
    keys: tuple[SignerKey, ...] = (KEY,)

    def fork(self, at: int) -> "Log":
        """Return the log that tells another story from entry `at` on."""
        return Log([*self.leaves[:at], *_leaves("forged")[at:]], self.keys)

    def signed_by(self, *keys: SignerKey) -> "Log":
        """Return the same log under other keys."""
        return Log(self.leaves, keys)

    def head(self, size: int) -> Checkpoint:
        root = hashing.root_hash(self.leaves[:size])
        return Checkpoint(origin=self.keys[0].name, size=size, root=root)

    def note(self, size: int) -> bytes:
        head = self.head(size)
        lines = [checkpoint.sign(head, key).rpartition(b"\n\n")[2] for key in self.keys]
        return head.text.encode() + b"\n" + b"".join(lines)

    def proof(self, old: int, new: int) -> list[bytes]:
        if not 0 < old < new:
            return []
        known = proof.subtrees_of(Frontier(), list(self.leaves))
        return proof.consistency_proof(old, new, known)

    def submission(self, old: int, new: int) -> bytes:
        return Submission(
            old_size=old,
            consistency=tuple(self.proof(old, new)),
            checkpoint=self.note(new),
        ).encode()


LOG = Log()


@dataclass(frozen=True, kw_only=True)
class Serving:
    """A witness that answers."""

    process: "subprocess.Popen[str]"
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def submit(self, body: bytes) -> Reply:
        return self.ask("POST", "/add-checkpoint", body)

    def ask(self, method: str, path: str, body: bytes | None = None) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            return ask(connection, method, path, body)
        finally:
            connection.close()


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
) -> Reply:
    """Return the answer; the connection stays open if the far side keeps it."""
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def make(folder: Path, *logs: VerifierKey, name: str = WITNESS) -> VerifierKey:
    """Make the folder of a witness, of the one log unless others are named."""
    return cosigner.init(folder, name=name, logs=logs or (KEY.verifier,))


@contextmanager
def serving(
    folder: Path, program: Sequence[str | Path] = ("-m", "ledger.witness", "serve")
) -> Iterator[Serving]:
    """Serve the folder until the block ends, then see that SIGTERM ends it well."""
    with started([*program, folder, "--listen", "127.0.0.1:0"]) as process:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        match = re.search(r":(\d+)$", greeting.strip())
        assert match, f"no greeting but {greeting!r}"
        yield Serving(process=process, port=int(match[1]))


@contextmanager
def started(arguments: Sequence[str | Path]) -> Iterator["subprocess.Popen[str]"]:
    """Run a Python program until the block ends; unless it was killed, end it well."""
    with subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) in (0, -signal.SIGKILL)
        finally:
            process.kill()


def check_size(reply: Reply, size: int) -> None:
    """Check that a reply names the size of what the witness signed last."""
    status, headers, body = reply
    assert (status, headers["Content-Type"]) == (409, "text/x.tlog.size")
    assert body == f"{size}\n".encode()
