"""Cursor pagination: stable while rows are added, and without counting them."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework import pagination
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.views import APIView

from gemmule.api.errors import FieldRefused


class CursorPagination(pagination.CursorPagination):
    """Pages of 50, newest first, the cursor opaque."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering: Any = "-id"  # One field or a tuple; the stubs know the one alone.

    def paginate_queryset(
        self,
        queryset: QuerySet[Any] | Sequence[Any],
        request: Request,
        view: APIView | None = None,
    ) -> list[Any] | None:
        """Return the rows of a page; a cursor that is none of ours is refused."""
        try:
            return super().paginate_queryset(queryset, request, view=view)
        except (NotFound, ValidationError, ValueError):
            # The first is a cursor that cannot be read, the others one made by hand.
            raise FieldRefused(
                "this is not a cursor; follow `next` and `previous` as they are",
                field="cursor",
            ) from None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the schema of a page; the framework's words it for OpenAPI 3.0."""
        neighbour = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": neighbour,
                "previous": neighbour,
                "results": schema,
            },
        }
