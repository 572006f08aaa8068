"""Make one HTTP request that ends in time and whose answer has a bounded size.

What is asked and what the answer means is left to the callers. No Django.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_CHUNK_BYTES = 64 * 1024


class Unreachable(Exception):
    """There was no answer: no connection, no time left, too much, or no HTTP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    content_type: str
    body: bytes


def to_url(url: str, *, timeout_s: float) -> tuple[http.client.HTTPConnection, str]:
    """Return a connection, not opened yet, to the host of an address, and the path.

    The path has no slash at its end. Raises Unreachable for what is no http address.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise Unreachable(f"not an address: {error}") from error
    if not host or parts.query or parts.fragment or parts.username is not None:
        raise Unreachable("an address is http(s)://HOST[:PORT][/PATH]")
    path = parts.path.rstrip("/")
    try:
        if parts.scheme == "https":
            return _HTTPS(host, port, timeout=timeout_s), path
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout_s), path
    except http.client.InvalidURL as error:
        raise Unreachable(f"not an address: {error}") from error
    raise Unreachable("an address starts with http:// or https://")


def to_socket(path: Path, *, timeout_s: float) -> http.client.HTTPConnection:
    """Return a connection, not opened yet, to a Unix socket."""
    return _Unix(path, timeout=timeout_s)


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    *,
    timeout_s: float,
    max_bytes: int,
) -> Reply:
    """Send one request, return the answer, close; raise Unreachable without one.

    `timeout_s` bounds the whole exchange once the connection stands: a far side that
    sends a byte now and then is cut off as well.
    """
    try:
        connection.connect()
        with _cut_off(connection.sock, timeout_s):
            if isinstance(connection.sock, ssl.SSLSocket):
                connection.sock.do_handshake()
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = _read(answer, max_bytes)
    except (OSError, http.client.HTTPException, UnicodeError, ValueError) as error:
        raise Unreachable(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    return Reply(
        status=answer.status,
        content_type=answer.headers.get_content_type(),
        body=content,
    )


def _read(answer: http.client.HTTPResponse, max_bytes: int) -> bytes:
    content = bytearray()
    # A connection that is cut off ends a body of known length early: read tells.
    while chunk := answer.read(_CHUNK_BYTES):
        content += chunk
        if len(content) > max_bytes:
            raise Unreachable(f"the answer has more than {max_bytes} bytes")
    if answer.length:
        raise Unreachable("the answer ended early")
    return bytes(content)


@contextmanager
def _cut_off(sock: socket.socket, timeout_s: float) -> Iterator[None]:
    """End the connection at the deadline, whatever is being waited for."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        try:
            # Of the socket itself: that of TLS would forget its state under a reader.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        except OSError:
            pass  # It is closed already.

    deadline = time.monotonic() + timeout_s
    timer = threading.Timer(timeout_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if late.is_set() or time.monotonic() > deadline:
            raise Unreachable(f"no whole answer within {timeout_s:g} s")


class _HTTPS(http.client.HTTPSConnection):
    """TLS whose handshake is left to the exchange, which limits its time."""

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = ssl.create_default_context().wrap_socket(
            self.sock, server_hostname=self.host, do_handshake_on_connect=False
        )


class _Unix(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
