"""Workers that erase one donor and kill themselves, one at each named point.

    python dying_erasers.py ERASURE_ID NOW STORE_DIR RELEASE_DIR POINT...

Each is a fork of this process, so that Django is loaded once. A line of JSON tells of
each: whether it reached its point and was killed there, at which stage the erasure was
found, and what was wrong with the ledger and the rows at that moment. The name of a
stage as a point means: the step before it is done, and not noted.
"""

import json
import os
import signal
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings

django.setup()

from django.db import connections  # noqa: E402 - after the setup

from gemmule.audit import reconciliation  # noqa: E402
from gemmule.catalog import storage as catalog_storage  # noqa: E402
from gemmule.releases import erasure, storage  # noqa: E402
from gemmule.releases.models import Erasure, ErasureStage  # noqa: E402
from ledger import inspection, vault  # noqa: E402

ERASURE_ID, NOW = uuid.UUID(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
settings.STORE_DIR, settings.RELEASE_DIR = Path(sys.argv[3]), Path(sys.argv[4])
# The other end of the pipe on which a worker says that it reached its point.
REACHED: int


def die(*args: Any, **kwargs: Any) -> None:
    os.write(REACHED, b"!")
    os.kill(os.getpid(), signal.SIGKILL)


def after(work: Callable[..., Any]) -> Callable[..., Any]:
    def work_and_die(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    return work_and_die


def set_trap(point: str) -> None:
    match point:
        case "buried":  # the tombstone stands, the key is still in the vault
            vault.destroy = die
        case "nameless":  # the bodies are erased, the vault still has the key's row
            vault.forget = die
        case "deleted":  # the bytes of a release are gone, its rows are not
            storage.delete = after(storage.delete)
        case "placed":  # the new store has its name, the row names the old one
            catalog_storage.put_in_place = after(catalog_storage.put_in_place)
        case "named":  # the row names the new store, the old one is still there
            catalog_storage.sweep = die
        case _:
            note = erasure._go_on

            def die_at(held: Any, stage: ErasureStage, **fields: Any) -> None:
                if stage == ErasureStage(point):
                    die()
                note(held, stage, **fields)

            erasure._go_on = die_at  # type: ignore[assignment] # it takes any field


def work(point: str, now: datetime) -> dict[str, Any]:
    global REACHED
    # A connection that two processes share would garble both.
    connections.close_all()
    told, REACHED = os.pipe()
    process = os.fork()
    if not process:
        set_trap(point)
        erasure.run(ERASURE_ID, clock=lambda: now)
        os._exit(0)
    os.close(REACHED)
    has_reached = os.read(told, 1) == b"!"
    os.close(told)
    _, status = os.waitpid(process, 0)
    return {
        "point": point,
        "was_killed": has_reached and os.waitstatus_to_exitcode(status) == -9,
        "stage": Erasure.objects.get(pk=ERASURE_ID).stage,
        "is_free": erasure.left_behind(now=now) != [],
        "findings": [
            one.message
            for one in (*inspection.inspect().findings, *reconciliation.findings())
            # The form of the tests' cohorts was never published on the ledger.
            if not one.code.startswith("form-")
        ],
    }


for number, name in enumerate(sys.argv[5:]):
    wait = timedelta(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    print(json.dumps(work(name, NOW + number * wait)), flush=True)
