"""/requests/: requests for data, their verdict and their way to the IRB."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.catalog.selectors
from gemmule.access import selectors, services
from gemmule.access.coverage import RoundedVerdict, coverage, rounded
from gemmule.access.errors import RequestInvalid
from gemmule.access.models import AccessRequest
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.api.idempotency import once
from gemmule.api.pagination import CursorPagination
from gemmule.api.views import GemmuleView


class RequestSerializer(serializers.Serializer[AccessRequest]):
    """A request; `purpose` is in DUO terms (see the purpose schema in the docs)."""

    accession = serializers.CharField(read_only=True)
    project = serializers.CharField(source="project.accession")
    dataset = serializers.CharField(source="dataset.accession")
    purpose = serializers.DictField(required=False)
    regions = serializers.CharField(
        source="regions_text", required=False, allow_blank=True, max_length=1_000_000
    )
    justification = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000
    )
    state = serializers.CharField(read_only=True)
    submitted_at = serializers.DateTimeField(read_only=True)
    decided_at = serializers.DateTimeField(read_only=True)
    expires_on = serializers.DateField(read_only=True)


class RequestChangeSerializer(serializers.Serializer[AccessRequest]):
    """What may be changed while a request is a draft or was sent back."""

    purpose = serializers.DictField(required=False)
    regions = serializers.CharField(
        source="regions_text", required=False, allow_blank=True, max_length=1_000_000
    )
    justification = serializers.CharField(
        required=False, allow_blank=True, max_length=10_000
    )


class ClauseSerializer(serializers.Serializer[tuple[str, str, str, str]]):
    """A clause that stands in the way of some donors."""

    code = serializers.CharField()
    verdict = serializers.CharField()
    reason = serializers.CharField()
    donors = serializers.CharField(help_text='rounded to 10, "< 20" below 20')


class VerdictSerializer(serializers.Serializer[RoundedVerdict]):
    """The machine's verdict in rounded numbers."""

    total = serializers.CharField()
    permitted = serializers.CharField()
    review = serializers.CharField()
    clauses = ClauseSerializer(many=True)


class RequestList(GemmuleView):
    """The user's requests."""

    @extend_schema(operation_id="requests_list", responses=RequestSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the requests the user may read, newest first."""
        paginator = CursorPagination()
        page = paginator.paginate_queryset(_readable(self.user), request, view=self)
        shown: Any = RequestSerializer(page or [], many=True).data  # type: ignore[arg-type]  # the stubs lack many=True
        return paginator.get_paginated_response(shown)

    @extend_schema(
        operation_id="requests_create",
        request=RequestSerializer,
        responses={201: RequestSerializer},
    )
    def post(self, request: Request) -> Response:
        """Draft a request of one of the user's projects."""
        fields = RequestSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        given = fields.validated_data

        def act() -> tuple[int, dict[str, Any]]:
            made = services.draft_request(
                user=self.user,
                project=_project(self.user, given["project"]["accession"]),
                dataset=_dataset(given["dataset"]["accession"]),
                now=self.now,
            )
            made = services.update_draft(
                user=self.user,
                request=made,
                purpose=given.get("purpose"),
                regions_text=given.get("regions_text"),
                justification=given.get("justification"),
            )
            return status.HTTP_201_CREATED, dict(RequestSerializer(made).data)

        return once(request, self.user, act)


class RequestDetail(GemmuleView):
    """One request."""

    @extend_schema(operation_id="requests_retrieve", responses=RequestSerializer)
    def get(self, request: Request, accession: str) -> Response:
        """Show one request and where it stands."""
        return Response(RequestSerializer(_request(self.user, accession)).data)

    @extend_schema(
        operation_id="requests_update",
        request=RequestChangeSerializer,
        responses=RequestSerializer,
    )
    def patch(self, request: Request, accession: str) -> Response:
        """Change a draft, or a request that was sent back."""
        fields = RequestChangeSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        changed = services.update_draft(
            user=self.user,
            request=_request(self.user, accession),
            **fields.validated_data,
        )
        return Response(RequestSerializer(changed).data)


class RequestVerdict(GemmuleView):
    """What the machine says of a request today."""

    @extend_schema(operation_id="requests_verdict", responses=VerdictSerializer)
    def get(self, request: Request, accession: str) -> Response:
        """Show how many donors allow this request, and which clauses stand in the way.

        Numbers are rounded to 10; below 20 they read "< 20".
        """
        found = rounded(coverage(_request(self.user, accession), self.now.date()))
        return Response(
            {
                "total": found.total,
                "permitted": found.permitted,
                "review": found.review,
                "clauses": [
                    {"code": code, "verdict": verdict, "reason": why, "donors": donors}
                    for code, verdict, why, donors in found.clauses
                ],
            }
        )


class RequestSubmission(GemmuleView):
    """Handing a request to the IRB."""

    @extend_schema(
        operation_id="requests_submit", request=None, responses=RequestSerializer
    )
    def post(self, request: Request, accession: str) -> Response:
        """Submit a complete request."""

        def act() -> tuple[int, dict[str, Any]]:
            submitted = services.submit(
                user=self.user, request=_request(self.user, accession), now=self.now
            )
            return status.HTTP_200_OK, dict(RequestSerializer(submitted).data)

        return once(request, self.user, act)


def _readable(user: User) -> QuerySet[AccessRequest]:
    return selectors.requests_for(user)


def _request(user: User, accession: str) -> AccessRequest:
    found = _readable(user).filter(accession=accession).first()
    if found is None:
        raise NotFound(f"there is no request {accession} for you")
    return found


def _project(user: User, accession: str) -> Any:
    project = selectors.projects_of(user).filter(accession=accession).first()
    if project is None:
        raise RequestInvalid(
            f"you have no project {accession}; make one first", field="project"
        )
    return project


def _dataset(accession: str) -> Any:
    dataset = gemmule.catalog.selectors.published().filter(accession=accession).first()
    if dataset is None:
        raise RequestInvalid(
            f"there is no published dataset {accession}", field="dataset"
        )
    return dataset
