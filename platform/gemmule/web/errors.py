"""Error pages that Django asks for by name; `gemmule.urls` names them."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.defaults import permission_denied, server_error

__all__ = [
    "bad_request",
    "csrf_failure",
    "page_not_found",
    "permission_denied",
    "server_error",
]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Refuse what could not be read as a request, or was too long to be read."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    # Refused below the pages' frame, which knows neither person nor messages then.
    return HttpResponseBadRequest(render_to_string("unreadable.html"))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that there is nothing here, whatever was looked for."""
    return render(request, "404.html", status=404)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say what to do when a form's token is missing or stale."""
    return render(
        request,
        "403.html",
        {
            "reason": "This page was open too long, or cookies are blocked. "
            "Go back, reload the page and send the form again."
        },
        status=403,
    )
