"""Addresses of the API, version 1."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.permissions import AllowAny

from gemmule.api import converters, docs
from gemmule.api.resources import (
    datasets,
    keys,
    projects,
    receipts,
    releases,
    requests,
)
from gemmule.api.views import UnknownAddress

converters.register()

urlpatterns = [
    path(
        "schema/",
        SpectacularAPIView.as_view(
            permission_classes=[AllowAny], authentication_classes=[]
        ),
        name="schema",
    ),
    path("docs/", docs.page, name="docs"),
    path("datasets/", datasets.DatasetList.as_view(), name="datasets"),
    path(
        "datasets/<accession:accession>/",
        datasets.DatasetDetail.as_view(),
        name="dataset",
    ),
    path("projects/", projects.ProjectList.as_view(), name="projects"),
    path(
        "projects/<accession:accession>/",
        projects.ProjectDetail.as_view(),
        name="project",
    ),
    path("requests/", requests.RequestList.as_view(), name="requests"),
    path(
        "requests/<accession:accession>/",
        requests.RequestDetail.as_view(),
        name="request",
    ),
    path(
        "requests/<accession:accession>/verdict/",
        requests.RequestVerdict.as_view(),
        name="request-verdict",
    ),
    path(
        "requests/<accession:accession>/submit/",
        requests.RequestSubmission.as_view(),
        name="request-submit",
    ),
    path("keys/", keys.KeyList.as_view(), name="keys"),
    path(
        "keys/<uuid:key_id>/challenge/",
        keys.KeyChallenge.as_view(),
        name="key-challenge",
    ),
    path("keys/<uuid:key_id>/prove/", keys.KeyProof.as_view(), name="key-prove"),
    path("releases/", releases.ReleaseList.as_view(), name="releases"),
    path(
        "releases/<accession:accession>/",
        releases.ReleaseDetail.as_view(),
        name="release",
    ),
    path(
        "releases/<accession:accession>/manifest/",
        releases.ReleaseManifest.as_view(),
        name="release-manifest",
    ),
    path(
        "releases/<accession:accession>/dossier/",
        releases.ReleaseDossier.as_view(),
        name="release-dossier",
    ),
    path(
        "releases/<accession:accession>/files/<filename:name>",
        releases.ReleaseFileContent.as_view(),
        name="release-file",
    ),
    path("receipts/<uuid:event>/", receipts.Receipt.as_view(), name="receipt"),
    path("openings/<uuid:event>/", receipts.Opening.as_view(), name="opening"),
    # Last: whatever is none of these.
    re_path("", UnknownAddress.as_view(), name="unknown"),
]
