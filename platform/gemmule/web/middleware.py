"""Turn the rooms' domain errors into pages, once, so that views need not.

Not found and not allowed look alike to a stranger.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from gemmule.accounts.errors import AccountsError, NotAllowed, NotFound


class DomainErrorMiddleware:
    """Answer 403 and 404 for the errors of `gemmule.accounts.errors`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the rest of the chain."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Return the page for a refusal; anything else is a defect and stays one."""
        if isinstance(exception, NotFound):
            return render(request, "404.html", status=404)
        if isinstance(exception, NotAllowed):
            return render(request, "403.html", {"reason": str(exception)}, status=403)
        if isinstance(exception, AccountsError):
            return render(request, "400.html", {"reason": str(exception)}, status=400)
        return None
