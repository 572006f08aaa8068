"""Refuse a body that is too long before any of it is read.

Django writes a form's files to disk as soon as anything looks at the form, and the
comparison of its token, which comes before every view, does. So a body's announced
length is held against a limit first, whoever sends it. The web server hands over no
more bytes than announced, and none of a body that announces no length.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])
_ATTRIBUTE = "body_max_bytes"


def limited_to(size_bytes: int | None) -> Callable[[_View], _View]:
    """Let a view take in longer bodies than others; put it above every decorator.

    None is for a view that looks at the length itself before anything reads the body.
    """

    def mark(view: _View) -> _View:
        setattr(view, _ATTRIBUTE, size_bytes)
        return view

    return mark


class BodyLimitMiddleware:
    """Answer 413 to whatever announces more than its address takes in."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on: the address is not looked up yet."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        """Refuse by the announced length; before the form's token is looked for."""
        limit: int | None = getattr(view, _ATTRIBUTE, settings.BODY_MAX_BYTES)
        try:
            # As Django reads it, which takes no body where this is no number.
            announced = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            return
        if limit is not None and announced > limit:
            raise RequestDataTooBig(f"a body of {announced} bytes, at most {limit}")
