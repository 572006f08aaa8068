"""Keep the vault in a database of its own, and everything else out of it."""

from typing import Any

from django.db.models import Model

VAULT = "vault"
_VAULT_MODELS = {"vaultkey"}


class VaultRouter:
    """Send `ledger.VaultKey` to the alias `vault`, all other models elsewhere.

    A key can then be destroyed, and its backups kept short, apart from the tables
    whose commitments it opens.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        """Return where rows of the model are read."""
        return VAULT if _belongs_to_vault(model) else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str | None:
        """Return where rows of the model are written."""
        return VAULT if _belongs_to_vault(model) else None

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool | None:
        """Forbid foreign keys between the vault and the rest."""
        # Asked of the objects, not of their types: `request.user` is a lazy one.
        if _belongs_to_vault(first) != _belongs_to_vault(second):
            return False
        return None

    def allow_migrate(
        self, db: str, app_label: str, model_name: str | None = None, **hints: Any
    ) -> bool:
        """Return whether this table, or a step without a table, belongs to `db`."""
        is_vault_model = app_label == "ledger" and model_name in _VAULT_MODELS
        return is_vault_model == (db == VAULT)


def _belongs_to_vault(model: Model | type[Model]) -> bool:
    return model._meta.app_label == "ledger" and model._meta.model_name in _VAULT_MODELS
