"""A witness that kills itself at a named point of its first request.

    python dying_witness.py POINT MARKER DIR --listen HOST:PORT

MARKER is written when the point is reached, so that a test can tell a kill from a
crash on the way.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger import durable, memory, witness
from ledger.cosigner import Cosigner

POINT, MARKER = sys.argv[1], Path(sys.argv[2])


def die(*args: Any, **kwargs: Any) -> None:
    MARKER.write_text(POINT)
    os.kill(os.getpid(), signal.SIGKILL)


def after(work: Callable[..., Any]) -> Callable[..., Any]:
    def work_and_die(*args: Any, **kwargs: Any) -> None:
        work(*args, **kwargs)
        die()

    return work_and_die


match POINT:
    case "checked":  # the proof holds, nothing is on the disk
        memory._write = die
    case "drafted":  # the new memory is on the disk, under another name
        durable._draft = after(durable._draft)
    case "remembered":  # it is the memory now, nothing is signed
        memory._write = after(memory._write)
    case "signed":  # the signature is made and not sent
        Cosigner.add_checkpoint = after(  # type: ignore[method-assign] # the point
            Cosigner.add_checkpoint
        )
    case _:
        raise SystemExit(f"no such point: {POINT}")

sys.exit(witness.main(["serve", *sys.argv[3:]]))
