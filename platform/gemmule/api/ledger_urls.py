"""Addresses of the ledger's files: those of C2SP tlog-tiles, below one prefix."""

from django.urls import path

from gemmule.api.resources import ledger

urlpatterns = [
    path("checkpoint", ledger.Checkpoint.as_view(), name="ledger_checkpoint"),
    path("policy", ledger.Policy.as_view(), name="ledger_policy"),
    path(
        "tile/entries/<path:tile>",
        ledger.EntryBundle.as_view(),
        name="ledger_entries",
    ),
    path("tile/<path:tile>", ledger.HashTile.as_view(), name="ledger_tile"),
]
