"""Addresses of the IRB's pages."""

from django.urls import path

from gemmule.web import irb

urlpatterns = [
    path("irb/", irb.queue, name="irb_queue"),
    path("irb/requests/<str:accession>/", irb.detail, name="irb_request"),
    path("irb/requests/<str:accession>/approve/", irb.approve, name="irb_approve"),
    path(
        "irb/requests/<str:accession>/countersign/",
        irb.countersign,
        name="irb_countersign",
    ),
    path("irb/requests/<str:accession>/deny/", irb.deny, name="irb_deny"),
    path(
        "irb/requests/<str:accession>/send-back/", irb.send_back, name="irb_send_back"
    ),
    path(
        "irb/requests/<str:accession>/verify-ethics/",
        irb.verify_ethics,
        name="irb_verify_ethics",
    ),
]
