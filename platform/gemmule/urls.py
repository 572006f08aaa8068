"""Every address of the site; each audience keeps its own list.

What Django answers by itself is worded by the audience too: a page, or problem+json
for what asks the API.
"""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from gemmule.api import failures
from gemmule.web import errors

urlpatterns = [
    path("", include("gemmule.web.urls.public")),
    path("", include("gemmule.web.urls.ledger")),
    path("ledger/", include("gemmule.api.ledger_urls")),
    path("", include("gemmule.web.urls.account")),
    path("account/", include("gemmule.web.urls.signing_in")),
    path("", include("gemmule.web.urls.people")),
    path("", include("gemmule.web.urls.donor")),
    path("", include("gemmule.web.urls.researcher")),
    path("", include("gemmule.web.urls.irb")),
    path("", include("gemmule.web.urls.audit")),
    path("", include("gemmule.web.urls.steward")),
    path("api/v1/", include(("gemmule.api.urls", "api"))),
]


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Word a request that cannot be read, or is too long to be."""
    if _is_api(request):
        return failures.bad_request(request, exception)
    return errors.bad_request(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Word what is not allowed below the views."""
    if _is_api(request):
        return failures.permission_denied(request, exception)
    return errors.permission_denied(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Word an address that there is not."""
    if _is_api(request):
        return failures.page_not_found(request, exception)
    return errors.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """Word a defect of ours."""
    if _is_api(request):
        return failures.server_error(request)
    return errors.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
