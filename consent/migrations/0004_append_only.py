"""Let decisions and published forms stand as they were made.

Of a decision only `is_current` may change, once, from true to false; it may be deleted
only after its donor is marked as erased. Hygiene against a slip, not evidence: what
convicts whoever owns the database is the ledger (`consent.reconciliation`).
"""

from django.db import migrations

# Everything that the ledger entry commits to, and what ties the row to it.
_DECIDED = (
    "id",
    "donor_id",
    "number",
    "act",
    "terms",
    "withheld",
    "discovery",
    "form_id",
    "language",
    "channel",
    "valid_until",
    "mondo_version",
    "event",
    "created_at",
)
_RULES = (
    # name, table, statement, when, what the database says
    (
        "consent_decision_refuse_update",
        "consent_consent",
        "UPDATE",
        "(NEW.is_current AND NOT OLD.is_current) OR {changed}",
        "a decision is never changed, only followed by another",
    ),
    (
        "consent_decision_refuse_delete",
        "consent_consent",
        "DELETE",
        "EXISTS (SELECT 1 FROM consent_donor"
        " WHERE id = OLD.donor_id AND erased_at IS NULL)",
        "a decision is deleted only when its donor is erased",
    ),
    (
        "consent_form_refuse_update",
        "consent_formversion",
        "UPDATE",
        "OLD.state = 'published'",
        "a published form is never changed",
    ),
    (
        "consent_form_refuse_delete",
        "consent_formversion",
        "DELETE",
        "OLD.state = 'published'",
        "a published form is never deleted",
    ),
)


def _changed(differs):
    return " OR ".join(f"NEW.{name} {differs} OLD.{name}" for name in _DECIDED)


def add(apps, schema_editor):
    for name, table, statement, when, message in _RULES:
        if schema_editor.connection.vendor == "postgresql":
            # A condition of the trigger itself may not look at another table.
            kept = "NEW" if statement == "UPDATE" else "OLD"
            condition = when.format(changed=_changed("IS DISTINCT FROM"))
            schema_editor.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN IF {condition} THEN RAISE EXCEPTION '{message}' "
                "USING ERRCODE = 'integrity_constraint_violation'; END IF; "
                f"RETURN {kept}; END $$",
                params=None,
            )
            action = f"EXECUTE FUNCTION {name}()"
        else:
            condition = when.format(changed=_changed("IS NOT"))
            action = f"WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        schema_editor.execute(
            f"CREATE TRIGGER {name} BEFORE {statement} ON {table} "
            f"FOR EACH ROW {action}",
            params=None,
        )


def remove(apps, schema_editor):
    postgresql = schema_editor.connection.vendor == "postgresql"
    for name, table, _, _, _ in _RULES:
        schema_editor.execute(
            f"DROP TRIGGER {name}" + (f" ON {table}" if postgresql else "")
        )
        if postgresql:
            schema_editor.execute(f"DROP FUNCTION {name}()")


class Migration(migrations.Migration):
    dependencies = [("consent", "0003_donor_erased_at")]

    operations = [migrations.RunPython(add, remove)]
