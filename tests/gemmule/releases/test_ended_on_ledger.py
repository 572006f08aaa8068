"""A release that ended on the ledger hands out nothing, whatever its row says."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

import gemmule.access.services
import ledger.services
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.audit import reconciliation
from gemmule.releases import closing, gate, services
from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release
from gemmule.releases.turnstile import _Window
from ledger import inspection
from ledger.models import Mention
from tests.gemmule.access.conftest import draft, project, submitted
from tests.gemmule.api.conftest import (
    approved,
    available,
    dataset,
    folders,
    now,
    release,
)
from tests.gemmule.audit.conftest import as_superuser
from tests.gemmule.releases.conftest import keyring

__all__ = [
    "approved",
    "as_superuser",
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "submitted",
]

End = Callable[[Release, datetime], object]


def verdict(release: Release, user: User, now: datetime) -> str:
    """Return what the gate says of rows that are read anew, in both its forms."""
    fresh = Release.objects.select_related("request__project", "key").get(pk=release.pk)
    try:
        gate.check_open(fresh, user, today=now.date())
    except DeliveryRefused as error:
        return error.code
    return "open"


def window_opens(release: Release, user: User, now: datetime) -> bool:
    """Return the answer to the one question that a window asks, in its own words."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    with psycopg.connect(**parameters, autocommit=True) as link:
        window = _Window(link, {user.pk}, now.date())
        window.open(release.pk)
        link.rollback()
    return user.pk in window.allowed


def revoke(release: Release, now: datetime) -> None:
    ira = User.objects.get(email__startswith="ira")
    closing.revoke(user=ira, release=release, reason="Stop.", now=now)


def withdraw(release: Release, now: datetime) -> None:
    row = release.donors.first()
    assert row is not None
    services.withdraw_consent(
        donor=row.donor, channel="donor", event=uuid.uuid4(), now=now
    )


def close_request(release: Release, now: datetime) -> None:
    gemmule.access.services.close(
        user=release.recipient, request=release.request, now=now
    )


def let_expire(release: Release, now: datetime) -> None:
    gemmule.access.services.expire(now=now + timedelta(days=400))


ENDS: list[End] = [revoke, withdraw, close_request, let_expire]


def open_again(release: Release, now: datetime) -> None:
    """Set the rows as if nothing had happened, as whoever owns the database can."""
    Release.objects.filter(supersedes=release).delete()
    Release.objects.filter(pk=release.pk).update(
        state="available", closed_at=None, event_revoked=None
    )
    AccessRequest.objects.update(state="approved")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("is_pending", [False, True], ids=["sequenced", "pending"])
def test_a_release_that_ended_is_not_opened_by_its_row(
    end: End,
    is_pending: bool,
    available: Release,
    rosa: User,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert verdict(available, rosa, now) == "open"
    assert window_opens(available, rosa, now)
    if is_pending:
        monkeypatch.setattr(ledger.services, "settle", lambda *, now: None)
    end(available, now)
    open_again(available, now)
    assert verdict(available, rosa, now) == "ended-on-ledger"
    assert not window_opens(available, rosa, now)
    # The row of the request does not lead away from its end either.
    AccessRequest.objects.update(event_decided=None)
    assert verdict(available, rosa, now) == "ended-on-ledger"
    assert not window_opens(available, rosa, now)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
def test_a_row_that_leads_to_another_entry_than_its_seal_opens_nothing(
    end: End, available: Release, rosa: User, now: datetime
) -> None:
    event = available.donors.values_list("consent__event", flat=True).first()
    end(available, now)
    open_again(available, now)
    # An entry that nothing ends: that of a consent, published and as good as any.
    Release.objects.filter(pk=available.pk).update(event=event)
    AccessRequest.objects.update(event_decided=None)
    assert verdict(available, rosa, now) == "ended-on-ledger"
    assert not window_opens(available, rosa, now)


@pytest.mark.django_db(transaction=True)
def test_without_the_look_up_of_its_seal_a_release_is_shut(
    available: Release, rosa: User, now: datetime
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Mention.objects.filter(event=available.event)._raw_delete("default")
    assert verdict(available, rosa, now) == "ended-on-ledger"
    assert not window_opens(available, rosa, now)


@pytest.mark.django_db(transaction=True)
def test_a_pause_is_no_end(available: Release, rosa: User, now: datetime) -> None:
    row = available.donors.first()
    assert row is not None
    for act in (services.pause_consent, services.resume_consent):
        act(donor=row.donor, channel="donor", event=uuid.uuid4(), now=now)
    assert verdict(available, rosa, now) == "open"
    assert window_opens(available, rosa, now)


@pytest.mark.django_db
@pytest.mark.usefixtures("as_superuser")
def test_whoever_deletes_the_look_up_as_well_is_found_by_the_replay(
    available: Release, rosa: User, now: datetime
) -> None:
    assert inspection.inspect().is_sound
    revoke(available, now)
    open_again(available, now)
    Mention.objects.filter(type="data.revoked")._raw_delete("default")
    assert verdict(available, rosa, now) == "open"
    found = {each.code for each in inspection.inspect().findings}
    assert found == {"mention"}
    assert "release-revoked" in {each.code for each in reconciliation.findings()}


@pytest.mark.django_db
def test_the_look_up_is_by_index(available: Release, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT 1 FROM ledger_mention own JOIN ledger_mention other "
            "USING (digest) WHERE own.event = %s AND other.type IN ('data.revoked')",
            [available.event],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan, plan
