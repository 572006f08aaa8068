"""Celery's side of the API: what it forgets in time."""

import django.utils.timezone

from gemmule.api import upkeep
from gemmule.celery import app


@app.task(name="api.forget_answers", max_retries=0)
def forget_answers() -> None:
    """Delete answers kept for `Idempotency-Key` whose life is over."""
    upkeep.forget_answers(now=django.utils.timezone.now())
