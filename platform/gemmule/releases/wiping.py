"""Wipe what databases have freed: no deleted value stays in their files.

SQLite overwrites what it frees (`secure_delete`, set for every connection); what its
write-ahead log still holds goes when that is cut to nothing. PostgreSQL gives the room
of deleted rows free by VACUUM, to be overwritten; it does not zero it, see
docs/erasure.md. Backups and archived logs are out of reach here.
"""

from collections.abc import Collection

from django.db import connections
from django.db.models import Model

from gemmule.releases.errors import ErasureWaits


def wipe(models: Collection[type[Model]]) -> None:
    """Wipe every database; `models` name the tables that had something deleted.

    Raises ErasureWaits while a reader of SQLite keeps the log from being cut.
    """
    for alias in connections:
        connection = connections[alias]
        assert not connection.in_atomic_block, "what is not committed is not freed"
        if connection.vendor == "postgresql":
            _vacuum(alias, models)
        else:
            _cut_log(alias)


def _vacuum(alias: str, models: Collection[type[Model]]) -> None:
    connection = connections[alias]
    there = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in sorted({model._meta.db_table for model in models} & there):
            cursor.execute(f"VACUUM {connection.ops.quote_name(table)}")


def _cut_log(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (is_busy, _, _) = cursor.fetchone()
    if is_busy:
        raise ErasureWaits("somebody still reads from the log of the database")
