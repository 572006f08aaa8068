"""Processes that work on the databases of the test that starts them."""

import os
import sys
from urllib.parse import quote

from django.conf import settings
from django.db import connections


def environment(database: str) -> dict[str, str]:
    """Return what a process needs to be on the same site as this test."""
    found = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "gemmule.settings",
        "GEMMULE_DATA_DIR": str(settings.DATA_DIR),
        "GEMMULE_LEDGER_POLICY": str(settings.LEDGER_POLICY_FILE or ""),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    addresses = {"DATABASE_URL": "default", "VAULT_DATABASE_URL": "vault"}
    for variable, alias in addresses.items():
        found.pop(variable, None)
        if database == "postgresql":
            found[variable] = _address(alias)
    return found


def _address(alias: str) -> str:
    chosen = connections[alias].settings_dict
    host = quote(chosen["HOST"], safe="")
    password = f":{quote(chosen['PASSWORD'])}" if chosen["PASSWORD"] else ""
    port = f":{chosen['PORT']}" if chosen["PORT"] else ""
    return f"postgresql://{chosen['USER']}{password}@{host}{port}/{chosen['NAME']}"
