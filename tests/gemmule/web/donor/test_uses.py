"""Who used a donor's data, and what is said of it."""

from collections.abc import Callable

import pytest
from django.test import Client

from gemmule.accounts.models import Role, User
from gemmule.releases.models import (
    Download,
    Release,
    ReleaseState,
)
from tests import factories
from tests.gemmule.web.donor.pages import text

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


def test_uses_tell_who_why_and_when(client: Client, fetched: Download) -> None:
    answer = client.get("/donor/uses/")
    page = text(answer)
    for part in (
        "Hearts",
        "Harbour Institute of Genomics",
        "any kind of research",
        "A review board said yes on 2 March 2026",
        "Yes, once, last on 2 March 2026",
        "GMR000001",
        "type:biomedical",
    ):
        assert part in page
    assert "About <hearts>" not in answer.content.decode()
    assert "ab" * 32 not in page


def test_uses_that_nobody_fetched_are_not_called_fetched(
    client: Client, release: Release
) -> None:
    page = text(client.get("/donor/uses/"))
    assert "Ready, not fetched" in page
    assert "Was it fetched? No." in page


def test_release_that_was_never_sealed_is_no_use(
    client: Client, release: Release
) -> None:
    Release.objects.update(
        sealed_at=None, state=ReleaseState.FAILED, failure_reason="x"
    )
    assert "No one yet" in text(client.get("/donor/uses/"))


def test_uses_of_another_donor_are_not_shown(
    release: Release, signed_in: SignedIn
) -> None:
    other = signed_in(factories.person(Role.DONOR))
    page = text(other.get("/donor/uses/"))
    assert "Hearts" not in page
    assert "No one yet" in page
