"""/releases/: ask for a release, follow its build, take its manifest and files."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.access.selectors
import gemmule.audit.services
from gemmule.access.errors import RequestInvalid
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.models import ResearcherKey, Role
from gemmule.accounts.permissions import check_role
from gemmule.api.idempotency import once
from gemmule.api.schema import IDEMPOTENCY_KEY, PAGING, READING, WRITING, answers
from gemmule.api.serializing import ListedFieldsOnly
from gemmule.api.views import GemmuleView
from gemmule.releases import selectors, services
from gemmule.releases.http import file_response, manifest_response
from gemmule.releases.models import Release, ReleaseFile


class ReleaseFileSerializer(serializers.ModelSerializer[ReleaseFile]):
    """A file of a release, with what a reader compares it to."""

    class Meta:
        """Fields are written out: no path is shown."""

        model = ReleaseFile
        fields = ("name", "role", "size_bytes", "sha256_cipher", "sha256_plain")
        read_only_fields = fields


@extend_schema_field(
    {
        "type": "object",
        "description": "How far the build is; empty before and after it.",
        "properties": {
            "stage": {"type": "string"},
            "percent": {"type": "integer", "minimum": 0, "maximum": 100},
            "file": {"type": "integer"},
            "files": {"type": "integer"},
            "records": {
                "type": "integer",
                "description": "Records kept so far, of all files.",
            },
            "bytes": {"type": "integer", "description": "Text of these records."},
            "parts": {
                "type": "integer",
                "description": "Into how many parts a large release is cut.",
            },
            "parts_done": {"type": "integer"},
            "part_percents": {
                "type": "array",
                "items": {"type": "integer", "minimum": 0, "maximum": 100},
                "description": "How far each part is, in their order.",
            },
            "seconds_left": {
                "type": "integer",
                "description": "At the pace so far; left out while nobody can say.",
            },
        },
    }
)
class ProgressField(serializers.JSONField):
    """A share, and what was kept; nothing of the source."""


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """A release, its state, and once it is sealed, its files."""

    request = serializers.CharField(source="request.accession", read_only=True)
    recipient = serializers.CharField(source="recipient.name", read_only=True)
    key = serializers.CharField(
        source="key.fingerprint", read_only=True, help_text="Fingerprint of the key."
    )
    progress = ProgressField(read_only=True)
    samples = serializers.IntegerField(
        read_only=True, help_text="Number of samples; null until it is sealed."
    )
    records = serializers.IntegerField(
        read_only=True, help_text="Number of records; null until it is sealed."
    )
    empty_because = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Why the release holds no record: `regions-outside`, "
        "`regions-closed`, `no-carrier`; an empty list for other releases.",
    )
    superseded_by = serializers.SerializerMethodField()
    files = ReleaseFileSerializer(many=True, read_only=True)

    class Meta:
        """Fields are written out: no field is shown by accident."""

        model = Release
        fields = (
            "accession",
            "request",
            "recipient",
            "key",
            "state",
            "progress",
            "failure_code",
            "failure_reason",
            "closed_reason",
            "manifest_sha256",
            "samples",
            "records",
            "empty_because",
            "created_at",
            "sealed_at",
            "available_at",
            "closed_at",
            "expires_on",
            "superseded_by",
            "event",
            "event_revoked",
            "files",
        )
        read_only_fields = fields
        extra_kwargs = {
            "event": {"help_text": "Of its ledger entry, for `/receipts/{event}/`."}
        }

    def get_superseded_by(self, release: Release) -> str | None:
        """Return the accession of the release that takes this one's place."""
        successor: Release | None = getattr(release, "superseded_by", None)
        return successor.accession if successor else None


class NewReleaseSerializer(ListedFieldsOnly):
    """Which request, and to which of the user's keys."""

    request = serializers.CharField(
        max_length=20, help_text="Accession of a request that was approved."
    )
    key = serializers.UUIDField(help_text="Id of an active key of yours.")


class ReleaseList(GemmuleView):
    """The user's releases."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="releases_list",
        parameters=PAGING,
        responses=answers({200: ReleaseSerializer(many=True)}, 400, *READING),
    )
    def get(self, request: Request) -> Response:
        """List the releases the user may read about, newest first."""
        return self.page(
            selectors.releases_for(self.user)
            .select_related("superseded_by")
            .prefetch_related("files"),
            ReleaseSerializer,
        )

    @extend_schema(
        operation_id="releases_create",
        parameters=[IDEMPOTENCY_KEY],
        request=NewReleaseSerializer,
        responses=answers({201: ReleaseSerializer}, 409, 422, *WRITING),
    )
    def post(self, request: Request) -> Response:
        """Ask for a release of an approved request; asking again changes nothing."""
        check_role(self.user, Role.RESEARCHER)
        fields = NewReleaseSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        wanted = fields.validated_data["request"]

        def act() -> tuple[int, dict[str, Any]]:
            found = (
                gemmule.access.selectors.requests_for(self.user)
                .filter(accession=wanted)
                .first()
            )
            if found is None:
                raise RequestInvalid(f"you have no request {wanted}", field="request")
            release = services.open_release(
                user=self.user,
                request=found,
                key=self._key(fields.validated_data["key"]),
                now=self.now,
            )
            return status.HTTP_201_CREATED, dict(ReleaseSerializer(release).data)

        return once(request, self.user, act)

    def _key(self, key_id: UUID) -> ResearcherKey:
        key = self.user.researcher_keys.filter(pk=key_id).first()
        if key is None:
            raise RequestInvalid(
                "this key is not registered; register it and prove that you hold it",
                field="key",
            )
        return key


class ReleaseDetail(GemmuleView):
    """One release."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="releases_retrieve",
        responses=answers({200: ReleaseSerializer}, 404, *READING),
    )
    def get(self, request: Request, accession: str) -> Response:
        """Show a release's state and progress."""
        release = selectors.release_for(self.user, accession)
        return Response(ReleaseSerializer(release).data)


class ReleaseManifest(GemmuleView):
    """The signed manifest."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="releases_manifest",
        responses=answers(
            {(200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT)},
            404,
            409,
            *READING,
        ),
    )
    def get(self, request: Request, accession: str) -> HttpResponse:
        """Download the manifest; its SHA-256 stands on the ledger."""
        return manifest_response(selectors.release_for(self.user, accession))


class ReleaseDossier(GemmuleView):
    """All that an auditor or the IRB keeps about a release."""

    roles = READER_ROLES

    @extend_schema(
        operation_id="releases_dossier",
        responses=answers(
            {(200, "application/json"): OpenApiResponse(OpenApiTypes.OBJECT)},
            404,
            503,
            *READING,
        ),
    )
    def get(self, request: Request, accession: str) -> Response:
        """Export the dossier; to the IRB with what opens every donor's place.

        `gemmule verify release --dossier` decides over each again. That it was taken
        is written on the ledger.
        """
        release = selectors.release_for(self.user, accession)
        return Response(
            gemmule.audit.services.export_dossier(
                user=self.user, release=release, now=self.now
            ),
            headers={
                "Content-Disposition": (
                    f'attachment; filename="{accession}-dossier.json"'
                )
            },
        )


class ReleaseFileContent(GemmuleView):
    """The bytes of one file, encrypted to the recipient's key."""

    roles = (Role.RESEARCHER, *READER_ROLES)

    @extend_schema(
        operation_id="releases_download",
        parameters=[
            OpenApiParameter("Range", str, OpenApiParameter.HEADER),
            OpenApiParameter("If-Range", str, OpenApiParameter.HEADER),
        ],
        responses=answers(
            {
                (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
                (206, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
            },
            404,
            416,
            503,
            *READING,
        ),
    )
    def get(self, request: Request, accession: str, name: str) -> HttpResponseBase:
        """Download a file; `Range` and `If-Range` resume it byte-exact.

        503 with Retry-After until the release is on the ledger; 403 once it was
        revoked, suspended or has expired: `code` names the rule, `title` and `detail`
        say what happened and what to do, `successor` what takes its place.
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
