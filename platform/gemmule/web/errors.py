"""Error pages that Django asks for by name."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


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
