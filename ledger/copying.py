"""Keep a full copy of a log in a folder, and let it grow by verified entries alone.

A copy is the files that tlog-tiles names, so it is itself a place to read the log from.
New entries wait beside it until they have led from what the copy holds to a checkpoint
that the policy accepts; then they are put in place, the checkpoint last. So whatever a
place serves, what the copy holds stays as it is; and a signed checkpoint that
contradicts it is kept as evidence. No Django.

    checkpoint policy tile/...   the copy, as tlog-tiles lays it out
    replay.json                  how far its entries were replayed
    evidence/                    signed checkpoints that contradict the copy
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger import durable, errors, served
from ledger.sources import Folder
from ledger.tiles import TileStore
from ledger.tiling import Tiling
from ledger.tlog import checkpoint, hashing, note, tile
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.policy import Cosigned, Policy
from ledger.tlog.tile import ENTRIES, WIDTH, Tile
from ledger.verify import Replay

# (start, size) -> the entries start..size-1, by the bundle; `start` begins a bundle.
Bundles = Callable[[int, int], Iterator[list[bytes]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What the copy holds now, and how many entries of it are new."""

    cosigned: Cosigned
    new: int


def extend(folder: Path, *, signed: bytes, policy: Policy, bundles: Bundles) -> Copied:
    """Let the copy in the folder grow to the signed checkpoint, and hold that.

    Raises what Policy.check raises, the ReplayError of the first entry that does not
    hold, LogForked where the checkpoint contradicts the copy, LogBehind where it is
    older, CopyDamaged where the copy itself does not hold. Then it is as it was.
    """
    cosigned = policy.check(signed)
    folder.mkdir(parents=True, exist_ok=True)
    with durable.locked(folder / ".lock"):
        copy = _Copy(folder)
        new = cosigned.checkpoint.size - copy.held.size
        copy.check_extends(cosigned.checkpoint, signed)
        if new:
            copy.grow(cosigned, signed, bundles)
        copy.finish(cosigned.checkpoint, signed, policy)
    return Copied(cosigned=cosigned, new=new)


class _Copy:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = TileStore(folder)
        self.held = _held(self.store)

    def check_extends(self, new: Checkpoint, signed: bytes) -> None:
        """Raise unless the new checkpoint may follow the one that is held."""
        held = self.held
        if held.size == 0:
            return
        if new.origin != held.origin:
            raise errors.CheckpointInvalid(
                f"this is a copy of {held.origin}, the checkpoint is of {new.origin}"
            )
        if new.size < held.size:
            raise errors.LogBehind(
                f"the checkpoint covers {new.size} entries, the copy holds {held.size}"
                ": an old one was served, or the log was cut back"
            )
        if new.size == held.size and new.root != held.root:
            raise self._forked(
                f"two signed checkpoints of {new.size} entries have different roots: "
                "the log shows two histories",
                signed,
            )

    def grow(self, cosigned: Cosigned, signed: bytes, bundles: Bundles) -> None:
        """Put the entries up to the new checkpoint in place, once all are verified."""
        waiting = self.folder / ".incoming"
        shutil.rmtree(waiting, ignore_errors=True)
        replay = self._replay()
        try:
            made = self._stage(waiting, replay, cosigned.checkpoint, signed, bundles)
            replay.check_announced(cosigned.log_keys)
            self._put_in_place(made)
        finally:
            shutil.rmtree(waiting, ignore_errors=True)
        state = json.dumps(replay.to_json()).encode()
        durable.replace(self.folder / "replay.json", state)

    def finish(self, new: Checkpoint, signed: bytes, policy: Policy) -> None:
        """Put the checkpoint in place; remove the tiles that full ones replaced."""
        self.store.write_policy(policy.text.encode("utf-8", "surrogateescape"))
        self.store.write_checkpoint(signed)
        self.store.prune(self.held.size, new.size)

    def _stage(
        self,
        waiting: Path,
        replay: Replay,
        new: Checkpoint,
        signed: bytes,
        bundles: Bundles,
    ) -> list[tuple[Tile, Path]]:
        """Write what is new beside the copy; return the tiles, all verified."""
        tiling = self._tiling()
        made: list[tuple[Tile, Path]] = []

        def put(each: Tile, data: bytes) -> None:
            path = waiting / each.path
            path.parent.mkdir(parents=True, exist_ok=True)
            # Not synced: whatever a crash leaves of it is thrown away.
            path.write_bytes(data)
            made.append((each, path))

        start = self.held.size // WIDTH * WIDTH
        wanted = tile.entry_tiles(self.held.size, new.size)
        for bundle, entries in zip(wanted, bundles(start, new.size), strict=True):
            put(bundle, tile.encode_bundle(entries))
            known = self.held.size - bundle.start
            if known > 0:
                self._check_known(bundle, entries, known, signed)
            for data in entries[max(known, 0) :]:
                replay.feed(data)
                for each, content in tiling.append(replay.last_leaf):
                    put(each, content)
        for each, content in tiling.edge():
            put(each, content)
        if (replay.size, tiling.root()) != (new.size, new.root):
            raise self._forked(
                f"the entries behind the {self.held.size} that are held do not lead "
                f"to the signed root of {new.size} entries: the log shows another "
                "history, or the place serves other entries",
                signed,
            )
        return made

    def _put_in_place(self, made: list[tuple[Tile, Path]]) -> None:
        try:
            for each, path in made:
                self.store.write(each, path.read_bytes())
        except errors.TileConflict as error:
            raise errors.CopyDamaged(f"the copy does not hold: {error}") from error

    def _check_known(
        self, bundle: Tile, entries: list[bytes], known: int, signed: bytes
    ) -> None:
        """Compare the entries of a bundle that the copy holds already."""
        ours = Tile(level=ENTRIES, index=bundle.index, width=known)
        if tile.parse_bundle(self.store.read(ours), known) != entries[:known]:
            raise self._forked(
                f"{bundle.path} begins with other entries than the copy holds: the log "
                "shows another history, or the place serves other entries",
                signed,
            )

    def _replay(self) -> Replay:
        """Return the replay of what is held: as written down, or made anew."""
        try:
            text = (self.folder / "replay.json").read_bytes()
            found = Replay.from_json(json.loads(text))
            found.check_root(self.held)
        except (OSError, ValueError, errors.RootMismatch):
            return self._replay_anew()
        return found

    def _replay_anew(self) -> Replay:
        found = Replay()
        try:
            for some in served.bundles(Folder(self.folder), 0, self.held.size):
                for data in some:
                    found.feed(data)
            found.check_root(self.held)
        except errors.VerificationError as error:
            raise errors.CopyDamaged(
                f"the copy in {self.folder} does not hold: {error}"
            ) from error
        return found

    def _tiling(self) -> Tiling:
        place = Folder(self.folder)
        try:
            found = Tiling.resume(
                self.held.size, lambda each: served.read_hashes(place, each)
            )
        except errors.VerificationError as error:
            raise errors.CopyDamaged(
                f"the copy in {self.folder} does not hold: {error}"
            ) from error
        if found.root() != self.held.root:
            raise errors.CopyDamaged(
                f"the newest hash tiles of the copy in {self.folder} do not give the "
                "root of its checkpoint"
            )
        return found

    def _forked(self, message: str, signed: bytes) -> errors.LogForked:
        """Keep the checkpoint as evidence; return the error to raise."""
        name = f"{hashlib.sha256(signed).hexdigest()[:16]}.checkpoint"
        kept = self.folder / "evidence" / name
        durable.write_once(kept, signed)
        return errors.LogForked(f"{message}; the signed checkpoint is kept as {kept}")


def _held(store: TileStore) -> Checkpoint:
    """Return the checkpoint of the copy; of size 0 where there is none yet."""
    data = store.read_checkpoint()
    if data is None:
        return Checkpoint(origin="none", size=0, root=hashing.EMPTY_ROOT)
    try:
        return checkpoint.parse(note.parse(data).text)
    except errors.VerificationError as error:
        raise errors.CopyDamaged(
            f"the checkpoint of the copy is none: {error}"
        ) from error
