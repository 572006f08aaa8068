"""Problem+json where Django itself answers, outside of any view of the API.

The pages' words for the same are in `gemmule.web.errors`; `gemmule.urls` chooses.
None tells what went wrong inside: that is for the log.
"""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse

from gemmule.api import problems


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Refuse what could not be read as a request, or was too long to be read."""
    if isinstance(exception, RequestDataTooBig):
        return _problem(413, "too-large", "The body is longer than is taken in here.")
    return _problem(400, "bad-request", "This could not be read as a request.")


def permission_denied(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Refuse what a part below the views does not allow."""
    return _problem(403, "not-allowed", "This is not allowed.")


def page_not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """Say that there is no such address, also outside of /api/v1/."""
    return _problem(404, "not-found", "The API has no such address. See /api/v1/docs/.")


def server_error(request: HttpRequest) -> JsonResponse:
    """Own up to a defect, without a word of what it is."""
    return _problem(
        500,
        "server-error",
        "Something went wrong on our side. Whether the request took effect is not "
        "known: sent again with the same Idempotency-Key it does so once.",
    )


def _problem(number: int, code: str, detail: str) -> JsonResponse:
    return JsonResponse(
        problems.body(number, code, {"detail": detail}),
        status=number,
        content_type=problems.ProblemRenderer.media_type,
    )
