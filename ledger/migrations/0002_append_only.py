"""Let the tables of the log only grow.

Hygiene against a slip, not evidence: who owns the database can drop a trigger in one
statement. What convicts them is the signed checkpoint.
"""

from django.db import migrations

_RULES = (
    # table, statement, when, what the database says
    ("ledger_entry", "UPDATE", "", "entries of the ledger are never changed"),
    ("ledger_entry", "DELETE", "", "entries of the ledger are never deleted"),
    ("ledger_checkpoint", "UPDATE", "", "a signed checkpoint is never changed"),
    ("ledger_checkpoint", "DELETE", "", "a signed checkpoint is never deleted"),
    ("ledger_pending", "UPDATE", "", "a pending entry is never changed"),
    (
        "ledger_body",
        "UPDATE",
        "NEW.sealed IS NOT NULL OR NEW.event <> OLD.event",
        "a body is never changed, only erased",
    ),
    ("ledger_body", "DELETE", "", "a body is never deleted, only erased"),
    ("ledger_head", "UPDATE", "NEW.size < OLD.size", "the log never gets shorter"),
    ("ledger_head", "DELETE", "", "the head of the log is never deleted"),
)


def _names():
    for table, statement, when, message in _RULES:
        yield f"{table}_refuse_{statement.lower()}", table, statement, when, message


def add(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            """
            CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]
            USING ERRCODE = 'integrity_constraint_violation'; END $$
            """,
            params=None,
        )
    for name, table, statement, when, message in _names():
        condition = f"WHEN ({when})" if when else ""
        if schema_editor.connection.vendor == "postgresql":
            action = f"EXECUTE FUNCTION ledger_refuse('{message}')"
        else:
            action = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE {statement} ON {table} "
            f"FOR EACH ROW {condition} {action}",
            params=None,
        )


def remove(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for name, table, _, _, _ in _names():
        schema_editor.execute(
            f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else "")
        )
    if postgresql:
        schema_editor.execute("DROP FUNCTION ledger_refuse()")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunPython(add, remove)]
