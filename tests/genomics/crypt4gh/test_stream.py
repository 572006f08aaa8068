"""Crypt4GH files, checked against GA4GH's own Python implementation both ways."""

import hashlib
import io
import subprocess
import sys
from pathlib import Path

import crypt4gh.header
import crypt4gh.lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genomics.crypt4gh import keys
from genomics.crypt4gh.segments import PLAIN_BYTES, SEALED_BYTES
from genomics.crypt4gh.stream import Sealed, decrypt_stream, encrypt_stream
from genomics.errors import CryptInvalid, KeyInvalid

HEADER_BYTES = 124  # 16 of envelope and one packet of 108
SIZES = [
    0,
    1,
    PLAIN_BYTES - 1,
    PLAIN_BYTES,
    PLAIN_BYTES + 1,
    2 * PLAIN_BYTES,
    3 * PLAIN_BYTES + 17,
]


class Dribble(io.RawIOBase):
    """A stream that gives less than asked, as a pipe does."""

    def __init__(self, data: bytes, step: int) -> None:
        self._stream = io.BytesIO(data)
        self._step = step

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(min(size, self._step))


def plaintext(size: int) -> bytes:
    return hashlib.shake_128(size.to_bytes(8, "big")).digest(size)


def sealed(plain: bytes, public: bytes) -> tuple[bytes, Sealed]:
    out = io.BytesIO()
    digests = encrypt_stream(io.BytesIO(plain), out, public)
    return out.getvalue(), digests


def opened(cipher: bytes, secret: bytes) -> bytes:
    out = io.BytesIO()
    decrypt_stream(io.BytesIO(cipher), out, secret)
    return out.getvalue()


@pytest.fixture(scope="module")
def pair() -> tuple[bytes, bytes]:
    return keys.generate()


@pytest.mark.parametrize("size", SIZES)
def test_the_ga4gh_tool_opens_what_we_seal(
    size: int, pair: tuple[bytes, bytes]
) -> None:
    secret, public = pair
    cipher, _ = sealed(plaintext(size), public)
    out = io.BytesIO()
    crypt4gh.lib.decrypt([(0, secret, None)], io.BytesIO(cipher), out)
    assert out.getvalue() == plaintext(size)


@pytest.mark.parametrize("size", SIZES)
def test_we_open_what_the_ga4gh_tool_seals(
    size: int, pair: tuple[bytes, bytes]
) -> None:
    secret, public = pair
    writer, _ = keys.generate()
    out = io.BytesIO()
    crypt4gh.lib.encrypt([(0, writer, public)], io.BytesIO(plaintext(size)), out)
    assert opened(out.getvalue(), secret) == plaintext(size)


def test_the_crypt4gh_command_opens_what_we_seal(tmp_path: Path) -> None:
    secret, public = keys.generate()
    key_file = tmp_path / "recipient.sec"
    key_file.write_text(keys.encode_secret_key(secret))
    cipher, _ = sealed(plaintext(100_000), public)
    command = str(Path(sys.executable).with_name("crypt4gh"))
    done = subprocess.run(
        [command, "decrypt", "--sk", str(key_file)],
        input=cipher,
        capture_output=True,
        check=True,
    )
    assert done.stdout == plaintext(100_000)


@pytest.mark.parametrize("size", SIZES)
def test_digests_and_sizes_are_those_of_the_bytes(
    size: int, pair: tuple[bytes, bytes]
) -> None:
    secret, public = pair
    plain = plaintext(size)
    cipher, digests = sealed(plain, public)
    segments = -(-size // PLAIN_BYTES)
    assert digests == Sealed(
        sha256_plain=hashlib.sha256(plain).hexdigest(),
        sha256_cipher=hashlib.sha256(cipher).hexdigest(),
        size_plain=size,
        size_bytes=len(cipher),
        segments=segments,
    )
    assert len(cipher) == HEADER_BYTES + size + segments * 28
    assert decrypt_stream(io.BytesIO(cipher), io.BytesIO(), secret) == digests


@pytest.mark.parametrize("step", [1, 1000, PLAIN_BYTES - 1])
def test_a_short_read_is_not_taken_for_the_end(
    step: int, pair: tuple[bytes, bytes]
) -> None:
    secret, public = pair
    plain = plaintext(2 * PLAIN_BYTES + 5)
    out = io.BytesIO()
    encrypt_stream(Dribble(plain, step), out, public)
    back = io.BytesIO()
    decrypt_stream(Dribble(out.getvalue(), step), back, secret)
    assert back.getvalue() == plain


@settings(deadline=None, max_examples=40)
@given(plain=st.binary(max_size=200), repeat=st.integers(1, 700))
def test_whatever_is_sealed_is_opened(plain: bytes, repeat: int) -> None:
    secret, public = keys.generate()
    cipher, _ = sealed(plain * repeat, public)
    assert opened(cipher, secret) == plain * repeat


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_a_flipped_bit_is_refused(data: st.DataObject) -> None:
    secret, public = keys.generate()
    cipher, _ = sealed(plaintext(3000), public)
    place = data.draw(st.integers(0, len(cipher) - 1))
    changed = bytearray(cipher)
    changed[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CryptInvalid):
        opened(bytes(changed), secret)


@settings(deadline=None, max_examples=100)
@given(size=st.integers(0, HEADER_BYTES + 28 + 2999))
def test_a_file_cut_inside_a_segment_is_refused(size: int) -> None:
    secret, public = keys.generate()
    cipher, _ = sealed(plaintext(3000), public)
    if size == HEADER_BYTES:  # at the segment's edge only the digest can tell
        assert opened(cipher[:size], secret) == b""
        return
    with pytest.raises(CryptInvalid):
        opened(cipher[:size], secret)


def test_a_file_cut_between_segments_shows_in_its_digest(
    pair: tuple[bytes, bytes],
) -> None:
    secret, public = pair
    cipher, digests = sealed(plaintext(3 * PLAIN_BYTES), public)
    cut = decrypt_stream(
        io.BytesIO(cipher[: HEADER_BYTES + 2 * SEALED_BYTES]), io.BytesIO(), secret
    )
    assert (cut.segments, cut.size_plain) == (2, 2 * PLAIN_BYTES)
    assert cut.sha256_plain != digests.sha256_plain
    assert cut.sha256_cipher != digests.sha256_cipher


def test_swapped_segments_show_in_the_digest(pair: tuple[bytes, bytes]) -> None:
    secret, public = pair
    cipher, digests = sealed(plaintext(2 * PLAIN_BYTES), public)
    header, body = cipher[:HEADER_BYTES], cipher[HEADER_BYTES:]
    swapped = header + body[SEALED_BYTES:] + body[:SEALED_BYTES]
    found = decrypt_stream(io.BytesIO(swapped), io.BytesIO(), secret)
    assert found.size_plain == digests.size_plain
    assert found.sha256_plain != digests.sha256_plain


@settings(deadline=None, max_examples=150)
@given(garbage=st.binary(max_size=400), begins_well=st.booleans())
def test_garbage_raises_only_this_rooms_error(
    garbage: bytes, begins_well: bool
) -> None:
    secret, _ = keys.generate()
    magic = b"crypt4gh\x01\0\0\0" if begins_well else b""
    with pytest.raises(CryptInvalid):
        opened(magic + garbage, secret)


def test_another_key_opens_nothing(pair: tuple[bytes, bytes]) -> None:
    cipher, _ = sealed(b"hello", pair[1])
    with pytest.raises(CryptInvalid, match="opens no packet"):
        opened(cipher, keys.generate()[0])


def test_two_files_share_no_key_nonce_or_byte_of_body(
    pair: tuple[bytes, bytes],
) -> None:
    plain = plaintext(2 * PLAIN_BYTES)
    first, _ = sealed(plain, pair[1])
    second, _ = sealed(plain, pair[1])
    assert first[24:56] != second[24:56]  # the writers' keys
    secret = pair[0]
    data_keys = {
        bytes(session)
        for cipher in (first, second)
        for session in crypt4gh.header.deconstruct(
            io.BytesIO(cipher), [(0, secret, None)]
        )[0]
    }
    assert len(data_keys) == 2
    nonces = {
        cipher[at : at + 12]
        for cipher in (first, second)
        for at in (HEADER_BYTES, HEADER_BYTES + SEALED_BYTES)
    }
    assert len(nonces) == 4


def test_a_file_for_two_readers_is_opened_by_each() -> None:
    pairs = [keys.generate() for _ in range(2)]
    writer, _ = keys.generate()
    out = io.BytesIO()
    crypt4gh.lib.encrypt(
        [(0, writer, public) for _, public in pairs], io.BytesIO(b"for both"), out
    )
    assert [opened(out.getvalue(), secret) for secret, _ in pairs] == [b"for both"] * 2


def test_an_edit_list_is_refused(pair: tuple[bytes, bytes]) -> None:
    secret, public = pair
    writer, _ = keys.generate()
    packets = [
        crypt4gh.header.make_packet_data_enc(0, bytes(32)),
        crypt4gh.header.make_packet_data_edit_list([0, 5]),
    ]
    sealed_packets = [
        sealed_packet
        for packet in packets
        for sealed_packet in crypt4gh.header.encrypt(packet, [(0, writer, public)])
    ]
    with pytest.raises(CryptInvalid, match="edit list"):
        opened(crypt4gh.header.serialize(sealed_packets), secret)


def test_a_key_that_everyone_can_open_is_refused() -> None:
    with pytest.raises(KeyInvalid, match="full order"):
        encrypt_stream(io.BytesIO(b"x"), io.BytesIO(), bytes(32))


def test_memory_does_not_grow_with_the_file(pair: tuple[bytes, bytes]) -> None:
    class Endless(io.RawIOBase):
        asked = 0
        left = 400 * PLAIN_BYTES

        def read(self, size: int = -1, /) -> bytes:
            assert 0 < size <= PLAIN_BYTES
            given = min(size, self.left)
            self.left -= given
            return bytes(given)

    class Sink(io.RawIOBase):
        largest = 0

        def write(self, data: object, /) -> int:
            assert isinstance(data, bytes)
            self.largest = max(self.largest, len(data))
            return len(data)

    sink = Sink()
    digests = encrypt_stream(Endless(), sink, pair[1])  # type: ignore[arg-type]  # RawIOBase is no IO[bytes] to mypy
    assert digests.segments == 400
    assert sink.largest == SEALED_BYTES
