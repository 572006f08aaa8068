"""`verify_ledger` and the daily replay look at the rows of every room as well."""

from datetime import datetime
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

import ledger.verifications
from consent.models import Consent
from gemmule.audit import tasks
from gemmule.releases.models import Release

pytestmark = pytest.mark.django_db


def test_the_command_says_that_ledger_and_rows_hold(delivered: Release) -> None:
    out = StringIO()
    call_command("verify_ledger", stdout=out)
    assert "the ledger holds" in out.getvalue()


@pytest.mark.usefixtures("as_superuser")
def test_the_command_fails_on_a_row_that_was_edited(delivered: Release) -> None:
    Consent.objects.filter(pk=Consent.objects.values("pk")[:1]).update(discovery=False)
    out = StringIO()
    with pytest.raises(CommandError, match=r"does not hold: 1 finding"):
        call_command("verify_ledger", stdout=out)
    assert "its row differs in: discovery" in out.getvalue()


@pytest.mark.usefixtures("as_superuser")
def test_the_daily_replay_keeps_what_was_found_in_the_rows(
    delivered: Release, now: datetime
) -> None:
    Consent.objects.filter(pk=Consent.objects.values("pk")[:1]).update(discovery=False)
    tasks.verify_ledger()
    last = ledger.verifications.last()
    assert last is not None
    assert [one.code for one in last.findings] == ["consent-row"]
