"""Settings that would break the ledger's promises stop the start, or are told of."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import connection

from ledger.checks import check_commits_reach_the_disk, check_sqlite_locks_at_begin
from ledger.tlog.policy import Policy
from tests.ledger import written

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


def ids(*, is_deployed: bool = False) -> list[str]:
    found = run_checks(include_deployment_checks=is_deployed)
    return [each.id for each in found if (each.id or "").startswith("ledger.")]  # type: ignore[misc] # no id is no match


def test_a_policy_file_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "policy"
    monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", path)
    assert ids() == ["ledger.E004"]
    path.write_text("nonsense\n")
    assert ids(is_deployed=True) == ["ledger.E004"]
    path.write_text(written.policy_text())
    assert ids(is_deployed=True) == []


def test_a_notary_that_cannot_be_named_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "LEDGER_NOTARY", "http://localhost")
    assert ids() == ["ledger.E004"]
    monkeypatch.setattr(settings, "LEDGER_NOTARY", "unix:/run/notary.sock")
    assert ids() == []


def test_a_deployment_without_witnesses_is_told_what_that_means(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert ids() == []
    assert ids(is_deployed=True) == ["ledger.I001"]
    path = tmp_path / "policy"
    path.write_text(Policy.single(written.KEY.verifier).text)
    monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", path)
    assert ids(is_deployed=True) == ["ledger.I001"]


@pytest.mark.django_db
def test_a_server_that_forgets_in_a_crash_is_told_of() -> None:
    """The server of the tests does, to be fast; a given one may not."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        names = [
            each.msg.partition(" ")[0]
            for each in check_commits_reach_the_disk(None, databases=["default"])
        ]
        assert "synchronous_commit" in names
        cursor.execute("SET LOCAL synchronous_commit = on")
        found = check_commits_reach_the_disk(None, databases=["default"])
        assert all(each.msg.startswith("fsync ") for each in found)
    assert check_commits_reach_the_disk(None) == []
