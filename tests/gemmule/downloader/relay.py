"""A line between a reader and a site, on which a test can hold the bytes back."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator


class Relay:
    """Passes connections on; holds a file's bytes back after `hold_after` of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._free = threading.Event()
        self._held = threading.Event()
        self._threads: list[threading.Thread] = []
        self.hold_after: int | None = None
        # The heads of all requests, in order.
        self.heads: list[bytes] = []
        self.url = f"http://localhost:{self._listener.getsockname()[1]}"

    def hold(self, after: int) -> None:
        """Hold back what follows this many bytes of the next file."""
        self._free.clear()
        self._held.clear()
        self.hold_after = after

    def wait_until_held(self) -> None:
        """Wait until a file has come that far."""
        assert self._held.wait(60), "no file came so far"

    def let_go(self) -> None:
        """Let everything pass."""
        self.hold_after = None
        self._free.set()

    def run(self) -> None:
        """Accept until closed."""
        self._listener.settimeout(0.05)
        while not self._closing.is_set():
            try:
                near, _ = self._listener.accept()
            except TimeoutError:
                continue
            one = threading.Thread(target=self._pass, args=[near])
            one.start()
            self._threads.append(one)

    def close(self) -> None:
        """End every connection."""
        self._closing.set()
        self.let_go()

    def join(self) -> None:
        """Wait for their ends."""
        for one in self._threads:
            one.join()
        self._listener.close()

    def _pass(self, near: socket.socket) -> None:
        with near, contextlib.suppress(ConnectionError):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := near.recv(4096)):
                    return
                head += piece
            self.heads.append(head)
            with socket.socket() as far:
                # So little that the site is still sending.
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
                far.connect(("127.0.0.1", self._port))
                far.sendall(head)
                self._back(far, near, is_file=b"/files/" in head.split(b"\r\n")[0])

    def _back(self, far: socket.socket, near: socket.socket, *, is_file: bool) -> None:
        passed = 0
        while not self._closing.is_set():
            # A reader who was killed is seen even while the site is silent.
            ready, _, _ = select.select([far, near], [], [], 0.05)
            if near in ready:
                return
            if far not in ready:
                continue
            if is_file and self.hold_after is not None and passed >= self.hold_after:
                self._held.set()
                self._free.wait(60)
                is_file = False
            piece = far.recv(8192)
            if not piece:
                return
            near.sendall(piece)
            passed += len(piece)


@contextlib.contextmanager
def before(port: int) -> Iterator[Relay]:
    """Run a relay before the site on this port."""
    made = Relay(port)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.close()
        thread.join()
        made.join()
