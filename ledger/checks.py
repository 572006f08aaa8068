"""Refuse to start where the database settings would break the ledger's promises."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def check_sqlite_locks_at_begin(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Require BEGIN IMMEDIATE on SQLite.

    The sequencer reads the head and writes behind it: with a deferred lock two of
    them could read the same head.
    """
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        options = database.get("OPTIONS", {})
        if (
            database["ENGINE"].endswith(".sqlite3")
            and options.get("transaction_mode") != "IMMEDIATE"
        ):
            found.append(
                Error(
                    f"the database {alias!r} must open transactions as IMMEDIATE",
                    hint='set OPTIONS["transaction_mode"] = "IMMEDIATE"',
                    id="ledger.E001",
                )
            )
    return found
