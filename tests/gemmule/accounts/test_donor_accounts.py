"""Who signs up is a donor; one erasable row ties the login to the pseudonym."""

from datetime import datetime

import pytest
from django.db import IntegrityError
from django.test import Client

import consent.services
from consent.models import Donor
from gemmule.accounts import selectors, services
from gemmule.accounts.errors import AccountRefused, NotFound
from gemmule.accounts.models import DonorAccount, Role, User
from tests import factories

PASSWORD = "nine-violet-anchors-84"


def sign_up(client: Client, email: str = "New@Example.org") -> int:
    answer = client.post(
        "/account/signup/",
        {"email": email, "password1": PASSWORD, "password2": PASSWORD},
    )
    return answer.status_code


def test_who_signs_up_is_a_donor_and_signed_in(client: Client, db: None) -> None:
    assert sign_up(client) == 302

    user = User.objects.get(email="new@example.org")
    assert selectors.roles_of(user) == [Role.DONOR]
    donor = selectors.donor_of(user)
    assert donor is not None
    assert selectors.account_of(donor) == user
    assert client.get("/home/").headers["Location"] == "/donor/"


def test_address_is_taken_once_whatever_its_case(client: Client, db: None) -> None:
    sign_up(client)

    sign_up(Client(), email="new@EXAMPLE.org")

    assert User.objects.count() == 1
    assert Donor.objects.count() == 1


def test_failed_sign_up_leaves_neither_login_nor_donor(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the vault is away")

    monkeypatch.setattr(consent.services, "register_donor", fail)

    with pytest.raises(RuntimeError):
        sign_up(client)

    assert not User.objects.exists()
    assert not Donor.objects.exists()


def test_link_ties_one_login_to_one_donor(rosa: User, sam: User, now: datetime) -> None:
    donor = consent.services.register_donor(now=now)
    other = consent.services.register_donor(now=now)
    services.link_donor(user=rosa, donor=donor)

    with pytest.raises(AccountRefused, match="already linked"):
        services.link_donor(user=rosa, donor=other)
    with pytest.raises(AccountRefused, match="already linked"):
        services.link_donor(user=sam, donor=donor)
    assert DonorAccount.objects.count() == 1


def test_deleting_the_row_cuts_the_tie_and_nothing_else(
    rosa: User, now: datetime
) -> None:
    donor = consent.services.register_donor(now=now)
    services.link_donor(user=rosa, donor=donor).delete()

    assert selectors.donor_of(rosa) is None
    assert selectors.account_of(donor) is None
    assert Donor.objects.filter(pk=donor.pk).exists()
    assert User.objects.filter(pk=rosa.pk).exists()


def test_who_is_no_donor_has_none(rosa: User) -> None:
    assert selectors.donor_of(rosa) is None


def test_people_are_found_by_address_while_their_account_is_open(rosa: User) -> None:
    assert selectors.user_by_email(" Rosa@Example.org ") == rosa

    User.objects.filter(pk=rosa.pk).update(is_active=False)
    with pytest.raises(NotFound):
        selectors.user_by_email(rosa.email)


def test_irb_members_are_reviewers_and_chairs_who_are_active(
    ira: User, ingrid: User, rosa: User
) -> None:
    gone = factories.person(Role.IRB_REVIEWER)
    User.objects.filter(pk=gone.pk).update(is_active=False)

    assert list(selectors.irb_members()) == sorted(
        [ira, ingrid], key=lambda user: user.pk
    )


def test_addresses_are_unique_in_the_database_whatever_their_case(db: None) -> None:
    User.objects.create_user("one@example.org")

    with pytest.raises(IntegrityError):
        User(email="ONE@example.org").save()


@pytest.mark.parametrize("name", ["", "  ", "x" * 151])
def test_name_that_does_not_fit_is_refused(rosa: User, alma: User, name: str) -> None:
    with pytest.raises(AccountRefused, match="1 to 150"):
        services.update_profile(user=rosa, name=name)
    with pytest.raises(AccountRefused, match="1 to 150"):
        services.open_account(
            administrator=alma, email="new@example.org", name=name, institution=None
        )

    rosa.refresh_from_db()
    assert rosa.name == "Rosa Marin"
    assert not User.objects.filter(email="new@example.org").exists()
