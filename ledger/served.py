"""Check a whole log as somebody serves it: checkpoint, hash tiles and entries.

Everything is read once, in order, and held no longer than a bundle of 256 entries, so
that memory does not grow with the log. Where files come from is in `sources`, what an
entry must be in `verify`. No Django.
Layout: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ledger import errors
from ledger.sources import CHECKPOINT, Source
from ledger.tiling import Made, Tiling
from ledger.tlog import checkpoint, entry, note, tile
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.hashing import HASH_BYTES, LeafHash
from ledger.tlog.policy import Cosigned, Policy
from ledger.tlog.tile import ENTRIES, WIDTH, Tile
from ledger.verify import Replay


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A log that holds together, and what of it could be read."""

    cosigned: Cosigned
    # The replay of all entries; None where the place shows only their hashes.
    replay: Replay | None


def check(source: Source, policy: Policy, *, since: Checkpoint | None = None) -> Served:
    """Check the log from its first entry to its checkpoint.

    `since` is a checkpoint kept from before, its signature checked by the caller (see
    `open_kept`): the log must have grown from it. Where the place gives entries only
    to those it knows, the tree is checked from the hashes of its leaves instead.

    Raises what Policy.check raises, the ReplayError of the first place that does not
    hold, FileNotServed, FileTooLong, TileInvalid, SourceUnreachable.
    """
    cosigned = policy.check(source.fetch(CHECKPOINT, limit=note.MAX_BYTES))
    signed = cosigned.checkpoint
    _check_not_shorter(signed, since)
    replay: Replay | None = None
    try:
        replay = _check_entries(source, signed, since)
    except errors.SourceForbidden:
        _check_hashes(source, signed, since)
    if replay is not None:
        replay.check_announced(cosigned.log_keys)
    return Served(cosigned=cosigned, replay=replay)


def open_kept(data: bytes, policy: Policy) -> Checkpoint:
    """Return a checkpoint that somebody kept, which a log of the policy signed.

    The cosignatures it bears are not asked for: what the log signed binds the log.
    """
    signed = note.parse(data)
    found = checkpoint.parse(signed.text)
    note.verify(signed, [key for key in policy.logs if key.name == found.origin])
    return found


def bundles(source: Source, start: int, size: int) -> Iterator[list[bytes]]:
    """Yield the entries start..size-1 of a log of `size` entries, 256 at a time.

    `start` is the first entry of a bundle. Nothing is checked but the form.
    """
    assert start % WIDTH == 0, "entries come by the bundle"
    for wanted in tile.entry_tiles(start, size):
        data, width = _fetch(source, wanted)
        try:
            yield tile.parse_bundle(data, width)[: wanted.width]
        except errors.TileInvalid as error:
            raise errors.TileInvalid(f"{wanted.path}: {error}") from error


def read_hashes(source: Source, wanted: Tile) -> bytes:
    """Return the bytes of a hash tile: 32 for each hash. Only the length is checked."""
    data, width = _fetch(source, wanted)
    if len(data) != width * HASH_BYTES:
        raise errors.TileInvalid(
            f"{wanted.path} must have {width} hashes of {HASH_BYTES} bytes, "
            f"{len(data)} bytes came"
        )
    return data[: wanted.width * HASH_BYTES]


def _fetch(source: Source, wanted: Tile) -> tuple[bytes, int]:
    """Return a tile and its width, or the full tile that has taken its place."""
    each = 2 + entry.MAX_BYTES if wanted.level == ENTRIES else HASH_BYTES
    try:
        return source.fetch(wanted.path, limit=wanted.width * each), wanted.width
    except errors.FileNotServed:
        if wanted.width == WIDTH:
            raise
    # "MAY delete any partial tile once the corresponding full tile is available"
    try:
        return source.fetch(wanted.full.path, limit=WIDTH * each), WIDTH
    except errors.FileNotServed:
        raise errors.FileNotServed(f"{wanted.path} is not at {source.place}") from None


def _check_entries(
    source: Source, signed: Checkpoint, since: Checkpoint | None
) -> Replay:
    replay, tiling = Replay(), Tiling()
    _check_head(tiling, since)
    for some in bundles(source, 0, signed.size):
        for data in some:
            replay.feed(data)
            full = tiling.append(replay.last_leaf)
            _check_head(tiling, since)
            _check_tiles(source, full)
    _check_tiles(source, tiling.edge())
    _check_head(tiling, signed)
    return replay


def _check_hashes(source: Source, signed: Checkpoint, since: Checkpoint | None) -> None:
    tiling = Tiling()
    _check_head(tiling, since)
    for wanted in tile.hash_tiles(0, signed.size):
        if wanted.level:
            break  # Those above are compared with what the leaves give.
        data = read_hashes(source, wanted)
        for at in range(0, len(data), HASH_BYTES):
            full = tiling.append(LeafHash(data[at : at + HASH_BYTES]))
            _check_head(tiling, since)
            _check_tiles(source, full[1:])
    _check_tiles(source, [made for made in tiling.edge() if made[0].level])
    _check_head(tiling, signed)


def _check_tiles(source: Source, made: list[Made]) -> None:
    for expected, data in made:
        if read_hashes(source, expected) != data:
            raise errors.TileMismatch(
                f"{expected.path} does not hold the hashes of the entries below it",
                seq=expected.index * WIDTH ** (expected.level + 1),
            )


def _check_head(tiling: Tiling, head: Checkpoint | None) -> None:
    """Raise RootMismatch where the log is as long as `head` and is not what it says."""
    if head is None or tiling.size != head.size:
        return
    if tiling.root() != head.root:
        raise errors.RootMismatch(
            f"the first {head.size} entries do not give the signed root: the log was "
            "rewritten after it was signed",
            seq=head.size,
        )


def _check_not_shorter(signed: Checkpoint, since: Checkpoint | None) -> None:
    if since is None:
        return
    if since.origin != signed.origin:
        raise errors.CheckpointInvalid(
            f"the checkpoint from before is of {since.origin}, this log is "
            f"{signed.origin}"
        )
    if signed.size < since.size:
        raise errors.TailMissing(
            f"the log had {since.size} entries before and shows {signed.size} now: its "
            "tail was cut off, or an old copy of it is served",
            seq=signed.size,
        )
