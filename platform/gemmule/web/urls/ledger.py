"""Addresses of the ledger, open to everyone."""

from django.urls import path

from gemmule.web import ledger

urlpatterns = [
    path("ledger/", ledger.overview, name="ledger"),
    path("ledger/checkpoint", ledger.checkpoint, name="ledger_checkpoint"),
    path("ledger/entries/<uuid:event>/", ledger.entry, name="ledger_entry"),
]
