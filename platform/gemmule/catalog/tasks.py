"""Celery's side of the catalogue: each task takes an id, calls one function."""

from uuid import UUID

import django.utils.timezone

from gemmule.catalog import intake, upkeep
from gemmule.catalog.models import DataFileState
from gemmule.celery import app, nudge


@app.task(name="catalog.check_file", max_retries=0)
def check_file(file_id: str) -> None:
    """Check one uploaded file; one whose check broke off is sent again at once.

    Never retried by Celery: the lease and the periodic task do that, from the row.
    """
    state = intake.check(UUID(file_id), clock=django.utils.timezone.now)
    if state is DataFileState.UPLOADED:
        nudge(check_file, file_id)


@app.task(name="catalog.pick_up_files", max_retries=0)
def pick_up_files() -> None:
    """Send again the files left behind, and delete bytes that nobody needs."""
    now = django.utils.timezone.now()
    for file_id in upkeep.left_behind(now=now):
        nudge(check_file, str(file_id))
    upkeep.tidy(now=now)
