"""Celery's side of auditing: the daily replay of the ledger, and one asked for."""

import django.utils.timezone

import ledger.verifications
from gemmule.audit import reconciliation
from gemmule.celery import app


@app.task(name="audit.verify_ledger", max_retries=0)
def verify_ledger() -> None:
    """Replay the ledger if somebody asked for it, or the last time is a day ago.

    Never retried by Celery: it runs every minute, and the row says what is undone.
    """
    clock = django.utils.timezone.now
    ledger.verifications.request_if_due(now=clock())
    ledger.verifications.run(clock=clock, also=reconciliation.findings)
