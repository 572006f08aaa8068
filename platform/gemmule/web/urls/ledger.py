"""Addresses of the ledger's pages; its files are in `gemmule.api.ledger_urls`."""

from django.urls import path

from gemmule.web import ledger

urlpatterns = [
    path("ledger/", ledger.overview, name="ledger"),
    path("ledger/join/", ledger.join, name="ledger_join"),
    path("ledger/entries/<uuid:event>/", ledger.entry, name="ledger_entry"),
    path(
        "ledger/receipts/<uuid:event>.tlog-proof",
        ledger.receipt,
        name="ledger_receipt",
    ),
    path("ledger/openings/<uuid:event>.json", ledger.opening, name="ledger_opening"),
]
