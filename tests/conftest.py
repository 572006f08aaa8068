"""What every test may ask for: both databases, a clock, the cast."""

from datetime import UTC, datetime

import pytest

_DATABASES = ["default", "vault"]
_DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let every test that uses a database use both of them."""
    for item in items:
        mark = item.get_closest_marker("django_db")
        if mark or _DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())):
            options = dict(mark.kwargs) if mark else {}
            options.setdefault("databases", _DATABASES)
            item.add_marker(pytest.mark.django_db(**options), append=False)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    postgres: str,
    valkey: str,
) -> None:
    """Start the servers when the first test needs a database, and not before."""


@pytest.fixture
def now() -> datetime:
    """Return the moment at which tests take place."""
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
