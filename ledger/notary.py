"""Sign a checkpoint only when it extends the one signed before. No Django.

The notary remembers the last checkpoint it signed in a file, written to the disk
before the signature leaves: after a crash it may remember a signature that nobody
received, never the reverse. So whoever cuts the log back, or restores an old backup of
it, gets no signature for another history of the same length.

Where checkpoints are stored is left to `publishing`. The caller holds the lock that
keeps a second notary of the same file away.
"""

from collections.abc import Sequence
from pathlib import Path

from ledger import durable, errors
from ledger.tlog import checkpoint, hashing, proof
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey


class Notary:
    """A key and the memory of what it signed."""

    def __init__(self, *, key: SignerKey, state_file: Path) -> None:
        self._key = key
        self._state_file = state_file

    def last_signed(self) -> Checkpoint:
        """Return the last signed checkpoint; of size 0 before the first."""
        state = read_state(self._state_file)
        if state.origin != self._key.name:
            raise errors.NotaryRefused(
                f"the notary's memory is of {state.origin}, its key of {self._key.name}"
            )
        return state

    def sign(
        self, new: Checkpoint, *, old_size: int, consistency: Sequence[bytes]
    ) -> bytes:
        """Return the signed note of `new`.

        `consistency` leads from the last signed checkpoint, of `old_size` leaves, to
        the new one; empty when that is size 0 or the same size.
        """
        old = self.last_signed()
        if old_size != old.size:
            raise errors.NotaryRefused(
                f"the notary signed {old.size} entries last, not {old_size}"
            )
        if new.size < old.size:
            raise errors.NotaryRefused(
                f"the notary has signed {old.size} entries and signs no smaller tree "
                f"({new.size}): the log was cut back or restored from an old backup"
            )
        if old.size:
            _check_extends(old, new, consistency)
        signed = checkpoint.sign(new, self._key)
        # First to the disk, then out: see the module's first paragraph.
        durable.replace(self._state_file, new.text.encode())
        return signed


def create_state(state_file: Path, *, origin: str) -> None:
    """Let a new notary remember that it signed nothing, unless it has a memory."""
    nothing = Checkpoint(origin=origin, size=0, root=hashing.EMPTY_ROOT)
    durable.write_once(state_file, nothing.text.encode())


def read_state(state_file: Path) -> Checkpoint:
    """Return what a notary remembers; raise NotaryStateLost when it does not."""
    try:
        return checkpoint.parse(state_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, errors.CheckpointInvalid) as error:
        raise errors.NotaryStateLost(
            f"the notary's memory {state_file} cannot be read, so nothing is signed; "
            f"restore the newest copy of it: {error}"
        ) from error


def _check_extends(
    old: Checkpoint, new: Checkpoint, consistency: Sequence[bytes]
) -> None:
    try:
        proof.verify_consistency(
            old_size=old.size,
            old_root=old.root,
            new_size=new.size,
            new_root=new.root,
            proof=consistency,
        )
    except errors.ProofInvalid as error:
        raise errors.NotaryRefused(
            f"the tree of {new.size} entries does not extend the signed tree of "
            f"{old.size}: history was rewritten ({error})"
        ) from error
