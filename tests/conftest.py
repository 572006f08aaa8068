"""What every test may ask for: both databases, a clock, a seed, the cast."""

import os
import random
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, override_settings

from gemmule.accounts.models import User
from gemmule.demo import cast
from ledger import rollback
from tests import factories

_DATABASES = ["default", "vault"]
_DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}

# A failing example is printed so that it can be run again; the time an example
# takes says nothing on a machine that is busy with other things.
hypothesis.settings.register_profile("house", print_blob=True, deadline=None)
hypothesis.settings.load_profile("house")


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


@pytest.fixture(autouse=True, scope="session")
def _fast_passwords() -> Iterator[None]:
    """Hash passwords in microseconds instead of 0.3 s."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers):
        yield


@pytest.fixture(autouse=True)
def _no_tries_left_over() -> None:
    """Forget the rate limits that an earlier test has used up."""
    cache.clear()


@pytest.fixture(autouse=True)
def _notary_without_memory(request: pytest.FixtureRequest) -> None:
    """Let the notary forget what it signed before a test that starts without rows.

    Its memory outlives a rolled-back database, and it is made to take that for a log
    that was cut back: it would refuse to sign.
    """
    node: pytest.Item = request.node
    if node.get_closest_marker("django_db") or _DATABASE_FIXTURES & set(
        request.fixturenames
    ):
        shutil.rmtree(settings.DATA_DIR / "ledger", ignore_errors=True)
        settings.LEDGER_KEY_FILE.unlink(missing_ok=True)
        rollback.forget()


@pytest.fixture
def now() -> datetime:
    """Return the moment at which tests take place."""
    return datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Return a random source; its seed is printed, TEST_SEED repeats it."""
    seed = int(os.environ.get("TEST_SEED") or secrets.randbits(32))
    print(f"{request.node.nodeid}: TEST_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
def ada(db: None) -> User:
    """Return Ada, a donor; giving consent is what her tests do."""
    return factories.member(cast.ADA)


@pytest.fixture
def rosa(db: None) -> User:
    """Return Rosa, a researcher."""
    return factories.member(cast.ROSA)


@pytest.fixture
def ira(db: None) -> User:
    """Return Ira, who reviews for the IRB."""
    return factories.member(cast.IRA)


@pytest.fixture
def ingrid(db: None) -> User:
    """Return Ingrid, who chairs the IRB."""
    return factories.member(cast.INGRID)


@pytest.fixture
def sven(db: None) -> User:
    """Return Sven, a data steward."""
    return factories.member(cast.SVEN)


@pytest.fixture
def signe(db: None) -> User:
    """Return Signe, the second data steward."""
    return factories.member(cast.SIGNE)


@pytest.fixture
def aud(db: None) -> User:
    """Return Aud, an auditor."""
    return factories.member(cast.AUD)


@pytest.fixture
def alma(db: None) -> User:
    """Return Alma, an administrator."""
    return factories.member(cast.ALMA)


@pytest.fixture
def alan(db: None) -> User:
    """Return Alan, the second administrator."""
    return factories.member(cast.ALAN)


@pytest.fixture
def sam(db: None) -> User:
    """Return Sam, who can sign in and has no role at all."""
    return factories.member(cast.SAM)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Return a function that gives a browser-like client signed in as a person."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def confirmed(signed_in: Callable[[User], Client]) -> Callable[[User], Client]:
    """Return a function that also gives the person's password again, just now."""

    def confirm(user: User) -> Client:
        client = signed_in(user)
        answer = client.post("/account/reauthenticate/", {"password": cast.PASSWORD})
        assert answer.status_code == 302, "the password was refused"
        return client

    return confirm
