"""GET /datasets/: the catalogue."""

from functools import cached_property

from django.db.models import Count, OuterRef, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.catalog.selectors
from gemmule.accounts.errors import NotFound
from gemmule.api.schema import PAGING, READING, answers
from gemmule.api.views import GemmuleView
from gemmule.catalog.models import DataFileState, Dataset
from gemmule.releases import holding


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset as every signed-in user may see it; nothing about its donors."""

    files = serializers.IntegerField(
        source="file_count",
        read_only=True,
        help_text="How many files, per chromosome, say, a release of it has.",
    )
    held = serializers.SerializerMethodField(
        help_text="Why its releases are held, so that none is built or handed out; "
        "empty if they are not held.",
    )

    class Meta:
        """Fields are written out: no field is shown by accident."""

        model = Dataset
        fields = (
            "accession",
            "title",
            "summary",
            "build",
            "published_at",
            "files",
            "held",
        )
        read_only_fields = fields

    def get_held(self, dataset: Dataset) -> str:
        """Return why its releases are held."""
        return dataset.hold_reason or self._why_all_held  # type: ignore[attr-defined]  # annotated

    @cached_property
    def _why_all_held(self) -> str:
        return holding.why_all_held()


class DatasetList(GemmuleView):
    """The published datasets."""

    @extend_schema(
        operation_id="datasets_list",
        parameters=PAGING,
        responses=answers({200: DatasetSerializer(many=True)}, 400, *READING),
    )
    def get(self, request: Request) -> Response:
        """List the published datasets, newest first."""
        return self.page(_published(), DatasetSerializer)


class DatasetDetail(GemmuleView):
    """One published dataset."""

    @extend_schema(
        operation_id="datasets_retrieve",
        responses=answers({200: DatasetSerializer}, 404, *READING),
    )
    def get(self, request: Request, accession: str) -> Response:
        """Show one published dataset."""
        dataset = _published().filter(accession=accession).first()
        if dataset is None:
            raise NotFound(f"there is no published dataset {accession}")
        return Response(DatasetSerializer(dataset).data)


def _published() -> QuerySet[Dataset]:
    accepted = Count("files", filter=Q(files__state=DataFileState.ACCEPTED))
    return gemmule.catalog.selectors.published().annotate(
        file_count=accepted, hold_reason=holding.reason_of(OuterRef("pk"))
    )
