"""Publish again and again until told to stop: the process beside a site with witnesses.

Everything it does may also be done by others at the same time; see `publishing`.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, connections

from ledger import errors, rollback, services

logger = logging.getLogger(__name__)

# Short against the two seconds in which an event is to be under a checkpoint.
INTERVAL_S = 0.25
# A witness that is away is asked ever less often, and is back after this at the latest.
LONGEST_PAUSE_S = 15.0


def follow(
    *,
    stop: threading.Event,
    clock: Callable[[], datetime],
    interval_s: float = INTERVAL_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> None:
    """Sequence and publish what comes, until `stop` is set; what is begun is ended.

    Whatever goes wrong is logged once, and tried again with growing pauses.
    """
    pause_s, trouble, is_first = interval_s, "", True
    while not stop.is_set():
        try:
            if is_first:
                rollback.examine()
                is_first = False
            services.sequence_all(now=clock())
            services.publish(now=clock())
        except (errors.LedgerError, DatabaseError, OSError) as error:
            if str(error) != trouble:
                trouble = str(error)
                logger.warning("not published, and tried again: %s", error)
            pause_s = min(2 * pause_s, longest_pause_s)
            # One that a restart of the server has cut off serves nobody any more.
            connections.close_all()
        else:
            if trouble:
                logger.info("publishing again")
            pause_s, trouble = interval_s, ""
        stop.wait(pause_s)
    connections.close_all()
