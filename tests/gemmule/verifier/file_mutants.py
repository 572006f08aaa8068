"""Change a file of a release in every way one can think of.

Each is checked with the recipient's secret key and without: the digest in the manifest
alone tells that something was changed, the key what.
"""

import io
import random
from collections.abc import Callable, Iterator

from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from gemmule.verifier import errors
from gemmule.verifier.files import HEADER_BYTES
from genomics.crypt4gh import header, keys
from genomics.crypt4gh.segments import SEALED_BYTES
from genomics.crypt4gh.stream import decrypt_stream
from tests.gemmule.verifier.handed_out import HandedOut
from tests.gemmule.verifier.mutants import Mutant, flipped


def parts(file: bytes) -> tuple[bytes, list[bytes]]:
    """Return the header and the segments of a file."""
    body = file[HEADER_BYTES:]
    starts = range(0, len(body), SEALED_BYTES)
    return file[:HEADER_BYTES], [body[at : at + SEALED_BYTES] for at in starts]


def _file(
    handed: HandedOut,
    what: str,
    file: bytes,
    with_key: type[Exception],
    without: type[Exception],
) -> Iterator[Mutant]:
    """Yield a changed file twice: checked with the secret key, and without."""
    yield Mutant(
        what=f"{what}, with the key",
        given={"file": file, "secret": handed.secret},
        reasons=(with_key,),
    )
    yield Mutant(what=what, given={"file": file}, reasons=(without,))


def flips_in_the_header(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    for place in range(HEADER_BYTES):
        file = flipped(handed.one.file, place, chance.randrange(8))
        # Magic, version, number and length of packets and their method stand open.
        seen = errors.HeaderChanged if place < 24 else errors.FileChanged
        yield from _file(
            handed, f"byte {place} of the header", file, errors.HeaderChanged, seen
        )


def flips_in_the_segments(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    for _ in range(150):
        place = chance.randrange(HEADER_BYTES, len(handed.one.file))
        file = flipped(handed.one.file, place, chance.randrange(8))
        yield from _file(
            handed, f"byte {place}", file, errors.SegmentForged, errors.FileChanged
        )


def cut_off(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    size = len(handed.one.file)
    edges = list(range(HEADER_BYTES, size, SEALED_BYTES))
    near = [edge + by for edge in edges for by in (-1, 1, 12, 28, 29)]
    ends = {0, 1, size - 1, *edges, *near, *(chance.randrange(size) for _ in range(60))}
    for end in sorted(one for one in ends if one < size):
        file = handed.one.file[:end]
        reason = errors.FileTruncated
        yield from _file(handed, f"only {end} bytes", file, reason, reason)


def added_to(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    reason = errors.FileExtended
    head, own = parts(handed.one.file)
    _, foreign = parts(handed.other.file)
    for size in (1, 27, 28, 29, 1000, SEALED_BYTES - 1, SEALED_BYTES, 200_000):
        file = handed.one.file + chance.randbytes(size)
        yield from _file(handed, f"{size} bytes more", file, reason, reason)
    for what, more in (("own", own), ("foreign", foreign)):
        for number, segment in enumerate(more):
            file = handed.one.file + segment
            yield from _file(
                handed, f"{what} segment {number} behind", file, reason, reason
            )
    whole = handed.one.file + handed.other.file
    yield from _file(handed, "another file behind", whole, reason, reason)
    for number, segment in enumerate(own[:-1]):
        for at in range(len(own)):
            file = head + b"".join([*own[:at], segment, *own[at:]])
            yield from _file(
                handed, f"segment {number} once more at {at}", file, reason, reason
            )


def moved(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    head, own = parts(handed.one.file)
    full = range(len(own) - 1)
    for one in full:
        for other in full:
            if one < other:
                swapped = own.copy()
                swapped[one], swapped[other] = own[other], own[one]
                yield from _file(
                    handed,
                    f"segments {one} and {other} swapped",
                    head + b"".join(swapped),
                    errors.SegmentsMoved,
                    errors.FileChanged,
                )
            if one != other:
                put = own.copy()
                put[one] = own[other]
                yield from _file(
                    handed,
                    f"segment {other} in the place of {one}",
                    head + b"".join(put),
                    errors.SegmentsMoved,
                    errors.FileChanged,
                )
    for number in range(len(own)):
        file = head + b"".join([*own[:number], *own[number + 1 :]])
        reason = errors.FileTruncated
        yield from _file(handed, f"without segment {number}", file, reason, reason)


def spliced(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    """Yield segments of another release for the same key, put in and between."""
    head, own = parts(handed.one.file)
    _, foreign = parts(handed.other.file)
    for at in range(len(own) - 1):
        put = [*own[:at], foreign[0], *own[at + 1 :]]
        yield from _file(
            handed,
            f"a foreign segment in the place of {at}",
            head + b"".join(put),
            errors.SegmentForged,
            errors.FileChanged,
        )
        between = [*own[:at], foreign[0], *own[at:]]
        yield from _file(
            handed,
            f"a foreign segment before {at}",
            head + b"".join(between),
            errors.SegmentForged,
            errors.FileExtended,
        )
    mixed = b"".join([*foreign[:1], *own[1:]])
    yield from _file(
        handed,
        "a foreign beginning",
        head + mixed,
        errors.SegmentForged,
        errors.FileChanged,
    )


def other_headers(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    head, own = parts(handed.one.file)
    body = b"".join(own)
    (data_key,) = header.read_header(_Bytes(head), handed.secret)
    public = keys.public_of(handed.secret)
    thief = X25519PrivateKey.generate()
    stolen = header.write_header(data_key, thief.public_key().public_bytes_raw()) + body
    broken, changed = errors.HeaderChanged, errors.FileChanged
    yield from _file(handed, "for a thief", stolen, broken, changed)
    yield Mutant(
        what="for a thief, with the thief's key",
        given={"file": stolen, "secret": thief.private_bytes_raw()},
        reasons=(errors.KeyWrong,),
    )
    anew = header.write_header(data_key, public) + body
    yield from _file(
        handed, "written anew", anew, errors.FileChanged, errors.FileChanged
    )
    other_key = header.write_header(bytes(32), public) + body
    yield from _file(
        handed, "with another data key", other_key, broken, errors.FileChanged
    )
    others = parts(handed.other.file)[0] + body
    yield from _file(handed, "of another release", others, broken, changed)
    packet = head[16:]
    two = head[:12] + (2).to_bytes(4, "little") + packet + packet + body
    yield from _file(handed, "with two packets", two, broken, broken)
    edited = _with_edit_list(head, public) + body
    yield from _file(handed, "with an edit list", edited, broken, broken)
    yield from _file(handed, "without a packet", head[:16] + body, broken, broken)


def other_files(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    one, other = handed.one, handed.other
    for what, name, file in (
        ("another release's", other.name, other.file),
        ("another release's index", other.index_name, other.index),
        ("a stranger", "notes.txt", b"nothing of this"),
        ("an empty stranger", "empty", b""),
    ):
        yield Mutant(
            what=what,
            given={"name": name, "file": file},
            reasons=(errors.FileNotNamed,),
        )
    short = errors.FileTruncated
    yield from _file(handed, "another's under this name", other.file, short, short)
    misnamed = errors.FileMisnamed
    yield from _file(handed, "the index's bytes", one.index, misnamed, misnamed)


def flips_in_the_only_segment(
    handed: HandedOut, chance: random.Random
) -> Iterator[Mutant]:
    """The segment or the key in the header: of a single one it cannot be told which."""
    one = handed.one
    for _ in range(20):
        place = chance.randrange(HEADER_BYTES, len(one.index))
        file = flipped(one.index, place, chance.randrange(8))
        given = {"name": one.index_name, "file": file, "secret": handed.secret}
        yield Mutant(
            what=f"byte {place} of the index",
            given=given,
            reasons=(errors.FileChanged,),
        )


def opened(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    plain = io.BytesIO()
    decrypt_stream(io.BytesIO(handed.one.file), plain, handed.secret)
    name = handed.one.name.removesuffix(".c4gh")
    yield Mutant(
        what="what is inside, opened",
        given={"name": name, "file": plain.getvalue()},
        reasons=(errors.FileNotNamed,),
    )


def keys_of_others(handed: HandedOut, chance: random.Random) -> Iterator[Mutant]:
    for number in range(20):
        secret = X25519PrivateKey.generate().private_bytes_raw()
        yield Mutant(
            what=f"stranger {number}",
            given={"secret": secret},
            reasons=(errors.KeyWrong,),
        )


KINDS: tuple[Callable[[HandedOut, random.Random], Iterator[Mutant]], ...] = (
    flips_in_the_header,
    flips_in_the_segments,
    cut_off,
    added_to,
    moved,
    spliced,
    other_headers,
    other_files,
    flips_in_the_only_segment,
    opened,
    keys_of_others,
)


def _with_edit_list(head: bytes, public: bytes) -> bytes:
    """Return the header with a second packet, an edit list, for the same reader."""
    writer = X25519PrivateKey.generate()
    mine = writer.public_key().public_bytes_raw()
    exchanged = writer.exchange(X25519PublicKey.from_public_bytes(public))
    shared = header._session_key(exchanged, public, mine)
    edits = (1).to_bytes(4, "little") + (1).to_bytes(4, "little") + bytes(8)
    sealed = ChaCha20Poly1305(shared).encrypt(bytes(12), edits, None)
    packet = bytes(4) + mine + bytes(12) + sealed
    length = (len(packet) + 4).to_bytes(4, "little")
    return head[:12] + (2).to_bytes(4, "little") + head[16:] + length + packet


class _Bytes:
    """Bytes to be read from their beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int, /) -> bytes:
        taken, self._data = self._data[:size], self._data[size:]
        return taken
