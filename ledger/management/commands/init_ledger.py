"""Make the keys of a new ledger and print the public one."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger import errors, keys, selectors


class Command(BaseCommand):
    """Where keys are not made at first use: once, before the first start."""

    help = "make the service key, the log key and the notary's memory where missing"

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing; what is there stays."""
        try:
            if selectors.tree_size() == 0:
                keys.create_service_key()
                if not keys.is_notary_elsewhere():
                    keys.create_log_key()
            keys.service_key()
            verifiers = keys.verifiers()
            keys.open_notary().last_signed()
        except errors.LedgerError as error:
            raise CommandError(str(error)) from error
        for key in verifiers:
            self.stdout.write(f"verifier key of the log: {key.text}")
