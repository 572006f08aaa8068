"""A database that would break the ledger's promises stops the start."""

from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks

from ledger.checks import check_sqlite_locks_at_begin

SQLITE = "django.db.backends.sqlite3"


@pytest.mark.parametrize(
    ("database", "count"),
    [
        ({"ENGINE": SQLITE, "OPTIONS": {"transaction_mode": "IMMEDIATE"}}, 0),
        ({"ENGINE": SQLITE, "OPTIONS": {"transaction_mode": "DEFERRED"}}, 1),
        ({"ENGINE": SQLITE, "OPTIONS": {}}, 1),
        ({"ENGINE": SQLITE}, 1),
        ({"ENGINE": "django.db.backends.postgresql"}, 0),
    ],
)
def test_sqlite_must_lock_at_begin(
    monkeypatch: pytest.MonkeyPatch, database: dict[str, Any], count: int
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", database)
    found = check_sqlite_locks_at_begin(None)
    assert [each.id for each in found] == ["ledger.E001"] * count


def test_the_house_passes_and_the_check_is_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert not [each for each in run_checks() if each.id == "ledger.E001"]
    monkeypatch.setitem(settings.DATABASES, "vault", {"ENGINE": SQLITE})
    assert [each for each in run_checks() if each.id == "ledger.E001"]
