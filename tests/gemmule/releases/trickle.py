"""The far side of a network at its worst: an answer that begins and never ends."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def trickling(size_bytes: int) -> Iterator[tuple[str, threading.Event]]:
    """Serve one byte in a while of every range asked for, until the event is set.

    Yield address and event. No read times out, for each brings something.
    """
    finish = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(
            target=_serve, args=(server, size_bytes, finish), daemon=True
        ).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", finish
        finish.set()


def _serve(server: socket.socket, size_bytes: int, finish: threading.Event) -> None:
    with contextlib.suppress(OSError):
        connection, _ = server.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(
                b"HTTP/1.1 206 Partial Content\r\n"
                b"Content-Length: %d\r\nContent-Range: bytes 0-%d/%d\r\n\r\n"
                % (size_bytes, size_bytes - 1, size_bytes)
            )
            sent = 0
            while not finish.wait(0.1):
                connection.sendall(b"x")
                sent += 1
            connection.sendall(b"x" * (size_bytes - sent))
            # Until the reader has it all and hangs up.
            connection.recv(1)
