"""Examine the files that others read against a replay: tiles, bundles, checkpoint.

Part of an inspection of the whole ledger. Tiles beyond the checkpoint in place are
nobody's business yet.
"""

from ledger import errors
from ledger.heads import HeadExaminer, Note
from ledger.models import PolicyVersion
from ledger.tiles import TileStore, head_of
from ledger.tiling import Tiling
from ledger.tlog import tile
from ledger.tlog.hashing import LeafHash
from ledger.tlog.tile import ENTRIES, WIDTH, Tile
from ledger.verify import Replay


class FileExaminer:
    """Follows the replay up to the checkpoint that is in place."""

    def __init__(self, note: Note, store: TileStore, heads: HeadExaminer) -> None:
        self._note = note
        self._store = store
        self._heads = heads
        self._tiling = Tiling()
        self._bundle: list[bytes] = []
        # Read once: beside a publisher, another may be in place the next moment.
        self._data = store.read_checkpoint()
        self._head = head_of(self._data)

    @property
    def size(self) -> int:
        """Return how many entries the checkpoint in place covers."""
        return self._head.size if self._head else 0

    def feed(self, data: bytes, leaf: LeafHash, replay: Replay) -> None:
        """Examine what the next entry completes."""
        if self._tiling.size >= self.size:
            return
        full = self._tiling.append(leaf)
        self._bundle.append(data)
        for made in full:
            self._compare(*made)
        if self._tiling.size == self.size:
            self._end(replay)
        elif len(self._bundle) == WIDTH:
            self._compare_bundle()

    def finish(
        self, *, published: int, policy: PolicyVersion | None, entries: int
    ) -> None:
        """Compare how far the files go with how far the rows go."""
        if self._head is None:
            if self._data is not None:
                self._note("file", "the checkpoint in place is none", seq=None)
            elif published:
                self._note(
                    "file-missing",
                    f"{published} entries are published, no checkpoint is in place",
                    seq=published,
                )
            return
        if self.size < published:
            self._note(
                "file-older",
                f"the checkpoint in place covers {self.size} entries, {published} are "
                "published: an old copy of the files was put back",
                seq=self.size,
            )
        if self.size > published:
            self._note(
                "file-newer",
                f"the checkpoint in place covers {self.size} entries, the tables hold "
                f"one of {published} and {entries} entries: a publication was cut "
                "short, or the tables went back",
                seq=self.size,
            )
        if self.size != published or policy is None:
            return
        if self._store.read_policy() != bytes(policy.text):
            self._note(
                "policy",
                "the policy that others read is not the one of the last checkpoint",
                seq=None,
            )

    def _end(self, replay: Replay) -> None:
        self._compare_bundle()
        for made in self._tiling.edge():
            self._compare(*made)
        assert self._data is not None, "it was read as a checkpoint"
        try:
            signed = self._heads.opened(self._data, replay)
        except errors.VerificationError as error:
            self._note("file", f"the checkpoint in place: {error}", seq=self.size)
            return
        self._heads.check_root(signed, replay, "file")

    def _compare_bundle(self) -> None:
        index = (self._tiling.size - 1) // WIDTH
        wanted = Tile(level=ENTRIES, index=index, width=len(self._bundle))
        self._compare(wanted, tile.encode_bundle(self._bundle))
        self._bundle.clear()

    def _compare(self, wanted: Tile, expected: bytes) -> None:
        first = wanted.start * WIDTH ** max(wanted.level, 0)
        try:
            data = self._read(wanted, len(expected))
        except errors.FileNotServed as error:
            self._note("tile-missing", str(error), seq=first)
            return
        if data != expected:
            self._note(
                "tile",
                f"{wanted.path} does not hold what the entries give",
                seq=first,
            )

    def _read(self, wanted: Tile, length: int) -> bytes:
        try:
            return self._store.read(wanted)
        except errors.FileNotServed:
            if wanted.width == WIDTH:
                raise
        # The full tile has taken its place, and begins as it did.
        return self._store.read(wanted.full)[:length]
