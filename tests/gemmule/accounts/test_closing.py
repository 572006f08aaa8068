"""A donor's account ends at once, and is deleted with everything in it."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from knox.models import AuthToken

from gemmule.accounts import closing
from gemmule.accounts.closing import Outcome
from gemmule.accounts.models import DonorAccount, Role, User
from tests import factories

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_shut_account_opens_nothing(ada: User) -> None:
    client = browser(ada)
    closing.shut(user=ada)
    assert client.get("/account/").status_code == 302
    assert not DonorAccount.objects.filter(user=ada).exists()
    assert not Client().login(email=ada.email, password="amber-ledger-41-sprouts")


def test_an_erased_account_leaves_no_row(ada: User, rosa: User) -> None:
    browser(ada), browser(ada)
    kept = browser(rosa)
    assert closing.addresses_of(ada.pk) == [ada.email]
    assert closing.erase(ada.pk) is Outcome.GONE
    assert not User.objects.filter(pk=ada.pk).exists()
    assert not EmailAddress.objects.filter(email=ada.email).exists()
    assert Session.objects.count() == 1
    assert kept.get("/account/").status_code == 200
    assert closing.erase(ada.pk) is Outcome.GONE


def test_who_works_here_stays(rosa: User) -> None:
    factories.grant(rosa, Role.DONOR)
    closing.shut(user=rosa)
    assert closing.addresses_of(rosa.pk) == []
    assert closing.erase(rosa.pk) is Outcome.KEPT
    rosa.refresh_from_db()
    assert rosa.is_active
    assert not rosa.role_grants.filter(role=Role.DONOR).exists()


def test_who_worked_here_leaves_an_empty_row(rosa: User) -> None:
    factories.grant(rosa, Role.DONOR)
    AuthToken.objects.create(user=rosa)
    rosa.role_grants.filter(role=Role.RESEARCHER).update(revoked_at=rosa.date_joined)
    email, name = rosa.email, rosa.name
    closing.shut(user=rosa)
    assert closing.erase(rosa.pk) is Outcome.ANONYMOUS
    rosa.refresh_from_db()
    assert (rosa.is_active, rosa.has_usable_password()) == (False, False)
    assert email not in rosa.email
    assert name not in rosa.name
    assert rosa.institution is None
    assert not AuthToken.objects.filter(user=rosa).exists()
    assert not EmailAddress.objects.filter(email=email).exists()
    assert rosa.role_grants.filter(role=Role.RESEARCHER).exists(), "on the ledger"
