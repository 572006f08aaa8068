"""Addresses of the researchers' pages."""

from django.urls import path

from gemmule.web import researcher

urlpatterns = [
    path("research/", researcher.home, name="research_home"),
    path("research/projects/new/", researcher.project_new, name="research_project_new"),
    path(
        "research/projects/<str:accession>/",
        researcher.project,
        name="research_project",
    ),
    path("research/requests/new/", researcher.request_new, name="research_request_new"),
    path(
        "research/requests/<str:accession>/",
        researcher.request_detail,
        name="research_request",
    ),
    path(
        "research/requests/<str:accession>/edit/",
        researcher.request_edit,
        name="research_request_edit",
    ),
    path(
        "research/requests/<str:accession>/check/",
        researcher.request_check,
        name="research_request_check",
    ),
    path(
        "research/requests/<str:accession>/close/",
        researcher.request_close,
        name="research_request_close",
    ),
    path(
        "research/requests/<str:accession>/releases/",
        researcher.release_new,
        name="research_release_new",
    ),
    path(
        "research/releases/<str:accession>/",
        researcher.release_detail,
        name="research_release",
    ),
    path(
        "research/releases/<str:accession>/manifest.json",
        researcher.release_manifest,
        name="research_release_manifest",
    ),
    path(
        "research/releases/<str:accession>/receipt.tlog-proof",
        researcher.release_receipt,
        name="research_release_receipt",
    ),
    path(
        "research/releases/<str:accession>/files/<str:name>",
        researcher.release_file,
        name="research_release_file",
    ),
]
