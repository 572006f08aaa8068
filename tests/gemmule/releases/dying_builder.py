"""A worker that builds one release and kills itself at a named point.

    python dying_builder.py POINT ID NOW MARKER STORE_DIR RELEASE_DIR

ID is the release's or, at points that begin with `part-`, that of the part it cuts.
MARKER is written when the point is reached, so that a test can tell a kill from a
crash on the way. At `cutting` it kills itself while its child process is at work.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import django
from django.conf import settings

django.setup()

import ledger.services  # noqa: E402 - models need the setup
from gemmule.releases import build, parts, storage, upkeep  # noqa: E402
from genomics import child  # noqa: E402

POINT, ROW_ID, NOW, MARKER = (
    sys.argv[1],
    int(sys.argv[2]),
    datetime.fromisoformat(sys.argv[3]),
    Path(sys.argv[4]),
)
settings.STORE_DIR, settings.RELEASE_DIR = Path(sys.argv[5]), Path(sys.argv[6])


def die(*args: Any, **kwargs: Any) -> None:
    MARKER.write_text(POINT)
    os.kill(os.getpid(), signal.SIGKILL)


def after(work: Callable[..., Any]) -> Callable[..., Any]:
    def work_and_die(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    return work_and_die


def clock() -> datetime:
    return NOW


match POINT:
    case "taken":  # the release is held, nothing else is done
        build._consider = die  # type: ignore[assignment] # it never returns
    case "cutting" | "part-cutting":  # the child process has been confined and works
        take = child._Lines.take

        def take_and_die(self: Any, line: bytes) -> None:
            take(self, line)
            die()

        child._Lines.take = take_and_die  # type: ignore[method-assign] # same
    case "cut":  # the files are written, nothing is sealed
        build._cut = after(build._cut)
    case "keeping":  # the first file is where everybody finds it, the others are not
        storage.keep = after(storage.keep)
    case "part-cut":  # the part is written, nobody else can read it
        storage.put_part = die  # type: ignore[assignment] # it never returns
    case "part-kept":  # everybody can, and no row names it
        storage.put_part = after(storage.put_part)
    case "sealing":  # everything is written, the transaction still open
        ledger.services.append = after(ledger.services.append)
    case "sealed":  # committed, what older builds left is not swept yet
        storage.sweep = die
    case "settling":  # swept, not on the ledger by anybody's doing yet
        upkeep.settle = die  # type: ignore[assignment] # same
    case "settled":  # on the ledger, the release not opened yet
        upkeep.make_available = die  # type: ignore[assignment] # same
    case _:
        raise SystemExit(f"no such point: {POINT}")

if POINT.startswith("part-"):
    parts.run(ROW_ID, clock=clock)
build.run(ROW_ID, clock=clock)
upkeep.settle(now=NOW)
