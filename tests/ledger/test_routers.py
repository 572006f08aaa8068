"""The vault holds its keys and nothing else; nothing else holds them."""

import pytest
from django.apps import apps
from django.db import connections

from ledger.models import Entry, VaultKey
from ledger.routers import VaultRouter

ROUTER = VaultRouter()


def test_vault_keys_are_read_and_written_in_the_vault() -> None:
    assert ROUTER.db_for_read(VaultKey) == "vault"
    assert ROUTER.db_for_write(VaultKey) == "vault"
    assert ROUTER.db_for_read(Entry) is None
    assert ROUTER.db_for_write(Entry) is None


def test_each_table_belongs_to_one_database() -> None:
    for model in apps.get_models(include_auto_created=True):
        label, name = model._meta.app_label, model._meta.model_name
        is_vault = model is VaultKey
        assert ROUTER.allow_migrate("vault", label, name) is is_vault
        assert ROUTER.allow_migrate("default", label, name) is not is_vault


def test_no_relation_leads_into_the_vault() -> None:
    assert ROUTER.allow_relation(VaultKey(), Entry()) is False
    assert ROUTER.allow_relation(Entry(), VaultKey()) is False
    assert ROUTER.allow_relation(Entry(), Entry()) is None


@pytest.mark.django_db
def test_the_databases_are_made_so() -> None:
    with connections["vault"].cursor() as cursor:
        tables = connections["vault"].introspection.table_names(cursor)
    assert set(tables) == {"django_migrations", "ledger_vaultkey"}
    with connections["default"].cursor() as cursor:
        tables = connections["default"].introspection.table_names(cursor)
    assert "ledger_vaultkey" not in tables
    assert "ledger_entry" in tables
