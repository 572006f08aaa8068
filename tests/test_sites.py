"""Sites of their own: migrated, empty, and apart."""

import sqlite3
from pathlib import Path

import psycopg

from tests.sites import FreshSite


def test_sites_on_postgres_share_nothing(fresh_site: FreshSite) -> None:
    first, second = fresh_site("postgres"), fresh_site("postgres")
    for name in ("DATABASE_URL", "VAULT_DATABASE_URL", "GEMMULE_DATA_DIR"):
        assert first[name] != second[name]
    with psycopg.connect(first["DATABASE_URL"]) as connection:
        connection.execute("DELETE FROM django_migrations")
    with psycopg.connect(second["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1 FROM django_migrations").fetchall()
        assert not connection.execute("SELECT 1 FROM accounts_user").fetchall()


def test_site_on_postgres_has_its_vault_apart(fresh_site: FreshSite) -> None:
    site = fresh_site("postgres")
    assert site["DATABASE_URL"] != site["VAULT_DATABASE_URL"]
    with psycopg.connect(site["VAULT_DATABASE_URL"]) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
    assert ("accounts_user",) not in tables
    assert ("django_migrations",) in tables


def test_site_on_sqlite_knows_no_server(fresh_site: FreshSite) -> None:
    site = fresh_site("sqlite")
    assert not {"DATABASE_URL", "VAULT_DATABASE_URL", "REDIS_URL"} & set(site)
    directory = Path(site["GEMMULE_DATA_DIR"])
    assert {path.name for path in directory.iterdir()} == {
        "gemmule.sqlite3",
        "vault.sqlite3",
    }
    connection = sqlite3.connect(directory / "gemmule.sqlite3")
    try:
        assert connection.execute("SELECT count(*) FROM accounts_user").fetchone() == (
            0,
        )
    finally:
        connection.close()
