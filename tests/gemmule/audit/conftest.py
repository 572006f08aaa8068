"""An available release that was handed out once, and a database owner's hands."""

from datetime import datetime

import pytest
from django.db import connection

import consent.services
from consent.forms import shipped
from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from gemmule.releases import delivery
from gemmule.releases.models import Release
from tests import cohorts
from tests.gemmule.access.conftest import draft, project, submitted
from tests.gemmule.api.conftest import (
    approved,
    available,
    folders,
    now,
    release,
)
from tests.gemmule.releases.conftest import keyring

__all__ = [
    "approved",
    "available",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "submitted",
]


@pytest.fixture
def dataset(sven: User, signe: User, now: datetime) -> Dataset:
    """Return 22 donors who signed a form that was published on the ledger."""
    consent.services.publish_form(
        name="cohort", version="1.0", language="en", content=shipped.content(), now=now
    )
    return cohorts.dataset(
        cohorts.donors([cohorts.GENERAL] * 22, now),
        steward=sven,
        second=signe,
        now=now,
    )


@pytest.fixture
def delivered(available: Release, rosa: User, now: datetime) -> Release:
    """Return the release after Rosa has downloaded its file."""
    given = delivery.open_file(
        user=rosa,
        release=available,
        file=available.files.get(),
        range_header=None,
        if_range=None,
        clock=lambda: now,
    )
    assert b"".join(given.chunks)
    return available


@pytest.fixture
def as_superuser(db: None) -> None:
    """Switch the guards off for the test, as whoever owns the database can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
