"""A process that puts one event on the ledger and kills itself at a named point.

    python dying_writer.py POINT EVENT MARKER

MARKER is written when the point is reached, so that a test can tell a kill from a
crash on the way.
"""

import os
import signal
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import transaction  # noqa: E402 - models need the setup
from django.utils import timezone  # noqa: E402

from ledger import (  # noqa: E402
    derivation,
    gathering,
    models,
    policies,
    publishing,
    sequencing,
    services,
)
from ledger.notary import Notary  # noqa: E402
from ledger.tiles import TileStore  # noqa: E402

POINT, EVENT, MARKER = sys.argv[1], uuid.UUID(sys.argv[2]), Path(sys.argv[3])


def die(*args: Any, **kwargs: Any) -> None:
    MARKER.write_text(POINT)
    os.kill(os.getpid(), signal.SIGKILL)


def after(work: Callable[..., Any]) -> Callable[..., Any]:
    def work_and_die(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    return work_and_die


match POINT:
    case "accepted":  # committed, nothing done about it yet
        services.settle = die
    case "sequencing":  # entries written, the transaction still open
        sequencing.extend = after(sequencing.extend)
    case "sequenced":  # entries committed, no checkpoint yet
        publishing.publish = die
    case "announcing":  # the entry of the policy accepted, the transaction still open
        policies.note_announced = after(policies.note_announced)
    case "tiled":  # bundles and tiles are written, nothing refers to them
        derivation.extend = after(derivation.extend)
    case "remembered":  # the notary has it on the disk, the signature is lost
        Notary.sign = after(Notary.sign)  # type: ignore[method-assign] # the point
    case "cosigned":  # the witnesses remember it, their signatures are lost
        gathering.gather = after(gathering.gather)
    case "placed":  # others read the checkpoint, the gate is still closed
        TileStore.write_checkpoint = after(  # type: ignore[method-assign] # the point
            TileStore.write_checkpoint
        )
    case "storing":  # the checkpoint is written, the transaction still open
        models.Checkpoint.objects.create = after(  # type: ignore[method-assign] # same
            models.Checkpoint.objects.create
        )
    case "stored":  # the gate is open, what full tiles replaced is not removed
        TileStore.prune = die  # type: ignore[method-assign] # the point
    case _:
        raise SystemExit(f"no such point: {POINT}")

with transaction.atomic():
    services.append(
        type="role.granted",
        pub={"role": "steward"},
        body={"point": POINT},
        event=EVENT,
        now=timezone.now(),
    )
# With witnesses it is not the commit that publishes.
services.publish(now=timezone.now())
