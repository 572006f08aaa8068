"""Keys of the vault open with the service key, alone, until they are destroyed."""

import base64
import uuid
from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from ledger import errors, vault
from ledger.models import VaultKey

pytestmark = pytest.mark.django_db


def test_keys_are_random_and_open(now: datetime) -> None:
    made = vault.create(3, now=now)
    opened = vault.open_keys(made)
    assert opened == made
    assert len(set(opened.values())) == 3
    assert {len(key) for key in opened.values()} == {32}


def test_no_key_lies_open_in_the_vault(now: datetime) -> None:
    (key_id,) = vault.create(1, now=now)
    row = VaultKey.objects.get(id=key_id)
    assert row.wrapped is not None
    assert vault.open_key(key_id) not in bytes(row.wrapped)


def test_a_destroyed_key_is_gone_for_good(now: datetime) -> None:
    kept, gone = vault.create(2, now=now)
    vault.destroy(gone, now=now)
    vault.destroy(gone, now=now + timedelta(days=1))
    row = VaultKey.objects.get(id=gone)
    assert (row.wrapped, row.destroyed_at) == (None, now)
    assert set(vault.open_keys([kept, gone])) == {kept}
    assert vault.destroyed([kept, gone, uuid.uuid4()]) == {gone}
    with pytest.raises(errors.SubjectUnknown, match="it was destroyed"):
        vault.open_key(gone)


def test_another_service_key_opens_nothing(
    now: datetime, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (key_id,) = vault.create(1, now=now)
    settings.SERVICE_KEY_FILE = tmp_path_factory.mktemp("keys") / "other.key"
    settings.SERVICE_KEY_FILE.write_bytes(base64.b64encode(bytes(32)))
    with pytest.raises(errors.VaultSealBroken, match="with the service key"):
        vault.open_key(key_id)


def test_a_wrapped_key_put_under_another_id_does_not_open(now: datetime) -> None:
    first, second = vault.create(2, now=now)
    wrapped = VaultKey.objects.get(id=first).wrapped
    VaultKey.objects.filter(id=second).update(wrapped=wrapped)
    with pytest.raises(errors.VaultSealBroken):
        vault.open_key(second)
    VaultKey.objects.filter(id=second).update(wrapped=b"short")
    with pytest.raises(errors.VaultSealBroken):
        vault.open_key(second)


def test_many_keys_are_opened_in_few_queries(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = vault.create(501, now=now)
    with django_assert_num_queries(2, using="vault"):
        assert len(vault.open_keys([*made, *made])) == 501


def test_a_key_is_kept_or_destroyed_and_nothing_between(now: datetime) -> None:
    with pytest.raises(IntegrityError), transaction.atomic(using="vault"):
        VaultKey.objects.create(id=uuid.uuid4(), wrapped=None, created_at=now)
    with pytest.raises(IntegrityError), transaction.atomic(using="vault"):
        VaultKey.objects.create(
            id=uuid.uuid4(), wrapped=b"x", created_at=now, destroyed_at=now
        )
