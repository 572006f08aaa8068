"""Rosa's request for 22 donors' data, and everyone as a caller of the API."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from gemmule.access import reviews
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import Role, User
from gemmule.catalog.models import Dataset
from gemmule.demo.cast import PASSWORD
from gemmule.releases import services
from gemmule.releases.models import Release
from tests import cohorts, factories
from tests.gemmule.access.conftest import (  # noqa: F401  (fixtures)
    draft,
    project,
    submitted,
)
from tests.gemmule.api.callers import Caller, caller
from tests.gemmule.api.sealing import seal_release
from tests.gemmule.releases.conftest import Keyring, keyring  # noqa: F401  (a fixture)


@pytest.fixture
def now() -> datetime:
    """Return the present: what is asked over HTTP happens at the clock's time."""
    return timezone.now()


@pytest.fixture(autouse=True)
def no_static_files(settings: Settings) -> None:
    """Spare each client a look at every static file (17 ms); none is asked for."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, settings: Settings) -> None:
    """Keep the releases of this test in its own folder."""
    settings.RELEASE_DIR = tmp_path / "releases"


@pytest.fixture
def dataset(sven: User, signe: User, now: datetime) -> Dataset:
    """Return 22 donors, who permit: enough for a release, and for the one after."""
    return cohorts.dataset(
        cohorts.donors([cohorts.GENERAL] * 22, now),
        steward=sven,
        second=signe,
        now=now,
    )


@pytest.fixture
def as_rosa(rosa: User) -> Caller:
    return caller(rosa)


@pytest.fixture
def as_rival(db: None) -> Caller:
    """Return another researcher, who has no part in Rosa's project."""
    return caller(factories.person(Role.RESEARCHER, name="Rival"))


@pytest.fixture
def as_someone(request: pytest.FixtureRequest) -> Callable[[str], Caller]:
    """Return a function that gives a member of the cast as a caller."""

    def find(who: str) -> Caller:
        return caller(request.getfixturevalue(who))

    return find


@pytest.fixture
def approved(ira: User, submitted: AccessRequest, now: datetime) -> AccessRequest:  # noqa: F811
    return reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(now + timedelta(days=365)).date(),
        resolve=[],
        password=PASSWORD,
        now=now,
    )


@pytest.fixture
def release(
    rosa: User,
    approved: AccessRequest,
    keyring: Keyring,  # noqa: F811
    now: datetime,
) -> Release:
    """Return a release that waits for a worker."""
    return services.open_release(user=rosa, request=approved, key=keyring.key, now=now)


@pytest.fixture
def sealed(release: Release, now: datetime) -> Release:
    """Return the release sealed, its entry not under a checkpoint yet."""
    return seal_release(release, now=now, published=False)


@pytest.fixture
def available(release: Release, now: datetime) -> Release:
    return seal_release(release, now=now)
