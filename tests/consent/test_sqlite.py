"""The embedded database holds the same rules: a site of its own on SQLite."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]

_STORY = """
import uuid
from datetime import UTC, datetime
import django
django.setup()
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
call_command("migrate", database="default", verbosity=0)
call_command("migrate", database="vault", verbosity=0)
assert connection.vendor == "sqlite"
import consent.locks, consent.selectors, consent.services
from consent import reconciliation
from consent.forms import shipped
from consent.models import Consent, Donor, FormVersion
from consent.terms import Terms

now = datetime(2026, 3, 2, tzinfo=UTC)
form = consent.services.publish_form(
    name="general", version="1.0", language="en", content=shipped.content(), now=now
)
donor = consent.services.register_donor(now=now)
terms = Terms(permission="GRU")
made = consent.services.give(
    donor=donor, form=form, terms=terms, event=uuid.uuid4(), now=now
)
last = consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=now)
with transaction.atomic():
    consent.locks.lock_shared([donor.pk])
refused = []

def attempt(what):
    try:
        with transaction.atomic():
            what()
    except IntegrityError as error:
        refused.append(str(error))

attempt(lambda: Consent.objects.filter(pk=made.pk).update(discovery=True))
attempt(lambda: Consent.objects.filter(pk=made.pk).update(is_current=True))
attempt(lambda: Consent.objects.filter(pk=last.pk).update(terms={}))
attempt(lambda: Consent.objects.filter(pk=last.pk).delete())
attempt(lambda: FormVersion.objects.filter(pk=form.pk).update(title="x"))
attempt(lambda: connection.cursor().execute("DELETE FROM consent_formversion"))
for line in refused:
    print(line)
assert reconciliation.check_donor(donor.pk) == 2
Donor.objects.filter(pk=donor.pk).update(erased_at=now)
Consent.objects.filter(donor=donor).delete()
call_command("migrate", "consent", "0003", verbosity=0)
call_command("migrate", "consent", verbosity=0)
"""


def test_decisions_and_forms_stand_as_they_were_made(
    fresh_site: Callable[[str], dict[str, str]],
) -> None:
    environment = {
        **fresh_site("sqlite"),
        "DJANGO_SETTINGS_MODULE": "gemmule.settings",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
    }
    ran = subprocess.run(
        [sys.executable, "-c", _STORY],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "a decision is never changed, only followed by another",
        "a decision is never changed, only followed by another",
        "a decision is never changed, only followed by another",
        "a decision is deleted only when its donor is erased",
        "a published form is never changed",
        "a published form is never deleted",
    ]
