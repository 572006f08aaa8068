"""Celery's side of building: each task takes an id, calls one function, runs twice."""

import threading
from uuid import UUID

import django.utils.timezone
from celery.signals import worker_process_init, worker_process_shutdown

import gemmule.access.services
import ledger.bodies
from gemmule.celery import app, nudge
from gemmule.objects import places
from gemmule.releases import build, closing, erasure, holding, parts, upkeep
from gemmule.releases.models import ReleaseState
from genomics import spare

_is_ending = threading.Event()


@worker_process_init.connect
def _keep_a_spare_child(**_: object) -> None:
    # A build then starts at once, not after Python and numpy have.
    spare.keep()


@worker_process_shutdown.connect
def _drop_the_spare_child(**_: object) -> None:
    spare.drop()


@worker_process_init.connect
def _keep_this_machine_tidy(**_: object) -> None:
    # A task of the queue would come to one machine of several.
    if places.is_shared():
        threading.Thread(
            target=upkeep.keep_tidy,
            kwargs={"until": _is_ending, "clock": django.utils.timezone.now},
            name="tidy",
            daemon=True,
        ).start()


@worker_process_shutdown.connect
def _stop_tidying(**_: object) -> None:
    _is_ending.set()


@app.task(name="releases.build", max_retries=0)
def build_release(release_id: int) -> None:
    """Build one release; consent that moved meanwhile sends it again at once.

    Never retried by Celery: the lease and the reaper do that, from the row.
    """
    outcome = build.run(release_id, clock=django.utils.timezone.now)
    if outcome is ReleaseState.REQUESTED:
        nudge(build_release, release_id)
    elif outcome is ReleaseState.BUILDING:
        _send_parts()
    elif outcome is ReleaseState.SEALED:
        upkeep.settle(now=django.utils.timezone.now())


@app.task(name="releases.cut_part", max_retries=0)
def cut_part(part_id: int) -> None:
    """Cut one part of a split build; behind the last one, have the build go on."""
    release_id = parts.run(part_id, clock=django.utils.timezone.now)
    if release_id is not None:
        nudge(build_release, release_id)


@app.task(name="releases.erase", max_retries=0)
def erase_donor(erasure_id: str) -> None:
    """Carry an erasure on; what it waits for, the periodic task looks at again."""
    erasure.run(UUID(erasure_id), clock=django.utils.timezone.now)


@app.task(name="releases.reap", max_retries=0)
def reap_releases() -> None:
    """Settle the ledger, close what has expired, pick up what was left behind."""
    now = django.utils.timezone.now()
    holding.refresh(now=now)
    gemmule.access.services.expire(now=now)
    closing.expire_consents(now=now)
    closing.expire(now=now)
    upkeep.settle(now=now)
    upkeep.pick_up(send=lambda pk: nudge(build_release, pk), now=now)
    _send_parts()
    for erasure_id in erasure.left_behind(now=now):
        nudge(erase_donor, str(erasure_id))
    upkeep.sweep_scratch(now=now)


@app.task(name="releases.compare", max_retries=0)
def compare_with_signed() -> None:
    """Ask witnesses and mirrors whether the ledger's rows went back; hold if so."""
    holding.refresh(now=django.utils.timezone.now(), ask_everybody=True)


@app.task(name="releases.copy_ledger", max_retries=0)
def copy_ledger() -> None:
    """Bring the copies of the ledger in a bucket up to date."""
    ledger.bodies.copy_out()


@app.task(name="releases.tidy", max_retries=0)
def tidy_releases() -> None:
    """Delete what builds that came to nothing left, and close lost downloads."""
    upkeep.close_lost_downloads(now=django.utils.timezone.now())
    upkeep.tidy()


def _send_parts() -> None:
    upkeep.pick_up_parts(
        send=lambda pk: nudge(cut_part, pk), now=django.utils.timezone.now()
    )
