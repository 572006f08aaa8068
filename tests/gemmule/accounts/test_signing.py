"""Signing takes the password anew; a wrong one signs nothing."""

import hashlib
from datetime import datetime

import pytest
from django.core.cache import cache
from django.db import transaction

from gemmule.accounts import services, tries
from gemmule.accounts.errors import SignatureRefused, TooManyTries
from gemmule.accounts.models import User
from gemmule.accounts.signatures import Signature
from gemmule.demo import cast

STATEMENT = b"approve GMQ000001"


def sign(user: User, password: str, now: datetime) -> Signature:
    return services.sign(user=user, password=password, statement=STATEMENT, now=now)


def test_signature_names_who_signed_what_and_when(ira: User, now: datetime) -> None:
    signature = sign(ira, cast.PASSWORD, now)

    assert signature.to_json() == {
        "user": ira.pk,
        "method": "password",
        "statement_sha256": hashlib.sha256(STATEMENT).hexdigest(),
        "signed_at": "2026-03-02T09:30:00+00:00",
    }


@pytest.mark.parametrize("password", ["", "wrong", cast.PASSWORD + " ", "\0"])
def test_wrong_password_signs_nothing(ira: User, now: datetime, password: str) -> None:
    with pytest.raises(SignatureRefused, match="not your password"):
        sign(ira, password, now)


def test_sixth_try_is_refused_even_with_the_right_password(
    ira: User, now: datetime
) -> None:
    for _ in range(tries.MAX_TRIES):
        with pytest.raises(SignatureRefused):
            sign(ira, "wrong", now)

    with pytest.raises(TooManyTries, match="wait 15 minutes"):
        sign(ira, cast.PASSWORD, now)

    cache.clear()  # What the end of the window does.
    sign(ira, cast.PASSWORD, now)


def test_tries_are_counted_though_the_transaction_is_rolled_back(
    ira: User, now: datetime
) -> None:
    for _ in range(tries.MAX_TRIES):
        with pytest.raises(SignatureRefused), transaction.atomic():
            sign(ira, "wrong", now)

    with pytest.raises(TooManyTries):
        sign(ira, cast.PASSWORD, now)


def test_right_password_forgives_the_wrong_ones_before(
    ira: User, now: datetime
) -> None:
    for _ in range(3):
        for _ in range(tries.MAX_TRIES - 1):
            with pytest.raises(SignatureRefused):
                sign(ira, "wrong", now)
        sign(ira, cast.PASSWORD, now)


def test_wrong_passwords_of_one_person_do_not_stop_another(
    ira: User, ingrid: User, now: datetime
) -> None:
    for _ in range(tries.MAX_TRIES + 1):
        with pytest.raises(SignatureRefused):
            sign(ira, "wrong", now)

    sign(ingrid, cast.PASSWORD, now)


def test_closed_account_signs_nothing(ira: User, now: datetime) -> None:
    ira.is_active = False

    with pytest.raises(SignatureRefused):
        sign(ira, cast.PASSWORD, now)


def test_account_without_a_password_is_told_to_set_one(
    ira: User, now: datetime
) -> None:
    ira.set_unusable_password()

    with pytest.raises(SignatureRefused, match="set a password"):
        sign(ira, "", now)
