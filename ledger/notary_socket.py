"""Ask the notary that runs as a process of its own, over its Unix socket. No Django."""

from collections.abc import Sequence
from pathlib import Path

from ledger import errors, exchange, serving
from ledger.submission import Submission
from ledger.tlog import checkpoint, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import VerifierKey

_TIMEOUT_S = 20.0


class SocketNotary:
    """A notary elsewhere; it is asked as the one in this process is."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def verifiers(self) -> tuple[VerifierKey, ...]:
        """Return the public halves of the keys that sign."""
        lines = self._ask("GET", "/keys").decode().splitlines()
        return tuple(VerifierKey.from_text(line) for line in lines)

    def last_signed(self) -> Checkpoint:
        """Return the last signed checkpoint; of size 0 before the first."""
        return checkpoint.parse(self._ask("GET", "/last").decode())

    def sign(
        self, new: Checkpoint, *, old_size: int, consistency: Sequence[bytes]
    ) -> bytes:
        """Return the note of `new`; as `Notary.sign`, and NotaryUnreachable."""
        asked = Submission(
            old_size=old_size,
            consistency=tuple(consistency),
            checkpoint=new.text.encode(),
        )
        return self._ask("POST", "/sign", asked.encode())

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        try:
            reply = exchange.exchange(
                exchange.to_socket(self._socket, timeout_s=_TIMEOUT_S),
                method,
                path,
                body,
                timeout_s=_TIMEOUT_S,
                max_bytes=note.MAX_BYTES,
            )
        except exchange.Unreachable as error:
            raise errors.NotaryUnreachable(
                f"the notary at {self._socket} does not answer: {error}"
            ) from error
        if reply.status == 200:
            return reply.body
        said = reply.body.decode(errors="replace").strip()[:500]
        match reply.status:
            case 409 if reply.content_type == serving.SIZE_TYPE and said.isdecimal():
                raise errors.OldSizeStale(
                    f"the notary signed {said} entries last, or another root for them",
                    size=int(said),
                )
            case 422:
                raise errors.HistoryRewritten(said)
            case 503:
                raise errors.NotaryStateLost(said)
        raise errors.NotaryRefused(f"the notary answers {reply.status}: {said}")
