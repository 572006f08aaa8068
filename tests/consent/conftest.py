"""A published form and a donor, for tests of the room itself."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

import consent.services
from consent.forms import shipped
from consent.models import Consent, Donor, FormVersion
from consent.terms import Terms

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

Given = Callable[..., Consent]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def form(db: None) -> FormVersion:
    """Return the shipped form, published."""
    return consent.services.publish_form(
        name="general",
        version="1.0",
        language="en",
        content=shipped.content(),
        now=NOW,
    )


@pytest.fixture
def donor(db: None) -> Donor:
    """Return a donor who has decided nothing yet."""
    return consent.services.register_donor(now=NOW)


@pytest.fixture
def given(form: FormVersion, donor: Donor) -> Given:
    """Return a function that lets the donor, or another one, give a consent."""

    def give(**fields: Any) -> Consent:
        return consent.services.give(
            **{
                "donor": donor,
                "form": form,
                "terms": Terms(permission="GRU"),
                "event": uuid4(),
                "now": NOW,
                "evidence": {"method": "password"},
                **fields,
            }
        )

    return give
