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
    """Send the files left behind again, and delete plaintext of dead children."""
    now = django.utils.timezone.now()
    upkeep.pick_up(send=lambda file_id: nudge(check_file, str(file_id)), now=now)
    upkeep.sweep_scratch(now=now)


@app.task(name="catalog.tidy_store", max_retries=0)
def tidy_store() -> None:
    """Delete bytes that no row needs any more."""
    upkeep.tidy(now=django.utils.timezone.now())
