"""Words for the OpenAPI file: what each address may answer besides success."""

from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from gemmule.api.idempotency import HEADER
from gemmule.api.models import KEPT_FOR
from gemmule.api.problems import ProblemRenderer, ProblemSerializer

_WHEN = {
    400: "A field is wrong or missing; `field` names it.",
    401: "No token, or one that is unknown or has expired.",
    403: "Your role does not allow this, or the gate refuses; `code` says which rule.",
    404: "There is no such thing, or it is not yours.",
    409: "It is not in a state that allows this; `detail` says what is possible.",
    413: "The body is too large.",
    415: "The body is not `application/json`.",
    416: "The range lies outside the file.",
    422: "This `Idempotency-Key` was used for another request.",
    503: "Not on the ledger yet; try again after `Retry-After` seconds.",
}

IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="Up to 100 printable characters of your choice. A request sent again "
    "with the same key has one effect and gets the first answer, with "
    "`Idempotency-Replayed: true`; the answer is kept for "
    f"{KEPT_FOR.days} days.",
)
PAGING = [
    OpenApiParameter(
        "cursor", str, description="From `next` or `previous` of the page before."
    ),
    OpenApiParameter("page_size", int, description="Rows on a page: 50, at most 200."),
]


def answers(success: dict[Any, Any], *problems: int) -> dict[Any, Any]:
    """Return the successful answers and, as Problem, the named refusals."""
    return success | {
        (number, ProblemRenderer.media_type): OpenApiResponse(
            ProblemSerializer,
            description=f"{HTTPStatus(number).phrase}. {_WHEN[number]}",
        )
        for number in sorted(problems)
    }


# What every address that needs a token may answer, and what one with a body may.
READING = (401, 403)
WRITING = (400, 401, 403, 413, 415)
