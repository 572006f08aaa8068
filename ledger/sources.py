"""Read the files of a log where somebody keeps them: in a folder, or at an address.

An answer is bounded while it is read, and believed by nobody: what it must be is for
`served`. A token is sent to the one host it was given for, never along a redirect.
No Django. Layout of the files: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).
"""

import http.client
import ipaddress
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from ledger import errors

CHECKPOINT = "checkpoint"

_CHUNK = 4 * 1024


class Source(Protocol):
    """Where the files of a log are."""

    @property
    def place(self) -> str:
        """Return how people name the place."""
        ...

    def fetch(self, path: str, *, limit: int) -> bytes:
        """Return the file, of at most `limit` bytes.

        Raises FileNotServed, FileTooLong, SourceForbidden, SourceUnreachable.
        """
        ...


@contextmanager
def at(
    location: str, *, token: str | None = None, timeout_s: float = 30
) -> Iterator[Source]:
    """Open the source that an http(s) address or the path of a folder names."""
    if "://" not in location:
        yield Folder(Path(location))
        return
    web = Web(location, token=token, timeout_s=timeout_s)
    try:
        yield web
    finally:
        web.close()


def read_token(path: Path) -> str:
    """Return the token that a file holds, alone; raise SourceInvalid if none."""
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.SourceInvalid(f"cannot read the token {path}: {error}") from error
    if not token.isalnum():
        raise errors.SourceInvalid(f"{path} must hold one token and nothing else")
    return token


def checked_address(address: str, *, has_token: bool) -> SplitResult:
    """Return the address in its parts; raise SourceInvalid for one not to be used.

    Whoever has a token sends it over https, or to this machine.
    """
    try:
        url = urlsplit(address)
        _ = url.port  # Raises what an impossible port is.
    except ValueError as error:
        raise errors.SourceInvalid(f"not an address: {error}") from error
    if (
        url.scheme not in ("http", "https")
        or not url.hostname
        or url.query
        or url.fragment
        or "@" in url.netloc
        or not address.isascii()
        or not address.isprintable()
        or " " in address
    ):
        raise errors.SourceInvalid(
            "an address is written http(s)://HOST/PATH, without query or password"
        )
    if has_token and url.scheme == "http" and not _is_this_machine(url.hostname):
        raise errors.SourceInvalid(
            "a token is sent over https, or to this machine, and not in the clear"
        )
    return url


class Folder:
    """The files of a log below a folder."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise errors.SourceInvalid(f"{root} is not a folder")
        self._root = root

    @property
    def place(self) -> str:
        """Return the path of the folder."""
        return str(self._root)

    def fetch(self, path: str, *, limit: int) -> bytes:
        """Return the file."""
        try:
            with (self._root / path).open("rb") as file:
                data = file.read(limit + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise errors.FileNotServed(f"{path} is not in {self._root}") from None
        except OSError as error:
            raise errors.SourceUnreachable(f"cannot read {path}: {error}") from error
        _check_length(data, path, limit)
        return data


class Web:
    """The files of a log below an address; one connection, kept open."""

    def __init__(
        self, address: str, *, token: str | None = None, timeout_s: float = 30
    ) -> None:
        self._url = checked_address(address, has_token=token is not None)
        self._token = token
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None

    @property
    def place(self) -> str:
        """Return the address."""
        return self._url.geturl()

    def fetch(self, path: str, *, limit: int) -> bytes:
        """Return the file."""
        deadline = time.monotonic() + self._timeout_s
        try:
            response = self._request(path)
            body = self._read(response, path, limit, deadline)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise errors.SourceUnreachable(
                f"{self.place} does not answer as it should: "
                f"{str(error) or type(error).__name__}"
            ) from error
        except errors.LedgerError:
            self.close()  # The rest of the answer is still under way.
            raise
        if response.getheader("Content-Encoding", "identity") == "gzip":
            return _unzipped(body, path, limit)
        return body

    def _request(self, path: str) -> http.client.HTTPResponse:
        """Return the answer, asked for again where an idle connection had ended."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "gemmule"}
        if self._token is not None:
            headers["Authorization"] = f"Token {self._token}"
        target = f"{self._url.path.rstrip('/')}/{path}"
        is_new = self._connection is None
        connection = self._connection = self._connection or self._connect()
        try:
            connection.request("GET", target, headers=headers)
            return connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine):
            if is_new:
                raise
            self.close()
            return self._request(path)

    def _connect(self) -> http.client.HTTPConnection:
        kind = (
            http.client.HTTPSConnection
            if self._url.scheme == "https"
            else http.client.HTTPConnection
        )
        assert self._url.hostname is not None, "the address was checked"
        return kind(self._url.hostname, self._url.port, timeout=self._timeout_s)

    def _read(
        self,
        response: http.client.HTTPResponse,
        path: str,
        limit: int,
        deadline: float,
    ) -> bytes:
        status = response.status
        if status in (401, 403):
            raise errors.SourceForbidden(
                f"{self.place} gives {path} only to those it knows (status {status})"
            )
        if status in (404, 410):
            raise errors.FileNotServed(f"{path} is not at {self.place}")
        if status != 200:
            raise errors.SourceUnreachable(
                f"{self.place} answers {path} with status {status}"
            )
        data = bytearray()
        while chunk := response.read(_CHUNK):
            data += chunk
            _check_length(data, path, limit)
            # Each wait is bounded by the connection; this bounds their sum.
            if time.monotonic() > deadline:
                raise errors.SourceUnreachable(f"{self.place} is too slow with {path}")
        if response.length:
            raise errors.SourceUnreachable(f"{self.place} breaks off within {path}")
        return bytes(data)

    def close(self) -> None:
        """End the connection; the next file opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _check_length(data: bytes | bytearray, path: str, limit: int) -> None:
    if len(data) > limit:
        raise errors.FileTooLong(f"{path} has more than {limit} bytes")


def _unzipped(data: bytes, path: str, limit: int) -> bytes:
    # tlog-tiles lets a log compress entry bundles without being asked.
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(data, limit + 1)
    except zlib.error as error:
        raise errors.SourceUnreachable(f"{path} does not unzip: {error}") from error
    _check_length(plain, path, limit)
    return plain
