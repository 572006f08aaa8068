"""Cut the tree and the entries into tiles, and read the tree back from tiles.

Where tiles are kept is left to the caller, who passes a function that reads them.
Source: C2SP tlog-tiles (https://c2sp.org/tlog-tiles), tiles of height 8.

A hash tile holds up to 256 hashes of one level, the next tile level is 8 levels of the
tree higher; an entry bundle holds the entries under one tile of level 0. The tree of
70,000 leaves ends in these tiles, `.p/` followed by the width where it is not 256:

    tile/0/273.p/112   tile/1/001.p/17   tile/2/000.p/1   tile/entries/273.p/112
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ledger import errors
from ledger.tlog.hashing import HASH_BYTES, perfect_root

HEIGHT = 8
WIDTH = 1 << HEIGHT
# The level that stands for entry bundles.
ENTRIES = -1
MAX_LEVEL = 63
# Bundles prefix each entry with its length in two bytes.
MAX_ENTRY_BYTES = 2**16 - 1

_LENGTH_BYTES = 2
# `x001/x234/067` is 1234067. Seven groups are more than 64 bits can count.
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)"
    r"/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Which tile: its level, its place among those of the level, how wide it is."""

    level: int
    index: int
    width: int

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= MAX_LEVEL:
            raise errors.TileInvalid(f"a tile level is within 0 and {MAX_LEVEL}")
        if not 0 <= self.index < 1 << 64:
            raise errors.TileInvalid("a tile has an index of 64 bits")
        if not 1 <= self.width <= WIDTH:
            raise errors.TileInvalid(f"a tile is 1 to {WIDTH} wide, not {self.width}")

    @classmethod
    def from_path(cls, text: str) -> "Tile":
        """Return the tile of a path; raise TileInvalid unless it is its exact path.

        >>> Tile.from_path("tile/entries/x001/234.p/5")
        Tile(level=-1, index=1234, width=5)
        """
        match = _PATH.fullmatch(text)
        if match is None:
            raise errors.TileInvalid(
                "a tile's path is tile/<level>/<index>[.p/<width>]"
            )
        tile = cls(
            level=ENTRIES if match["level"] == "entries" else int(match["level"]),
            index=int(match["index"].replace("x", "").replace("/", "")),
            width=int(match["width"] or WIDTH),
        )
        # A second name for one tile: leading groups of zeros, or `.p/256`.
        if tile.path != text:
            raise errors.TileInvalid(f"the path of this tile is {tile.path}")
        return tile

    @property
    def path(self) -> str:
        """Return where the tile is found under a log's address.

        >>> Tile(level=0, index=1234067, width=256).path
        'tile/0/x001/x234/067'
        """
        groups = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            groups.append(f"x{rest % 1000:03}")
            rest //= 1000
        level = "entries" if self.level == ENTRIES else self.level
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{level}/{'/'.join(reversed(groups))}{partial}"

    @property
    def full(self) -> "Tile":
        """Return the tile that takes the place of this one when it is full."""
        return Tile(level=self.level, index=self.index, width=WIDTH)

    @property
    def start(self) -> int:
        """Return the number, within its level, of the tile's first hash or entry."""
        return self.index * WIDTH

    @property
    def end(self) -> int:
        """Return the number of the first hash or entry behind the tile."""
        return self.start + self.width


def hash_tiles(old_size: int, new_size: int) -> Iterator[Tile]:
    """Yield the hash tiles that a tree growing from old to new size writes.

    These are all that hold more hashes than before, partial ones at the right edge
    included; level by level, from the leaves.
    """
    level = 0
    # floor(size / 256^level) hashes stand on a level, tlog-tiles, "Partial Tiles"
    while new_size:
        yield from _grown(level, old_size, new_size)
        level, old_size, new_size = level + 1, old_size >> HEIGHT, new_size >> HEIGHT


def entry_tiles(old_size: int, new_size: int) -> Iterator[Tile]:
    """Yield the entry bundles that a tree growing from old to new size writes."""
    return _grown(ENTRIES, old_size, new_size)


class TileTree:
    """The perfect subtrees of the tree of `size` leaves, read from its tiles.

    `read` returns the bytes of a tile, and raises FileNotServed for one that is not
    there: a partial tile may be gone once the full one is. A proof reads at most two
    tiles on each of the log256(size) levels. What was read is kept for the next proof.

    Nothing here tells true hashes from false ones: a proof made of false hashes does
    not lead to the root.
    """

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self.size = size
        self._read = read
        self._hashes: dict[tuple[int, int], bytes] = {}
        self._tiles: dict[tuple[int, int], bytes] = {}

    def __call__(self, level: int, index: int) -> bytes:
        """Return the hash of the leaves [index << level, (index + 1) << level)."""
        if level < 0 or not 0 <= index < self.size >> level:
            raise ValueError(
                f"subtree {index} of level {level} is not in {self.size} leaves"
            )
        return self._subtree(level, index)

    def _subtree(self, level: int, index: int) -> bytes:
        found = self._hashes.get((level, index))
        if found is None:
            tile_level, height = divmod(level, HEIGHT)
            number, place = divmod(index << height, WIDTH)
            data = self._tiles.get((tile_level, number))
            if data is None:
                data = self._read_tile(tile_level, number)
                self._tiles[tile_level, number] = data
            start = place * HASH_BYTES
            found = perfect_root(data[start : start + (HASH_BYTES << height)])
            self._hashes[level, index] = found
        return found

    def _read_tile(self, level: int, index: int) -> bytes:
        count = self.size >> level * HEIGHT
        width = min(WIDTH, count - index * WIDTH)
        tile = Tile(level=level, index=index, width=width)
        try:
            data = self._read(tile)
        except errors.FileNotServed:
            if width == WIDTH:
                raise
            tile = tile.full
            data = self._read(tile)
        if len(data) != tile.width * HASH_BYTES:
            raise errors.TileInvalid(
                f"{tile.path} has {tile.width * HASH_BYTES} bytes, {len(data)} came"
            )
        return data


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bytes of an entry bundle: each entry after its length.

    >>> encode_bundle([b"", b"two"]).hex(" ")
    '00 00 00 03 74 77 6f'
    """
    if not 1 <= len(entries) <= WIDTH:
        raise errors.TileInvalid(f"a bundle holds 1 to {WIDTH} entries")
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise errors.TileInvalid(f"an entry has at most {MAX_ENTRY_BYTES} bytes")
    return b"".join(
        len(entry).to_bytes(_LENGTH_BYTES, "big") + entry for entry in entries
    )


def parse_bundle(data: bytes, width: int) -> list[bytes]:
    """Return the `width` entries of a bundle; raise TileInvalid if it holds others."""
    entries = []
    at = 0
    while at < len(data):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[start - _LENGTH_BYTES : start], "big")
        entries.append(data[start:at])
    if at != len(data):
        raise errors.TileInvalid("a bundle ends within an entry")
    if len(entries) != width:
        raise errors.TileInvalid(f"a bundle of {width} entries holds {len(entries)}")
    return entries


def _grown(level: int, old_count: int, new_count: int) -> Iterator[Tile]:
    """Yield the tiles of a level that hold more at the new count than at the old."""
    if new_count <= old_count:
        return
    for index in range(old_count // WIDTH, (new_count - 1) // WIDTH + 1):
        yield Tile(
            level=level, index=index, width=min(WIDTH, new_count - index * WIDTH)
        )
