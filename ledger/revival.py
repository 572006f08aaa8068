"""Refuse to go on over a restored backup that brings back what was erased."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error
from django.db import connections

from ledger import erasure
from ledger.models import ErasedKey, VaultKey
from ledger.routers import VAULT


def check_nothing_erased_is_back(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Say what a restored backup has revived; `migrate` asks.

    Run with the checks of databases only: it reads them.
    """
    if not databases or not _has_tables():
        return []
    hint = "run `manage.py replay_erasures` before anything else"
    found: list[CheckMessage] = []
    if missing := len(erasure.missing_tombstones()):
        found.append(
            Error(
                f"the database lacks {missing} tombstones of erased keys: it is older "
                "than they are",
                hint=hint,
                id="ledger.E002",
            )
        )
    if revived := len(erasure.revived()):
        found.append(
            Error(
                f"the vault holds {revived} keys that were erased: it is older than "
                "their erasure",
                hint=hint,
                id="ledger.E003",
            )
        )
    return found


def _has_tables() -> bool:
    needed = (("default", ErasedKey), (VAULT, VaultKey))
    return all(
        model._meta.db_table in connections[alias].introspection.table_names()
        for alias, model in needed
    )
