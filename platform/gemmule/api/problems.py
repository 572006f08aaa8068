"""Turn every refusal into problem+json (RFC 9457), in one place.

Each problem has a stable `code`, a `detail` that says what to do, and where one
field is at fault, its name in `field`.
"""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import exceptions, serializers, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from gemmule.access.errors import RequestInvalid, RequestStateError, ReviewInvalid
from gemmule.accounts.errors import (
    AccountsError,
    NotAllowed,
    NotFound,
    SecretKeyRefused,
    TooManyTries,
)
from gemmule.api.errors import FieldRefused, KeyReused, SignInNeeded, WrongState
from gemmule.audit.errors import NotYetPublished
from gemmule.objects.kept import StorageAway
from gemmule.releases.errors import (
    DeliveryRefused,
    NotYetOnLedger,
    RangeInvalid,
    ReleasesHeld,
    ReleaseStateError,
)

# Most specific first: the first class that fits decides.
_BY_ERROR: tuple[tuple[type[Exception], int, str], ...] = (
    (NotFound, status.HTTP_404_NOT_FOUND, "not-found"),
    (NotAllowed, status.HTTP_403_FORBIDDEN, "not-allowed"),
    (SignInNeeded, status.HTTP_403_FORBIDDEN, "sign-in-needed"),
    (NotYetOnLedger, status.HTTP_503_SERVICE_UNAVAILABLE, "not-yet"),
    (ReleasesHeld, status.HTTP_503_SERVICE_UNAVAILABLE, "releases-held"),
    (NotYetPublished, status.HTTP_503_SERVICE_UNAVAILABLE, "not-yet"),
    (StorageAway, status.HTTP_503_SERVICE_UNAVAILABLE, "storage-away"),
    (DeliveryRefused, status.HTTP_403_FORBIDDEN, "delivery-refused"),
    (RangeInvalid, status.HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, "range"),
    (RequestStateError, status.HTTP_409_CONFLICT, "state"),
    (ReleaseStateError, status.HTTP_409_CONFLICT, "state"),
    (WrongState, status.HTTP_409_CONFLICT, "state"),
    (FieldRefused, status.HTTP_400_BAD_REQUEST, "invalid"),
    (KeyReused, status.HTTP_422_UNPROCESSABLE_ENTITY, "idempotency-key"),
    (TooManyTries, status.HTTP_429_TOO_MANY_REQUESTS, "too-many-tries"),
    (SecretKeyRefused, status.HTTP_400_BAD_REQUEST, "secret-key"),
    (RequestInvalid, status.HTTP_400_BAD_REQUEST, "invalid"),
    (ReviewInvalid, status.HTTP_400_BAD_REQUEST, "invalid"),
    (AccountsError, status.HTTP_400_BAD_REQUEST, "refused"),
)
_RETRY_AFTER_S = "2"


class ProblemRenderer(JSONRenderer):
    """JSON under the media type of RFC 9457."""

    media_type = "application/problem+json"
    format = "problem"


@extend_schema_serializer(component_name="Problem")
class ProblemSerializer(serializers.Serializer[dict[str, Any]]):
    """The shape of every error answer; `errors`, where present, is by field."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    successor = serializers.CharField(
        required=False,
        help_text="Accession of the release that takes the place of a revoked one.",
    )
    field = serializers.CharField(
        required=False, help_text="The field or header at fault; the first of several."
    )
    errors = serializers.DictField(  # type: ignore[assignment]  # its name on the wire
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Every wrong field with what is wrong.",
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer a known refusal; None lets a defect surface as a 500."""
    found = _ours(error) or _framework(error)
    if found is None:
        return None
    code, number, extra, headers = found
    request = context.get("request")
    if request is not None:
        # Whatever was negotiated, an error is problem+json.
        request.accepted_renderer = ProblemRenderer()
        request.accepted_media_type = ProblemRenderer.media_type
    return Response(body(number, code, extra), status=number, headers=headers)


def body(number: int, code: str, extra: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a problem; those in `extra` come last and win."""
    return {
        "type": f"urn:gemmule:problem:{code}",
        "title": HTTPStatus(number).phrase,
        "status": number,
        "code": code,
        **extra,
    }


_Found = tuple[str, int, dict[str, Any], dict[str, str]]


def _ours(error: Exception) -> _Found | None:
    for class_, number, code in _BY_ERROR:
        if isinstance(error, class_):
            extra: dict[str, Any] = {"detail": str(error)}
            headers: dict[str, str] = {}
            field = getattr(error, "field", None)
            if field:
                extra["field"] = field
            if isinstance(error, RequestInvalid) and error.problems:
                extra["errors"] = {error.field: [str(one) for one in error.problems]}
            if isinstance(error, DeliveryRefused | FieldRefused):
                code = error.code
            if isinstance(error, DeliveryRefused):
                extra["title"] = error.title
                if error.successor:
                    extra["successor"] = error.successor
            if isinstance(error, NotYetOnLedger | NotYetPublished | StorageAway):
                headers["Retry-After"] = _RETRY_AFTER_S
            if isinstance(error, ReleasesHeld):
                headers["Retry-After"] = str(error.retry_after_s)
            if isinstance(error, RangeInvalid):
                headers["Content-Range"] = f"bytes */{error.size_bytes}"
            return code, number, extra, headers
    return None


def _framework(error: Exception) -> _Found | None:
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        too_large = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
        return (
            "too-large",
            too_large,
            {"detail": f"A body has at most {limit} bytes."},
            {},
        )
    if not isinstance(error, exceptions.APIException):
        return None
    headers = {}
    challenge = getattr(error, "auth_header", None)
    if challenge:
        headers["WWW-Authenticate"] = str(challenge)
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(int(wait))
    if isinstance(error, exceptions.ValidationError):
        return "invalid", error.status_code, _invalid(error.detail), headers
    detail = str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        detail = (
            f"{detail.rstrip('.')}. Send 'Authorization: Token ...' with a token made "
            "on your account page; a token that has expired is replaced there."
        )
    code = str(error.default_code).replace("_", "-")
    return code, error.status_code, {"detail": detail}, headers


def _invalid(detail: Any) -> dict[str, Any]:
    """Return the wrong fields, the first of them named in words.

    >>> _invalid({"title": ["This field is required."]})["detail"]
    'title: This field is required.'
    """
    if not isinstance(detail, dict):
        return {"detail": " ".join(map(str, detail))}
    errors = {name: [str(one) for one in _flat(why)] for name, why in detail.items()}
    field, reasons = next(iter(errors.items()))
    if field == "non_field_errors":
        return {"detail": reasons[0]}
    return {"detail": f"{field}: {reasons[0]}", "field": field, "errors": errors}


def _flat(reasons: Any) -> list[Any]:
    """Return the messages of a field whose value has fields of its own, too."""
    if isinstance(reasons, dict):
        return [one for inner in reasons.values() for one in _flat(inner)]
    if isinstance(reasons, list):
        return [one for inner in reasons for one in _flat(inner)]
    return [reasons]
