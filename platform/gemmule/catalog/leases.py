"""Keep a lease on a row while a child process works for it.

A lease is the time until which a row is somebody's. Which row that is, and what else
fences off a worker that lost it, the caller knows.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)


@contextmanager
def kept(
    renew: Callable[[], bool],
    *,
    lease: timedelta,
    lost: Callable[[], Exception],
) -> Iterator[Callable[[], None]]:
    """Renew a lease from a thread while the block works; yield its check.

    `renew` returns whether the lease was still ours. Once it was not, nothing is
    renewed any more and the check raises what `lost` makes.
    """
    is_lost = threading.Event()
    is_done = threading.Event()

    def keep_on() -> None:
        # Four tries in the time of a lease: it outlives a database that is away
        # for a moment.
        while not is_done.wait(lease.total_seconds() / 4):
            try:
                is_ours = renew()
            except DatabaseError:
                logger.warning("a lease was not renewed; trying again", exc_info=True)
                connection.close()
                continue
            if not is_ours:
                is_lost.set()
                break
        connection.close()

    def check() -> None:
        if is_lost.is_set():
            raise lost()

    thread = threading.Thread(target=keep_on, name="lease", daemon=True)
    thread.start()
    try:
        yield check
    finally:
        is_done.set()
        thread.join()
