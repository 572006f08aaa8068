"""/projects/: the pieces of research a user is part of."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from gemmule.access import selectors, services
from gemmule.access.models import Project
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import Role
from gemmule.api.idempotency import once
from gemmule.api.schema import IDEMPOTENCY_KEY, PAGING, READING, WRITING, answers
from gemmule.api.serializing import ListedFieldsOnly
from gemmule.api.views import GemmuleView


class ProjectSerializer(ListedFieldsOnly, serializers.ModelSerializer[Project]):
    """A project as its members see it."""

    institution = serializers.CharField(source="institution.name", read_only=True)
    lay_summary = serializers.CharField(
        max_length=2000, help_text="What donors read: what you look for, and for whom."
    )

    class Meta:
        """Two fields are the researcher's, the rest is ours."""

        model = Project
        fields = ("accession", "title", "lay_summary", "institution", "created_at")
        read_only_fields = ("accession", "created_at")


class ProjectList(GemmuleView):
    """The user's projects."""

    roles = (Role.RESEARCHER,)

    @extend_schema(
        operation_id="projects_list",
        parameters=PAGING,
        responses=answers({200: ProjectSerializer(many=True)}, 400, *READING),
    )
    def get(self, request: Request) -> Response:
        """List the projects the user is in, newest first."""
        return self.page(selectors.projects_of(self.user), ProjectSerializer)

    @extend_schema(
        operation_id="projects_create",
        parameters=[IDEMPOTENCY_KEY],
        request=ProjectSerializer,
        responses=answers({201: ProjectSerializer}, 422, *WRITING),
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

    roles = (Role.RESEARCHER,)

    @extend_schema(
        operation_id="projects_retrieve",
        responses=answers({200: ProjectSerializer}, 404, *READING),
    )
    def get(self, request: Request, accession: str) -> Response:
        """Show one project."""
        project = selectors.projects_of(self.user).filter(accession=accession).first()
        if project is None:
            raise NotFound(f"there is no project {accession} of yours")
        return Response(ProjectSerializer(project).data)
