"""Write the mentions of existing entries, and forbid changes of the table.

From then on rows are written together with their entries, and like the log itself they
are never changed or deleted (`0002_append_only`).
"""

import json

from django.db import migrations

_KEYS = ("manifest_sha256", "request_sha256")
_AT_ONCE = 1000
_RULES = (
    ("UPDATE", "a mention is never changed"),
    ("DELETE", "a mention is never deleted"),
)


def fill(apps, schema_editor):
    alias = schema_editor.connection.alias
    entries = apps.get_model("ledger", "Entry").objects.using(alias)
    pending = apps.get_model("ledger", "Pending").objects.using(alias)
    mentions = apps.get_model("ledger", "Mention").objects.using(alias)

    def write(said):
        rows = [
            mentions.model(event=event, type=type_, digest=digest)
            for event, type_, pub in said
            for digest in sorted({pub[key] for key in _KEYS if key in pub})
        ]
        mentions.bulk_create(rows, ignore_conflicts=True)

    some = []
    for event, data in entries.order_by("seq").values_list("event", "data").iterator():
        parsed = json.loads(bytes(data))
        some.append((event, parsed["type"], parsed["pub"]))
        if len(some) == _AT_ONCE:
            write(some)
            some = []
    write(some)
    write(pending.values_list("event", "type", "pub"))


def guard(apps, schema_editor):
    for statement, message in _RULES:
        name = f"ledger_mention_refuse_{statement.lower()}"
        if schema_editor.connection.vendor == "postgresql":
            action = f"EXECUTE FUNCTION ledger_refuse('{message}')"
        else:
            action = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE {statement} ON ledger_mention "
            f"FOR EACH ROW {action}",
            params=None,
        )


def unguard(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for statement, _ in _RULES:
        schema_editor.execute(
            f"DROP TRIGGER ledger_mention_refuse_{statement.lower()}"
            + (" ON ledger_mention" if postgresql else "")
        )


class Migration(migrations.Migration):
    dependencies = [("ledger", "0006_mention")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunPython(guard, unguard),
    ]
