"""Many readers in one thread, who take what comes and look at none of it."""

import selectors
import socket
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What all of them got, and how long it took."""

    size_bytes: int
    seconds: float

    @property
    def rate(self) -> float:
        """Return megabytes a second, of all readers together."""
        return self.size_bytes / self.seconds / 1e6


def take(port: int, path: str, token: str, *, readers: int, size: int) -> Taken:
    """Download a file of this size in so many connections at once.

    Raises AssertionError when one of them gets another answer than the whole file.
    """
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\n"
        f"Authorization: Token {token}\r\nConnection: close\r\n\r\n"
    ).encode()
    buffer = memoryview(bytearray(1 << 20))
    got: dict[socket.socket, int] = {}
    heads: dict[socket.socket, bytes] = {}
    with selectors.DefaultSelector() as selector:
        start = time.perf_counter()
        for _ in range(readers):
            line = socket.create_connection(("127.0.0.1", port), timeout=60)
            line.sendall(request)
            line.setblocking(False)
            got[line], heads[line] = 0, b""
            selector.register(line, selectors.EVENT_READ, line)
        while selector.get_map():
            for key, _ in selector.select(60):
                line = key.data
                count = line.recv_into(buffer)
                if not count:
                    selector.unregister(line)
                    line.close()
                elif b"\r\n\r\n" in heads[line]:
                    got[line] += count
                else:
                    head, _, rest = (heads[line] + bytes(buffer[:count])).partition(
                        b"\r\n\r\n"
                    )
                    heads[line] = head + b"\r\n\r\n"
                    got[line] += len(rest)
        seconds = time.perf_counter() - start
    for line, head in heads.items():
        assert head.startswith(b"HTTP/1.1 200 "), head[:80]
        assert got[line] == size, f"{got[line]} of {size} bytes"
    return Taken(size_bytes=readers * size, seconds=seconds)
