"""Answer small HTTP requests, in threads, with a bound on their size, number and time.

The paths and what they answer are left to the callers; witness and notary share this,
and the status that each error has in tlog-witness (https://c2sp.org/tlog-witness).
A reverse proxy may stand before it, but need not. No Django.
"""

import os
import signal
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import FrameType
from typing import Any

from ledger import errors

# 63 lines of proof and a note with 16 signatures of 5 kB each fit in.
MAX_BODY_BYTES = 128 * 1024
MAX_CONNECTIONS = 64
BODY_TIMEOUT_S = 10.0
# Of a connection without any request, and of a whole request.
IDLE_TIMEOUT_S = 30.0

SIZE_TYPE = "text/x.tlog.size"
_STATUS: dict[type[errors.LedgerError], HTTPStatus] = {
    errors.SubmissionInvalid: HTTPStatus.BAD_REQUEST,
    errors.LogUntrusted: HTTPStatus.FORBIDDEN,
    errors.LogUnknown: HTTPStatus.NOT_FOUND,
    errors.HistoryRewritten: HTTPStatus.UNPROCESSABLE_ENTITY,
}
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n"
)
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, text and type of an answer."""

    status: int
    text: str
    content_type: str = _TEXT


# By path and method. What is called gets the body, and may run in many threads.
Routes = Mapping[str, Mapping[str, Callable[[bytes], Answer]]]


def serve(
    listener: socket.socket, routes: Routes, *, announce: Callable[[], None]
) -> None:
    """Answer until SIGTERM or SIGINT; requests begun by then are answered.

    `announce` is called when the signals are handled and the socket listens.
    """
    with _Server(listener, routes) as server:

        def stop(number: int, frame: FrameType | None) -> None:
            # shutdown() waits for the loop, which runs in this very thread.
            threading.Thread(target=server.shutdown).start()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        announce()
        server.serve_forever(poll_interval=0.2)
        server.hang_up()


def listen(address: str) -> socket.socket:
    """Return a listening socket for `HOST:PORT`, `[IPV6]:PORT` or `fd://NUMBER`.

    The last is a socket that listens already and was inherited.
    """
    if address.startswith("fd://"):
        return socket.socket(fileno=int(address.removeprefix("fd://")))
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"an address is HOST:PORT, {address!r} came")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, int(port)), family=family, backlog=128)


def listen_unix(path: Path, *, group_id: int | None) -> socket.socket:
    """Return a socket at `path` that its owner, and the group if given, may use.

    Takes the place of a socket nobody listens on; the caller keeps a second one away.
    """
    if path.is_socket():
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Nobody may connect between bind and chmod.
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    if group_id is not None:
        os.chown(path, -1, group_id)
        path.chmod(0o660)
    listener.listen(128)
    return listener


class _Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    def __init__(self, listener: socket.socket, routes: Routes) -> None:
        socketserver.BaseServer.__init__(self, listener.getsockname(), _Handler)
        self.socket = listener
        self.routes = routes
        self._deadlines: dict[socket.socket, float] = {}
        self._busy: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.is_ending = False

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            is_full = len(self._deadlines) >= MAX_CONNECTIONS
            if not is_full:
                self._deadlines[request] = time.monotonic() + IDLE_TIMEOUT_S
        if is_full:
            request.setblocking(False)
            try:
                request.sendall(_BUSY)
            except OSError:
                pass  # It is gone, which is as well.
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def grant(self, request: socket.socket) -> None:
        """Give the connection time for one more request."""
        with self._lock:
            self._busy.discard(request)
            self._deadlines[request] = time.monotonic() + IDLE_TIMEOUT_S

    def begin(self, request: socket.socket) -> None:
        """Note that a request has begun, which is to be answered."""
        with self._lock:
            self._busy.add(request)

    def service_actions(self) -> None:
        """Cut off who sends a byte now and then to hold a connection for ever."""
        now = time.monotonic()
        with self._lock:
            late = [each for each, end in self._deadlines.items() if end < now]
        for request in late:
            _shut(request, socket.SHUT_RDWR)

    def hang_up(self) -> None:
        """Take no further request from those connected; answer what was asked."""
        with self._lock:
            self.is_ending = True
            idle = [each for each in self._deadlines if each not in self._busy]
        for request in idle:
            _shut(request, socket.SHUT_RD)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._deadlines.pop(request, None)
            self._busy.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if isinstance(sys.exception(), OSError):
            return  # The other side went away.
        super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "gemmule", ""
    error_message_format = "%(message)s\n"
    error_content_type = _TEXT
    timeout = IDLE_TIMEOUT_S
    # Head and body leave together: the second of two small packets would wait 40 ms
    # for the acknowledgement of the first.
    wbufsize = -1

    def handle_expect_100(self) -> bool:
        goes_on = super().handle_expect_100()
        self.wfile.flush()
        return goes_on

    def handle_one_request(self) -> None:
        self.server.grant(self.connection)
        if self.server.is_ending:
            self.close_connection = True
            return
        super().handle_one_request()

    def do_GET(self) -> None:
        self._respond()

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET

    def address_string(self) -> str:
        # A Unix socket has no address.
        return str(next(iter(self.client_address), "local"))

    def log_message(self, format: str, *args: Any) -> None:
        super().log_message("%s", format % args)
        sys.stderr.flush()

    def _respond(self) -> None:
        self.server.begin(self.connection)
        body = self._read_body()
        if isinstance(body, Answer):
            # Where the next request starts is not known.
            self.close_connection = True
            self._send(body)
            return
        if self.path not in self.server.routes:
            self._send(Answer(status=HTTPStatus.NOT_FOUND, text="no such path\n"))
            return
        methods = self.server.routes[self.path]
        answer = methods.get("GET" if self.command == "HEAD" else self.command)
        if answer is None:
            allowed = ", ".join(sorted(methods))
            refused = Answer(
                status=HTTPStatus.METHOD_NOT_ALLOWED, text=f"use {allowed}\n"
            )
            self._send(refused, allowed=allowed)
            return
        self._send(self._asked(answer, body))

    def _asked(self, answer: Callable[[bytes], Answer], body: bytes) -> Answer:
        try:
            return answer(body)
        except errors.LedgerError as error:
            self.log_error("refused: %s", error)
            return _refusal(error)
        except OSError as error:
            # The disk, as a rule: nothing was remembered, so nothing was signed.
            self.log_error("cannot answer: %s", error)
            return Answer(
                status=HTTPStatus.INTERNAL_SERVER_ERROR,
                text="the state cannot be kept, so nothing is signed\n",
            )

    def _read_body(self) -> bytes | Answer:
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or (
            not lengths and self.command in ("POST", "PUT", "PATCH")
        ):
            return Answer(
                status=HTTPStatus.LENGTH_REQUIRED,
                text="a body needs a Content-Length\n",
            )
        if not lengths:
            return b""
        text = lengths[0]
        if len(lengths) > 1 or not (text.isascii() and text.isdecimal()):
            return Answer(
                status=HTTPStatus.BAD_REQUEST,
                text="Content-Length must be one plain number\n",
            )
        if len(text) > 18 or int(text) > MAX_BODY_BYTES:
            return Answer(
                status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                text=f"a body has at most {MAX_BODY_BYTES} bytes\n",
            )
        try:
            return self._receive(int(text))
        except TimeoutError:
            return Answer(
                status=HTTPStatus.REQUEST_TIMEOUT,
                text=f"the body did not come within {BODY_TIMEOUT_S:g} s\n",
            )

    def _receive(self, length: int) -> bytes | Answer:
        deadline = time.monotonic() + BODY_TIMEOUT_S
        body = bytearray()
        while len(body) < length:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.connection.settimeout(left)
            chunk = self.rfile.read1(length - len(body))
            if not chunk:
                return Answer(
                    status=HTTPStatus.BAD_REQUEST, text="the body ended early\n"
                )
            body += chunk
        self.connection.settimeout(self.timeout)
        return bytes(body)

    def _send(self, answer: Answer, *, allowed: str = "") -> None:
        content = answer.text.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if allowed:
            self.send_header("Allow", allowed)
        if self.server.is_ending:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _refusal(error: errors.LedgerError) -> Answer:
    """Return the status of tlog-witness for an error, and its words."""
    if isinstance(error, errors.OldSizeStale | errors.RootForked):
        return Answer(
            status=HTTPStatus.CONFLICT, text=f"{error.size}\n", content_type=SIZE_TYPE
        )
    # What is not the asker's fault: the memory was lost.
    status = _STATUS.get(type(error), HTTPStatus.SERVICE_UNAVAILABLE)
    return Answer(status=status, text=f"{error}\n")


def _shut(request: socket.socket, how: int) -> None:
    try:
        request.shutdown(how)
    except OSError:
        pass  # It is closed already.
