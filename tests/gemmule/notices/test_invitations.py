"""An administrator opens an account; its owner is mailed and sets a password."""

import re
from datetime import datetime

import pytest
from django.core import mail as outbox
from django.test import Client

from gemmule.accounts import selectors
from gemmule.accounts.errors import AccountRefused, NotAllowed
from gemmule.accounts.models import User
from gemmule.notices import invitations, mail
from gemmule.notices.models import Notice
from tests import factories

PASSWORD = "nine-violet-anchors-84"


def invite(by: User, now: datetime, email: str = "New@Example.org") -> User:
    return invitations.invite(
        administrator=by,
        email=email,
        name=" Nils New ",
        institution=factories.InstitutionFactory.create(),
        now=now,
    )


def test_account_is_open_without_roles_or_password(alma: User, now: datetime) -> None:
    user = invite(alma, now)

    assert (user.email, user.name) == ("new@example.org", "Nils New")
    assert selectors.roles_of(user) == []
    assert not user.has_usable_password()


def test_mailed_link_leads_to_a_first_password(
    alma: User, now: datetime, client: Client
) -> None:
    user = invite(alma, now)
    mail.send(Notice.objects.get(user=user).pk, now=now)
    assert "http://localhost:8000/account/password/reset/" in outbox.outbox[0].body

    client.post("/account/password/reset/", {"email": user.email})
    link = re.search(
        r"http\S+(/account/password/reset/key/\S+)", str(outbox.outbox[1].body)
    )
    assert link is not None
    page = client.get(link[1])
    client.post(
        page.headers["Location"], {"password1": PASSWORD, "password2": PASSWORD}
    )

    answer = client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    assert answer.headers["Location"] == "/home/"


@pytest.mark.parametrize("email", ["rosa@example.org", "ROSA@example.org"])
def test_address_that_is_taken_opens_no_second_account(
    alma: User, rosa: User, now: datetime, email: str
) -> None:
    with pytest.raises(AccountRefused, match="already has an account"):
        invite(alma, now, email)

    assert not Notice.objects.exists()


def test_only_administrators_open_accounts(
    ada: User, rosa: User, ira: User, sven: User, aud: User, sam: User, now: datetime
) -> None:
    for user in (ada, rosa, ira, sven, aud, sam):
        with pytest.raises(NotAllowed):
            invite(user, now)

    assert not User.objects.filter(email="new@example.org").exists()
