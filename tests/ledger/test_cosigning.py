"""The client takes nothing from a witness but its signature on this very note."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger import cosigning, errors
from ledger.tlog import cosignature, note
from ledger.tlog.note import SignerKey, VerifierKey
from tests import witnesses
from tests.witnesses import LOG, Serving

OWN = SignerKey(name="w.example/1", seed=bytes(32), algorithm=note.COSIGNATURE)
OTHER = SignerKey(name="w.example/2", seed=bytes([1]) * 32, algorithm=note.COSIGNATURE)


def ask(url: str, key: VerifierKey = OWN.verifier, timeout_s: float = 5) -> str:
    return cosigning.cosign(
        url, key, old_size=0, proof=[], note=LOG.note(5), timeout_s=timeout_s
    )


def line(key: SignerKey, size: int = 5) -> bytes:
    return cosignature.cosign(LOG.head(size).text, key, time=1790000000).encode()


def answer(
    body: bytes, status: bytes = b"200 OK", type: bytes = b"text/plain"
) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        type,
        len(body),
        body,
    )


@contextmanager
def liar(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """Stand where a witness should; `speak` when the request has come."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            request = b""
            while not request.endswith(LOG.note(5)):
                request += connection.recv(65536)
            try:
                speak(connection)
            except OSError:
                pass  # It was hung up on, as it should be.

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            thread.join(timeout=30)
            assert not thread.is_alive()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[tuple[Serving, VerifierKey]]:
    folder = tmp_path / "witness"
    key = witnesses.make(folder)
    with witnesses.serving(folder) as served:
        yield served, key


def test_a_witness_cosigns_what_grows(real: tuple[Serving, VerifierKey]) -> None:
    served, key = real
    first = ask(f"{served.url}/", key)
    then = cosigning.cosign(
        served.url,
        key,
        old_size=5,
        proof=LOG.proof(5, 8),
        note=LOG.note(8),
        timeout_s=5,
    )
    for size, given in ((5, first), (8, then)):
        signature = note.parse_signature(given[:-1])
        assert cosignature.verify(signature, LOG.head(size).text, key) > 1_700_000_000


def test_a_refusal_says_the_status_and_the_size_to_start_from(
    real: tuple[Serving, VerifierKey],
) -> None:
    served, key = real
    ask(served.url, key)
    with pytest.raises(errors.WitnessRefused) as stale:
        cosigning.cosign(
            served.url, key, old_size=4, proof=LOG.proof(4, 8), note=LOG.note(8),
            timeout_s=5,
        )  # fmt: skip
    assert (stale.value.status, stale.value.size) == (409, 5)
    with pytest.raises(errors.WitnessRefused) as missing:
        ask(f"{served.url}/elsewhere", key)
    assert (missing.value.status, missing.value.size) == (404, None)


def test_lines_of_others_are_left_out() -> None:
    body = line(OTHER) + line(OWN)
    with liar(lambda far: far.sendall(answer(body))) as url:
        assert ask(url).encode() == line(OWN)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"all is well\n",
        b"\xff\xfe",
        line(OTHER),
        line(OWN, size=6),
        line(OWN)[:-1],
        line(OWN) + b"\n",
        b"and more\n\n" + line(OWN),
        line(OWN).replace(b"=", b""),
        cosignature.cosign(
            LOG.head(5).text,
            SignerKey(name=OWN.name, seed=bytes([2]) * 32, algorithm=note.COSIGNATURE),
            time=1,
        ).encode(),
    ],
)
def test_an_answer_without_its_cosignature_is_refused(body: bytes) -> None:
    with (
        liar(lambda far: far.sendall(answer(body))) as url,
        pytest.raises(errors.WitnessRefused, match="without its cosignature") as lied,
    ):
        ask(url)
    assert (lied.value.status, lied.value.size) == (200, None)


@pytest.mark.parametrize("at", range(0, 108, 9))
def test_any_changed_byte_of_the_signature_is_refused(at: int) -> None:
    good = line(OWN)
    start = good.index(b" ", good.index(OWN.name.encode())) + 1
    changed = bytearray(good)
    changed[start + at] = ord("A") if changed[start + at] != ord("A") else ord("B")
    with (
        liar(lambda far: far.sendall(answer(bytes(changed)))) as url,
        pytest.raises(errors.WitnessRefused, match="without its cosignature"),
    ):
        ask(url)


@pytest.mark.parametrize(
    ("body", "type"),
    [
        (b"8", b"text/x.tlog.size"),
        (b"08\n", b"text/x.tlog.size"),
        (b"-8\n", b"text/x.tlog.size"),
        (b"\xd9\xa8\n", b"text/x.tlog.size"),
        (b"8\n", b"text/plain"),
    ],
)
def test_a_size_in_another_form_is_none(body: bytes, type: bytes) -> None:
    reply = answer(body, status=b"409 Conflict", type=type)
    with (
        liar(lambda far: far.sendall(reply)) as url,
        pytest.raises(errors.WitnessRefused) as refused,
    ):
        ask(url)
    assert (refused.value.status, refused.value.size) == (409, None)


def test_a_redirection_is_not_followed() -> None:
    reply = b"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n"
    with (
        liar(lambda far: far.sendall(reply)) as url,
        pytest.raises(errors.WitnessRefused) as refused,
    ):
        ask(url)
    assert refused.value.status == 302


# What paces those who send slowly: nothing sets it.
_NEVER = threading.Event()


def _drip_headers(far: socket.socket) -> None:
    far.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        far.sendall(b"X-Slow: y\r\n")
        _NEVER.wait(0.05)


def _drip_body(far: socket.socket) -> None:
    far.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        far.sendall(b"-")
        _NEVER.wait(0.05)


def _say_nothing(far: socket.socket) -> None:
    far.recv(1)


@pytest.mark.parametrize("speak", [_drip_headers, _drip_body, _say_nothing])
def test_a_slow_witness_is_given_up_in_time(
    speak: Callable[[socket.socket], None],
) -> None:
    begun = time.monotonic()
    with (
        liar(speak) as url,
        pytest.raises(
            errors.WitnessUnreachable, match=r"no whole answer within 0\.4 s"
        ),
    ):
        ask(url, timeout_s=0.4)
    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "reply",
    [
        answer(line(OWN) * 1000),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"fff\r\n%s\r\n" % (b"x" * 4095) * 20,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + line(OWN),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
        b"\x00" * 100,
    ],
    ids=["huge", "endless", "chunks", "headers", "short", "ssh", "nothing", "zeros"],
)
def test_what_is_no_bounded_answer_is_as_good_as_none(reply: bytes) -> None:
    with (
        liar(lambda far: far.sendall(reply)) as url,
        pytest.raises(errors.WitnessUnreachable, match=r"w\.example/1"),
    ):
        ask(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "witness.example",
        "ftp://witness.example/",
        "http:///add",
        "http://[::1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:port/",
        "http://user:word@127.0.0.1/",
        "http://127.0.0.1/?a=b",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/\n",
        "http://127.0.0.1:1/",
    ],
)
def test_where_nobody_is_nobody_answers(url: str) -> None:
    with pytest.raises(errors.WitnessUnreachable):
        ask(url)


def test_tls_is_asked_for_and_its_handshake_ends_in_time() -> None:
    seen = []

    def listen(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            seen.append(connection.recv(1))
            while connection.recv(65536):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=listen, args=(listener,))
        thread.start()
        with pytest.raises(errors.WitnessUnreachable, match="no whole answer within"):
            ask(f"https://localhost:{listener.getsockname()[1]}", timeout_s=0.4)
        thread.join(timeout=30)
    # A TLS handshake record, RFC 8446 section 5.1
    assert seen == [b"\x16"]
