"""A person with a browser, as far as HTTP goes: cookies, pages, forms, redirects.

Only the standard library, so that the demo's own journey leans on nothing that the
product does not ship. What the person does is the business of `once`.
"""

import http.client
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any, cast
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

_TIMEOUT_S = 120
_READ_BYTES = 256 * 1024
Values = Mapping[str, str | Sequence[str]]


class PageFailed(Exception):
    """A page did not answer as the journey needs; the message says where."""


@dataclass(slots=True)
class Form:
    """One form of a page, with what it would send if nothing was filled in."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that was opened: where, what it says, its forms."""

    url: str
    status: int
    text: str
    forms: tuple[Form, ...]


class Visitor:
    """One person's session with the site at `base`."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._jar = CookieJar()
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(self._jar))

    def open(self, path: str) -> Page:
        """Return the page, wherever redirects lead."""
        return self._page(Request(urljoin(self.base, path)))  # noqa: S310 - our own site

    def send(self, page: Page, values: Values, *, having: str) -> Page:
        """Fill in and send the page's form that has the field `having`."""
        form = next((form for form in page.forms if having in form.names), None)
        if form is None:
            raise PageFailed(f"{page.url} has no form with the field {having!r}")
        return self._send(page, form, values)

    def go_on(self, page: Page, values: Values) -> Page:
        """Send the page's own form with whichever of `values` it has fields for.

        Signing out, which every page offers, is not going on.
        """
        own = [form for form in page.forms if "logout" not in form.action]
        if not own:
            raise PageFailed(f"{page.url} asks nothing")
        form = next((one for one in own if one.names & values.keys()), own[0])
        return self._send(
            page, form, {name: values[name] for name in form.names & values.keys()}
        )

    def _send(self, page: Page, form: Form, values: Values) -> Page:
        kept = [(name, value) for name, value in form.fields if name not in values]
        for name, value in values.items():
            many = [value] if isinstance(value, str) else list(value)
            kept.extend((name, one) for one in many)
        request = Request(  # noqa: S310 - the address is the site's own
            urljoin(page.url, form.action),
            data=urlencode(kept).encode(),
            headers={"Referer": page.url},
        )
        return self._page(request)

    def sign_in(self, email: str, password: str) -> Page:
        """Sign in by password and return the page that follows."""
        page = self.send(
            self.open("/account/login/"),
            {"login": email, "password": password},
            having="login",
        )
        if "/account/login" in page.url:
            raise PageFailed(f"{email} could not sign in")
        return page

    def fetch(self, address: str) -> bytes:
        """Return the bytes of a small file that a page offers."""
        request = Request(urljoin(self.base, address))  # noqa: S310 - our own site
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                content: bytes = answer.read()
        except HTTPError as error:
            raise PageFailed(f"{address} answered {error.code}") from error
        return content

    def _page(self, request: Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=_TIMEOUT_S)
        except HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode("utf-8", "replace")
            url, status = answer.geturl(), answer.status
        if status >= 500:
            raise PageFailed(f"{url} answered {status}")
        parser = _Forms(url)
        parser.feed(text)
        return Page(url=url, status=status, text=text, forms=tuple(parser.forms))


class ApiClient:
    """A researcher's script: a token and JSON."""

    def __init__(self, base: str, token: str) -> None:
        self._base = base
        self._token = token

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON of a resource."""
        return self._json("GET", path, None)

    def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, key: str = ""
    ) -> dict[str, Any]:
        """Create a resource; with `key`, at most once."""
        return self._json("POST", path, body or {}, {"Idempotency-Key": key})

    def read(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Message, Iterator[bytes]]:
        """Return status, headers and the body in pieces, whatever the status."""
        answer: http.client.HTTPResponse | HTTPError
        try:
            answer = self._open("GET", path, None, headers or {})
        except HTTPError as error:
            answer = error
        return answer.status or 0, answer.headers, _pieces(answer)

    def _json(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        try:
            with self._open(method, path, body, headers or {}) as answer:
                found: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            detail = error.read().decode("utf-8", "replace")
            raise PageFailed(f"{method} {path}: {error.code} {detail}") from error
        return found

    def _open(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        request = Request(  # noqa: S310 - the address is the site's own
            urljoin(self._base, path),
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Token {self._token}",
                "Content-Type": "application/json",
                **{name: value for name, value in headers.items() if value},
            },
        )
        opened = build_opener().open(request, timeout=_TIMEOUT_S)
        return cast("http.client.HTTPResponse", opened)


def _pieces(answer: http.client.HTTPResponse | HTTPError) -> Iterator[bytes]:
    with answer:
        while piece := answer.read(_READ_BYTES):
            yield piece


class _Forms(HTMLParser):
    """Collect forms and what they would send unfilled."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._url = url
        self._open: Form | None = None
        self._select = ""
        self._is_multiple = False
        self._options: list[tuple[str, bool]] = []
        self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(
                action=found.get("action") or self._url,
                method=found.get("method", "get").lower(),
            )
            self.forms.append(self._open)
        form = self._open
        if form is None:
            return
        name = found.get("name", "")
        if name:
            form.names.add(name)
        if tag == "select":
            self._select, self._is_multiple = name, "multiple" in found
            self._options = []
        elif tag == "option":
            self._options.append((found.get("value", ""), "selected" in found))
        elif tag == "textarea":
            self._textarea = name
        elif tag == "input" and name and "disabled" not in found:
            kind = found.get("type", "text")
            is_chosen = "checked" in found or kind not in {"checkbox", "radio"}
            if is_chosen and kind not in {"submit", "image", "file"}:
                form.fields.append((name, found.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._textarea and self._open is not None:
            self._open.fields.append((self._textarea, data))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "select" and self._open is not None:
            chosen = [value for value, is_chosen in self._options if is_chosen]
            if not chosen and not self._is_multiple:
                # One is always chosen: the first, where none is marked.
                chosen = [value for value, _ in self._options[:1]]
            self._open.fields.extend((self._select, value) for value in chosen)
        elif tag == "textarea":
            self._textarea = ""
