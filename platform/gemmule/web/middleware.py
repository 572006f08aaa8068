"""Turn the rooms' domain errors into pages, once, so that views need not.

Not found and not allowed look alike to a stranger. The API words the same errors as
problem+json itself (`gemmule.api.problems`).
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from consent.errors import (
    ConsentError,
    ConsentNotFound,
    EventReused,
    FormNotCurrent,
    FormNotFound,
    StateRefused,
)
from gemmule.access.errors import RequestStateError
from gemmule.accounts.errors import AccountsError, NotAllowed, NotFound
from gemmule.audit.errors import NotYetPublished
from gemmule.catalog.errors import DatasetStateError
from gemmule.objects.kept import StorageAway
from gemmule.releases.errors import (
    DeliveryRefused,
    NotYetOnLedger,
    RangeInvalid,
    ReleasesHeld,
    ReleaseStateError,
)

# Most specific first: the first class that fits decides. A missing reason is not
# told: whether the thing exists is part of it.
_PAGES: tuple[tuple[type[Exception], int, str], ...] = (
    (NotFound, 404, "404.html"),
    (NotAllowed, 403, "403.html"),
    (NotYetOnLedger, 503, "delivery_refused.html"),
    (ReleasesHeld, 503, "delivery_refused.html"),
    (NotYetPublished, 503, "400.html"),
    (StorageAway, 503, "400.html"),
    (DeliveryRefused, 403, "delivery_refused.html"),
    (RangeInvalid, 416, "400.html"),
    (DatasetStateError, 409, "400.html"),
    (RequestStateError, 409, "400.html"),
    (ReleaseStateError, 409, "400.html"),
    (StateRefused, 409, "400.html"),
    (ConsentNotFound, 409, "400.html"),
    (EventReused, 409, "400.html"),
    (FormNotCurrent, 409, "400.html"),
    (FormNotFound, 503, "400.html"),
    (AccountsError, 400, "400.html"),
    (ConsentError, 400, "400.html"),
)


class DomainErrorMiddleware:
    """Answer a domain error with the page of its kind."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        """Return 404 for an address with a NUL, which PostgreSQL refuses to look up."""
        if any("\x00" in value for value in kwargs.values() if isinstance(value, str)):
            return render(request, "404.html", status=404)
        return None

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Return the page for a refusal; anything else is a defect and stays one."""
        for class_, status, template in _PAGES:
            if isinstance(exception, class_):
                answer = render(
                    request,
                    template,
                    {"reason": _sentence(exception), "refusal": exception},
                    status=status,
                )
                if isinstance(
                    exception, NotYetOnLedger | NotYetPublished | StorageAway
                ):
                    answer["Retry-After"] = "2"
                if isinstance(exception, ReleasesHeld):
                    answer["Retry-After"] = str(exception.retry_after_s)
                if isinstance(exception, RangeInvalid):
                    answer["Content-Range"] = f"bytes */{exception.size_bytes}"
                return answer
        return None


def _sentence(error: Exception) -> str:
    """Return the error's message as a sentence.

    >>> _sentence(ValueError("expected one, got two"))
    'Expected one, got two.'
    """
    text = str(error)
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
