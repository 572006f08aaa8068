"""Refuse to start where settings would break the ledger's promises."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning
from django.db import connections

from ledger import errors, keys, policies


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


def check_policy(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Require a policy file that holds a policy, and a notary that can be named."""
    try:
        keys.is_notary_elsewhere()
        policies.from_file()
    except errors.LedgerError as error:
        return [Error(str(error), id="ledger.E004")]
    return []


def check_witnesses(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Say, where a site is to be deployed, when nobody outside is asked."""
    if check_policy(app_configs) or policies.names_witnesses():
        return []
    return [
        Info(
            "no outside witness cosigns the ledger: whoever holds the notary's key and "
            "the database can show two histories",
            hint="name witnesses in GEMMULE_LEDGER_POLICY, see docs/operations.md",
            id="ledger.I001",
        )
    ]


def check_commits_reach_the_disk(
    app_configs: Sequence[AppConfig] | None,
    databases: Sequence[str] | None = None,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Warn where an acknowledged event may be lost in a crash; `migrate` asks."""
    found: list[CheckMessage] = []
    for alias in databases or ():
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        with connection.cursor() as cursor:
            for name in ("synchronous_commit", "fsync"):
                cursor.execute("SELECT current_setting(%s)", [name])
                if cursor.fetchone()[0] == "off":
                    found.append(
                        Warning(
                            f"{name} is off in the database {alias!r}: what was "
                            "acknowledged may be lost when the server crashes",
                            id="ledger.W005",
                        )
                    )
    return found
