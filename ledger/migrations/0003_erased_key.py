"""Keep the tombstones of destroyed vault keys, and let them only grow."""

from django.db import migrations, models

_RULES = (
    ("UPDATE", "a tombstone is never changed"),
    ("DELETE", "a tombstone is never deleted"),
)


def add(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for statement, message in _RULES:
        if postgresql:
            action = f"EXECUTE FUNCTION ledger_refuse('{message}')"
        else:
            action = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        schema_editor.execute(
            f"CREATE TRIGGER ledger_erasedkey_refuse_{statement.lower()} "
            f"BEFORE {statement} ON ledger_erasedkey FOR EACH ROW {action}",
            params=None,
        )


def remove(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for statement, _ in _RULES:
        schema_editor.execute(
            f"DROP TRIGGER ledger_erasedkey_refuse_{statement.lower()}"
            + (" ON ledger_erasedkey" if postgresql else "")
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_append_only")]

    operations = [
        migrations.CreateModel(
            name="ErasedKey",
            fields=[
                (
                    "digest",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
            ],
        ),
        migrations.RunPython(add, remove),
    ]
