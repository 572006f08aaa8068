"""/receipts/ and /openings/: proof that an entry stands on the ledger."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.models import Role
from gemmule.api.schema import READING, answers
from gemmule.api.views import GemmuleView
from gemmule.audit import receipts


class Receipt(GemmuleView):
    """The receipt of an entry."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="receipts_retrieve",
        responses=answers(
            {(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR)}, 404, 503, *READING
        ),
    )
    def get(self, request: Request, event: UUID) -> HttpResponse:
        """Download a receipt, a C2SP tlog-proof; `gemmule verify receipt` checks it.

        Yours are those of your projects' requests and releases: they name their
        events.
        """
        return HttpResponse(
            receipts.receipt(user=self.user, event=event),
            content_type="text/plain; charset=utf-8",
            headers=_headers(f"{event}.tlog-proof"),
        )


class Opening(GemmuleView):
    """What an entry commits to."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="openings_retrieve",
        responses=answers(
            {(200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT)},
            404,
            503,
            *READING,
        ),
    )
    def get(self, request: Request, event: UUID) -> HttpResponse:
        """Download an opening; keep it apart from the receipt, which it explains."""
        return HttpResponse(
            receipts.opening(user=self.user, event=event),
            content_type="application/json",
            headers=_headers(f"{event}.json"),
        )


def _headers(name: str) -> dict[str, str]:
    return {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
    }
