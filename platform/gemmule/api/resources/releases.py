"""/releases/: ask for a release, follow its build, take its manifest and files."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.access.selectors
from gemmule.access.errors import RequestInvalid
from gemmule.accounts.models import ResearcherKey
from gemmule.api.idempotency import once
from gemmule.api.pagination import CursorPagination
from gemmule.api.views import GemmuleView
from gemmule.releases import selectors, services
from gemmule.releases.errors import ReleaseStateError
from gemmule.releases.http import file_response
from gemmule.releases.models import Release, ReleaseFile


class ReleaseFileSerializer(serializers.ModelSerializer[ReleaseFile]):
    """A file of a release, with what a reader compares it to."""

    class Meta:
        """Fields are written out: no path is shown."""

        model = ReleaseFile
        fields = ("name", "role", "size_bytes", "sha256_cipher", "sha256_plain")
        read_only_fields = fields


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """A release, its state, and once it is sealed, its files."""

    request = serializers.CharField(source="request.accession", read_only=True)
    key = serializers.CharField(source="key.fingerprint", read_only=True)
    superseded_by = serializers.SerializerMethodField()
    files = ReleaseFileSerializer(many=True, read_only=True)

    class Meta:
        """Progress holds a share and bytes written, nothing of the source."""

        model = Release
        fields = (
            "accession",
            "request",
            "key",
            "state",
            "progress",
            "failure_code",
            "failure_reason",
            "closed_reason",
            "manifest_sha256",
            "created_at",
            "sealed_at",
            "available_at",
            "closed_at",
            "expires_on",
            "superseded_by",
            "files",
        )
        read_only_fields = fields

    def get_superseded_by(self, release: Release) -> str | None:
        """Return the accession of the release that takes this one's place."""
        successor = Release.objects.filter(supersedes=release).first()
        return successor.accession if successor else None


class NewReleaseSerializer(serializers.Serializer[Release]):
    """Which request, and which of the user's keys to encrypt to."""

    request = serializers.CharField()
    key = serializers.UUIDField()


class ReleaseList(GemmuleView):
    """The user's releases."""

    @extend_schema(operation_id="releases_list", responses=ReleaseSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the releases the user may read about, newest first."""
        paginator = CursorPagination()
        page = paginator.paginate_queryset(
            selectors.releases_for(self.user), request, view=self
        )
        shown: Any = ReleaseSerializer(page, many=True).data
        return paginator.get_paginated_response(shown)

    @extend_schema(
        operation_id="releases_create",
        request=NewReleaseSerializer,
        responses={201: ReleaseSerializer},
    )
    def post(self, request: Request) -> Response:
        """Ask for a release of an approved request; asking again changes nothing."""
        fields = NewReleaseSerializer(data=request.data)
        fields.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            found = (
                gemmule.access.selectors.requests_for(self.user)
                .filter(accession=fields.validated_data["request"])
                .first()
            )
            if found is None:
                raise RequestInvalid(
                    f"you have no request {fields.validated_data['request']}",
                    field="request",
                )
            release = services.open_release(
                user=self.user,
                request=found,
                key=self._key(fields.validated_data["key"]),
                now=self.now,
            )
            return status.HTTP_201_CREATED, dict(ReleaseSerializer(release).data)

        return once(request, self.user, act)

    def _key(self, key_id: UUID) -> ResearcherKey:
        key = ResearcherKey.objects.filter(user=self.user, pk=key_id).first()
        if key is None:
            raise RequestInvalid(
                "this key is not registered; register it and prove that you hold it",
                field="key",
            )
        return key


class ReleaseDetail(GemmuleView):
    """One release."""

    @extend_schema(operation_id="releases_retrieve", responses=ReleaseSerializer)
    def get(self, request: Request, accession: str) -> Response:
        """Show a release's state and progress."""
        release = selectors.release_for(self.user, accession)
        return Response(ReleaseSerializer(release).data)


class ReleaseManifest(GemmuleView):
    """The signed manifest."""

    @extend_schema(
        operation_id="releases_manifest",
        responses={(200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT)},
    )
    def get(self, request: Request, accession: str) -> HttpResponse:
        """Download the manifest; its SHA-256 stands on the ledger."""
        release = selectors.release_for(self.user, accession)
        if release.manifest is None:
            raise ReleaseStateError(
                f"release {accession} is not sealed yet, so it has no manifest"
            )
        answer = HttpResponse(bytes(release.manifest), content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="{accession}.json"'
        answer["ETag"] = f'"{release.manifest_sha256}"'
        return answer


class ReleaseFileContent(GemmuleView):
    """The bytes of one file, encrypted to the recipient's key."""

    @extend_schema(
        operation_id="releases_download",
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
            (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request, accession: str, name: str) -> HttpResponseBase:
        """Download a file; `Range` and `If-Range` resume it byte-exact.

        503 with Retry-After until the release is on the ledger; 403 with the rule
        and the next step once a consent it rests on has ended.
        """
        release = selectors.release_for(self.user, accession)
        return file_response(
            user=self.user,
            release=release,
            file=selectors.file_of(release, name),
            headers=request.headers,
            method=request.method or "GET",
            clock=timezone.now,
        )
