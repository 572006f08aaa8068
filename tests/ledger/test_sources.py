"""A log is read from a folder or an address, within bounds."""

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ledger import errors, sources

Answer = tuple[int, dict[str, str], bytes]


class Server:
    """A server on this machine that answers from a table and notes what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.connections = 0
        self.hang_up_after = False
        noted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                noted.connections += 1

            def do_GET(self) -> None:
                noted.asked.append((self.path, self.headers["Authorization"]))
                status, headers, body = noted.answers.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {
                    "Content-Length": str(len(body)),
                    **headers,
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                # Without a word, as a server does with a connection left idle.
                self.close_connection = noted.hang_up_after

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/ledger"
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def open_at(location: str, *, token: str | None = None) -> None:
    """Name a source, and ask it for nothing."""
    with sources.at(location, token=token):
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def open_web(server: Server) -> Iterator[Callable[..., sources.Web]]:
    opened = []

    def open_it(**options: str) -> sources.Web:
        opened.append(sources.Web(server.address, timeout_s=5, **options))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()


def test_a_location_names_a_folder_or_an_address(tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(b"text")
    with sources.at(str(tmp_path)) as folder:
        assert folder.fetch("checkpoint", limit=4) == b"text"
        assert folder.place == str(tmp_path)
    with sources.at("http://localhost/ledger") as web:
        assert web.place == "http://localhost/ledger"
    with pytest.raises(errors.SourceInvalid, match="is not a folder"):
        open_at(str(tmp_path / "none"))


def test_a_connection_is_closed_with_its_source(server: Server) -> None:
    server.answers["/ledger/checkpoint"] = (200, {}, b"text")
    with sources.at(server.address) as web:
        web.fetch("checkpoint", limit=4)
        assert isinstance(web, sources.Web) and web._connection is not None
    assert web._connection is None


def test_a_file_of_a_folder_is_bounded_and_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "tile").mkdir()
    (tmp_path / "long").write_bytes(b"12345")
    folder = sources.Folder(tmp_path)
    with pytest.raises(errors.FileTooLong, match="long has more than 4 bytes"):
        folder.fetch("long", limit=4)
    for missing in ("tile", "tile/0/000", "long/000"):
        with pytest.raises(errors.FileNotServed, match=missing):
            folder.fetch(missing, limit=4)


def test_files_come_over_one_connection(
    server: Server, open_web: Callable[..., sources.Web]
) -> None:
    server.answers["/ledger/checkpoint"] = (200, {}, b"text")
    server.answers["/ledger/tile/0/000"] = (200, {}, bytes(8192))
    web = open_web()
    assert web.fetch("checkpoint", limit=100) == b"text"
    assert web.fetch("tile/0/000", limit=8192) == bytes(8192)
    assert server.connections == 1
    assert server.asked[0] == ("/ledger/checkpoint", None)


def test_a_connection_that_ended_while_idle_is_opened_again(
    server: Server, open_web: Callable[..., sources.Web]
) -> None:
    server.answers["/ledger/checkpoint"] = (200, {}, b"text")
    server.hang_up_after = True
    web = open_web()
    for _ in range(3):
        assert web.fetch("checkpoint", limit=100) == b"text"
    assert server.connections == 3


def test_a_token_goes_along_as_the_api_takes_it(
    server: Server, open_web: Callable[..., sources.Web]
) -> None:
    server.answers["/ledger/checkpoint"] = (200, {}, b"text")
    open_web(token="abc123").fetch("checkpoint", limit=100)
    assert server.asked == [("/ledger/checkpoint", "Token abc123")]


def test_a_redirect_is_not_followed(
    server: Server, open_web: Callable[..., sources.Web]
) -> None:
    elsewhere = {"Location": f"{server.address}/policy"}
    server.answers["/ledger/checkpoint"] = (302, elsewhere, b"")
    with pytest.raises(errors.SourceUnreachable, match="status 302"):
        open_web(token="abc123").fetch("checkpoint", limit=100)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ((401, {}, b"who?"), errors.SourceForbidden),
        ((403, {}, b"no"), errors.SourceForbidden),
        ((404, {}, b"none"), errors.FileNotServed),
        ((410, {}, b"gone"), errors.FileNotServed),
        ((500, {}, b"oh"), errors.SourceUnreachable),
        ((503, {}, b"later"), errors.SourceUnreachable),
        ((206, {}, b"some"), errors.SourceUnreachable),
        ((200, {}, b"12345"), errors.FileTooLong),
        ((200, {"Content-Encoding": "gzip"}, b"1234"), errors.SourceUnreachable),
    ],
)
def test_another_answer_is_an_error_and_the_next_file_still_comes(
    server: Server,
    open_web: Callable[..., sources.Web],
    answer: Answer,
    refused: type[errors.LedgerError],
) -> None:
    server.answers["/ledger/checkpoint"] = answer
    server.answers["/ledger/policy"] = (200, {}, b"text")
    web = open_web()
    with pytest.raises(refused, match="checkpoint"):
        web.fetch("checkpoint", limit=4)
    assert web.fetch("policy", limit=4) == b"text"


def test_a_zipped_answer_is_bounded_when_unzipped(
    server: Server, open_web: Callable[..., sources.Web]
) -> None:
    zipped = gzip.compress(bytes(100_000))
    server.answers["/ledger/b"] = (200, {"Content-Encoding": "gzip"}, zipped)
    assert open_web().fetch("b", limit=100_000) == bytes(100_000)
    with pytest.raises(errors.FileTooLong):
        open_web().fetch("b", limit=99_999)


def test_an_answer_that_breaks_off_is_no_file(
    server: Server, open_web: Callable[..., sources.Web]
) -> None:
    server.answers["/ledger/b"] = (200, {"Content-Length": "10"}, b"12345")
    server.hang_up_after = True
    with pytest.raises(errors.SourceUnreachable):
        open_web().fetch("b", limit=100)


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(errors.SourceUnreachable, match="does not answer"):
        sources.Web(f"http://127.0.0.1:{port}").fetch("checkpoint", limit=100)


def test_a_server_that_drips_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers["/ledger/b"] = (200, {}, bytes(200_000))
    monkeypatch.setattr(sources, "_CHUNK", 1024)
    web = sources.Web(server.address, timeout_s=0.0001)
    # The bound on the sum, apart from the one on each wait.
    web._connection = web._connect()
    web._connection.timeout = 5
    with pytest.raises(errors.SourceUnreachable, match="is too slow with b"):
        web.fetch("b", limit=200_000)
    web.close()


@pytest.mark.parametrize(
    "address",
    [
        "ftp://example.org/ledger",
        "file:///etc",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org/?a=b",
        "https://example.org/#a",
        "https://example.org/a b",
        "https://example.org/a\nb",
        "https://example.org/\N{LATIN SMALL LETTER E WITH ACUTE}",
        "https://example.org:port/",
        "https://[::1/",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(errors.SourceInvalid) as refused:
        open_at(address)
    assert "secret" not in str(refused.value)


def test_a_token_is_never_sent_in_the_clear_to_another_machine() -> None:
    with pytest.raises(errors.SourceInvalid, match="not in the clear"):
        open_at("http://example.org/ledger", token="abc123")
    for fine in ("https://example.org", "http://localhost:1", "http://[::1]:1/"):
        open_at(fine, token="abc123")


def test_a_token_file_holds_one_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc123\n")
    assert sources.read_token(file) == "abc123"
    for wrong in (b"", b"two words", b"a\nb", b"\xff"):
        file.write_bytes(wrong)
        with pytest.raises(errors.SourceInvalid, match="token"):
            sources.read_token(file)
    with pytest.raises(errors.SourceInvalid, match="cannot read the token"):
        sources.read_token(tmp_path / "none")
