"""What tests of erasing share: Ada among the donors, and the words she says."""

import gzip

import pytest

from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.accounts.selectors import donor_of
from gemmule.catalog.models import DataFile
from gemmule.catalog.storage import store_path
from gemmule.demo.cast import PASSWORD
from gemmule.releases import erasure, services, upkeep
from gemmule.releases.models import Erasure, ErasureStage
from tests import cohorts
from tests.gemmule.releases.conftest import Clock


@pytest.fixture
def wiped(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """Return the tables of each wipe; a real one is refused inside a transaction."""
    found: list[set[str]] = []
    monkeypatch.setattr(
        "gemmule.releases.wiping.wipe",
        lambda models: found.append({one._meta.db_table for one in models}),
    )
    return found


@pytest.fixture
def hers(ada: User) -> Donor:
    found = donor_of(ada)
    assert found is not None
    return found


@pytest.fixture
def donors(hers: Donor, clock: Clock) -> list[Donor]:
    """Return 30 donors, Ada the first; the last two have decided nothing."""
    cohorts.agree(hers, cohorts.GENERAL, clock())
    wishes = [cohorts.GENERAL] * 27 + [None] * 2
    return [hers, *cohorts.donors(wishes, clock())]


def ask(user: User, clock: Clock) -> Erasure:
    return services.ask_for_erasure(user=user, password=PASSWORD, now=clock())


def erase(user: User, clock: Clock) -> Erasure:
    begun = ask(user, clock)
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    upkeep.settle(now=clock())
    begun.refresh_from_db()
    return begun


def stored(file: DataFile) -> str:
    return gzip.decompress(store_path(file).read_bytes()).decode()
