"""Addresses of the auditors' pages."""

from django.urls import path

from gemmule.web import audit, overview

urlpatterns = [
    path("audit/", audit.home, name="audit"),
    path("audit/figures/", overview.figures, name="audit_figures"),
    path("audit/ledger/", audit.ledger_health, name="audit_ledger"),
    path("audit/ledger/verify/", audit.ledger_verify, name="audit_ledger_verify"),
    path("audit/releases/", audit.releases, name="audit_releases"),
    path("audit/releases/<str:accession>/", audit.release, name="audit_release"),
    path(
        "audit/releases/<str:accession>/manifest.json",
        audit.manifest,
        name="audit_release_manifest",
    ),
    path(
        "audit/releases/<str:accession>/dossier.json",
        audit.export,
        name="audit_release_export",
    ),
    path(
        "audit/releases/<str:accession>/revoke/",
        audit.revoke,
        name="audit_release_revoke",
    ),
]
