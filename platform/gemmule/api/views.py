"""What every view of the API shares: who asks and when, and how lists are paged."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import check_role
from gemmule.api.pagination import CursorPagination
from gemmule.api.parsing import BoundedJSONParser

_Row = TypeVar("_Row", bound=Model)


class OneFormat(DefaultContentNegotiation):
    """Answer in the one format an address has, whatever `Accept` says.

    A client that asks for a release with `Accept: application/octet-stream` wants
    the file, and the reason as problem+json when it cannot have it: never a 406.
    """

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,
    ) -> tuple[BaseRenderer, str]:
        """Return the view's only renderer."""
        (only,) = renderers
        return only, str(only.media_type)


class GemmuleView(APIView):
    """A view for people with a token whose services take a user and a time."""

    # Who may use the address at all; empty for everyone with a token.
    roles: ClassVar[tuple[Role, ...]] = ()
    content_negotiation_class = OneFormat
    parser_classes = (BoundedJSONParser,)
    pagination_class = CursorPagination
    metadata_class = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse the wrong role before anything is looked up or parsed."""
        super().initial(request, *args, **kwargs)
        if self.roles:
            check_role(self.user, *self.roles)

    @property
    def user(self) -> User:
        """Return who asks; authentication has already refused everybody else."""
        user = self.request.user
        if not isinstance(user, User):
            raise AssertionError("an anonymous request passed authentication")
        return user

    @property
    def now(self) -> datetime:
        """Return the time of the request."""
        return timezone.now()

    def page(
        self,
        rows: QuerySet[_Row],
        serializer: type[serializers.BaseSerializer[_Row]],
    ) -> Response:
        """Return one page of the rows, with the addresses of its neighbours."""
        paginator = self.pagination_class()
        found = paginator.paginate_queryset(rows, self.request, view=self)
        shown: Any = serializer(found, many=True).data  # type: ignore[arg-type]  # the stubs know one row alone
        return paginator.get_paginated_response(shown)


class UnknownAddress(APIView):
    """Say as problem+json that the API has no such address, to whoever asks."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = OneFormat
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse every method alike."""
        super().initial(request, *args, **kwargs)
        raise NotFound(
            "The API has no such address; each ends with a slash, but for files. "
            "See /api/v1/docs/."
        )
