"""Ask a site for a release over HTTP, and word what it answers.

The token goes to the one host it was given for: no redirect is followed, and it stands
in no message. How often to ask again is left to `patience`.
"""

import email.utils
import http.client
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlsplit

from gemmule.downloader.errors import (
    Broken,
    NotReady,
    ReleaseChanged,
    SiteInvalid,
    SiteRefuses,
)
from gemmule.verifier import words
from ledger import sources

READ_BYTES = 256 * 1024
_PROBLEM_BYTES = 64 * 1024
_PROBLEM_TYPE = "application/problem+json"
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


@dataclass(slots=True)
class Body:
    """The bytes of a file from `start` on, as they come."""

    start: int
    left: int
    response: http.client.HTTPResponse

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes; raise Broken when it ends before it should."""
        while self.left:
            try:
                piece = self.response.read1(min(READ_BYTES, self.left))
            except (OSError, http.client.HTTPException) as error:
                raise Broken(f"the connection broke: {_why(error)}") from error
            if not piece:
                raise Broken("the site ended the connection within the file")
            self.left -= len(piece)
            yield piece


class Site:
    """The API of a site, for the holder of a token."""

    def __init__(self, address: str, token: str, *, timeout_s: float = 60) -> None:
        self._url = sources.checked_address(address, has_token=True)
        self._token = token
        self._timeout_s = timeout_s

    def read(self, path: str, *, limit: int) -> bytes:
        """Return an answer of at most `limit` bytes."""
        with self._open(path, {}) as response:
            if response.status != HTTPStatus.OK:
                raise SiteInvalid(f"the site answers with status {response.status}")
            try:
                data = response.read(limit + 1)
                is_whole = not response.length or len(data) > limit
            except (OSError, http.client.HTTPException) as error:
                raise Broken(f"the connection broke: {_why(error)}") from error
        if not is_whole:
            raise Broken("the site ended the connection within its answer")
        if len(data) > limit:
            raise SiteInvalid(f"the site answers with more than {limit} bytes")
        return data

    def read_json(self, path: str, *, limit: int = 1 << 20) -> dict[str, Any]:
        """Return an answer that is a JSON object."""
        try:
            found = json.loads(self.read(path, limit=limit))
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SiteInvalid("what answers there is not the API of a site")
        return found

    @contextmanager
    def stream(
        self, path: str, *, start: int, size: int, sha256: str
    ) -> Iterator[Body]:
        """Open a file of this size and SHA-256 from `start` on.

        It begins at 0 where the site, or what stands before it, knows no ranges.
        Raises ReleaseChanged when the site's file is another one.
        """
        etag = f'"{sha256}"'
        asked = {"Range": f"bytes={start}-", "If-Range": etag} if start else {}
        with self._open(path, asked) as response:
            if response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                raise ReleaseChanged
            if response.getheader("ETag") != etag:
                raise ReleaseChanged
            begin = 0
            if response.status == HTTPStatus.PARTIAL_CONTENT:
                found = _RANGE.fullmatch(response.getheader("Content-Range", ""))
                if found is None or [*map(int, found.groups())] != [
                    *(start, size - 1, size)
                ]:
                    raise SiteInvalid("the site answers with another range than asked")
                begin = start
            elif response.status != HTTPStatus.OK:
                raise SiteInvalid(f"the site answers with status {response.status}")
            if response.length not in (None, size - begin):
                raise ReleaseChanged
            yield Body(start=begin, left=size - begin, response=response)

    @contextmanager
    def _open(
        self, path: str, headers: Mapping[str, str]
    ) -> Iterator[http.client.HTTPResponse]:
        """Send a request; raise what anything but content or a range means."""
        is_secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if is_secure else http.client.HTTPConnection
        assert self._url.hostname is not None, "the address was checked"
        connection = kind(self._url.hostname, self._url.port, timeout=self._timeout_s)
        try:
            try:
                connection.request(
                    "GET",
                    f"{self._url.path.rstrip('/')}{path}",
                    headers={
                        "Accept": "application/json, */*",
                        "Accept-Encoding": "identity",
                        "Authorization": f"Token {self._token}",
                        "Connection": "close",
                        "User-Agent": "gemmule",
                        **headers,
                    },
                )
                response = connection.getresponse()
            except ssl.SSLCertVerificationError as error:
                raise SiteInvalid(
                    f"the site {self._url.hostname} does not prove that it is itself: "
                    f"{error.verify_message}"
                ) from error
            except (OSError, http.client.HTTPException) as error:
                raise Broken(
                    f"the site {self._url.netloc} does not answer: {_why(error)}"
                ) from error
            self._check(response)
            yield response
        finally:
            connection.close()

    def _check(self, response: http.client.HTTPResponse) -> None:
        status = response.status
        if status < 300 or status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if response.getheader("Content-Encoding", "identity") != "identity":
                raise SiteInvalid("what stands before the site changes its answers")
            return
        if status < 400:
            self._redirected(response.getheader("Location", ""))
        _refuse(status, _problem(response), response.getheader("Retry-After"))

    def _redirected(self, location: str) -> NoReturn:
        """Say where the site is now, as far as that is for people to read."""
        try:
            there = urlsplit(location)
            named = f"{there.scheme}://{there.netloc}" if there.netloc else "elsewhere"
        except ValueError:
            named = "elsewhere"
        raise SiteInvalid(
            f"the site {self._url.netloc} sends us to {words.shown(named[:200])}: "
            "the token is for the host it was given for alone. If that is where the "
            "site is now, give it as --server"
        )


def _refuse(status: int, problem: Mapping[str, str], after: str | None) -> NoReturn:
    """Raise what an answer with an error means, in the site's own words."""
    code = problem.get("code", "")
    said = ". ".join(
        problem[name].rstrip(".") for name in ("title", "detail") if problem.get(name)
    )
    successor = problem.get("successor", "")
    if successor:
        said += f". Next: gemmule download {successor} with the same options"
    if status == HTTPStatus.UNAUTHORIZED:
        raise SiteRefuses(
            "the site does not know this token: make a new one on your account page "
            "and keep it, alone, in the token's file",
            code=code or "not-authenticated",
        )
    if status == HTTPStatus.NOT_FOUND:
        raise SiteRefuses(
            f"{said or 'there is nothing at this address'} (is the accession right, "
            "and the token that of the recipient?)",
            code=code or "not-found",
        )
    if status == HTTPStatus.CONFLICT:
        raise NotReady(said or "the release is not sealed yet")
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS) or (
        status >= 500
    ):
        raise Broken(said or f"the site answers with status {status}", wait_s=_s(after))
    raise SiteRefuses(said or f"the site refuses with status {status}", code=code)


def _problem(response: http.client.HTTPResponse) -> dict[str, str]:
    """Return the members of problem+json (RFC 9457) that are texts."""
    if not response.getheader("Content-Type", "").startswith(_PROBLEM_TYPE):
        return {}
    try:
        found = json.loads(response.read(_PROBLEM_BYTES))
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {
        name: words.shown(value)
        for name, value in found.items()
        if isinstance(value, str)
    }


def _s(after: str | None) -> float | None:
    """Return the seconds of Retry-After, which may be a date (RFC 9110, 10.2.3)."""
    if after is None:
        return None
    if after.isascii() and after.isdigit() and len(after) < 9:
        return float(after)
    try:
        until = email.utils.parsedate_to_datetime(after)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _why(error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return words.shown(str(reason)[:200])
