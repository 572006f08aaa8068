"""/projects/: the pieces of research a user is part of."""

from typing import Any, cast

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from gemmule.access import selectors, services
from gemmule.access.models import Project
from gemmule.api.idempotency import once
from gemmule.api.pagination import CursorPagination
from gemmule.api.views import GemmuleView


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A project as its members see it."""

    institution = serializers.CharField(source="institution.name", read_only=True)

    class Meta:
        """Two fields are the researcher's, the rest is ours."""

        model = Project
        fields = ("accession", "title", "lay_summary", "institution", "created_at")
        read_only_fields = ("accession", "created_at")


class ProjectList(GemmuleView):
    """The user's projects."""

    @extend_schema(operation_id="projects_list", responses=ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the projects the user is in, newest first."""
        paginator = CursorPagination()
        page = paginator.paginate_queryset(
            selectors.projects_of(self.user), request, view=self
        )
        shown = ProjectSerializer(page, many=True).data
        return paginator.get_paginated_response(cast("list[Any]", shown))

    @extend_schema(
        operation_id="projects_create",
        request=ProjectSerializer,
        responses={201: ProjectSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make a project led by the user."""
        fields = ProjectSerializer(data=request.data)
        fields.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            project = services.create_project(
                user=self.user, now=self.now, **fields.validated_data
            )
            return status.HTTP_201_CREATED, dict(ProjectSerializer(project).data)

        return once(request, self.user, act)


class ProjectDetail(GemmuleView):
    """One project of the user's."""

    @extend_schema(operation_id="projects_retrieve", responses=ProjectSerializer)
    def get(self, request: Request, accession: str) -> Response:
        """Show one project."""
        project = selectors.projects_of(self.user).filter(accession=accession).first()
        if project is None:
            raise Http404
        return Response(ProjectSerializer(project).data)
