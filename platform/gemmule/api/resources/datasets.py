"""GET /datasets/: the catalogue."""

from typing import Any, cast

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.catalog.selectors
from gemmule.api.pagination import CursorPagination
from gemmule.api.views import GemmuleView
from gemmule.catalog.models import Dataset


class DatasetSerializer(serializers.ModelSerializer[Dataset]):
    """A dataset as every signed-in user may see it; nothing about its donors."""

    files = serializers.SerializerMethodField()

    class Meta:
        """Fields are written out: no field is shown by accident."""

        model = Dataset
        fields = ("accession", "title", "summary", "build", "published_at", "files")

    def get_files(self, dataset: Dataset) -> int:
        """Return how many files (per chromosome, say) a release of it has."""
        return dataset.files.filter(state="accepted").count()


class DatasetList(GemmuleView):
    """The published datasets."""

    @extend_schema(operation_id="datasets_list", responses=DatasetSerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the published datasets, newest first."""
        paginator = CursorPagination()
        page = paginator.paginate_queryset(
            gemmule.catalog.selectors.published(), request, view=self
        )
        shown = DatasetSerializer(page, many=True).data
        return paginator.get_paginated_response(cast("list[Any]", shown))


class DatasetDetail(GemmuleView):
    """One published dataset."""

    @extend_schema(operation_id="datasets_retrieve", responses=DatasetSerializer)
    def get(self, request: Request, accession: str) -> Response:
        """Show one published dataset."""
        dataset = (
            gemmule.catalog.selectors.published().filter(accession=accession).first()
        )
        if dataset is None:
            raise Http404
        return Response(DatasetSerializer(dataset).data)
