"""Measure how long it takes from a commit to a checkpoint that both witnesses cosigned.

    python -m benchmarks.covering EVENTS

Beside it run `publish_ledger --follow` and the witnesses of the policy. Timed is what
a donor waits for: from before the transaction until `is_published` says yes. Prints
the 50th and the 95th percentile, in seconds.
"""

import random
import statistics
import sys
import time
import uuid

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from ledger import selectors, services  # noqa: E402

_LOOK_EVERY_S = 0.005
_GIVEN_UP_S = 60


def main() -> None:
    """Put events on the ledger one after the other, at any moment of a round."""
    chance = random.Random(1)
    waited = []
    for _ in range(int(sys.argv[1])):
        time.sleep(chance.random() / 4)
        waited.append(_wait(_put()))
    cuts = statistics.quantiles(waited[1:], n=20)  # The first one begins the log.
    print(cuts[9], cuts[18])


def _put() -> tuple[uuid.UUID, float]:
    event, started = uuid.uuid4(), time.perf_counter()
    with transaction.atomic():
        services.append(
            type="role.granted",
            pub={"role": "steward"},
            body={"role": "steward"},
            event=event,
            now=timezone.now(),
        )
    return event, started


def _wait(put: tuple[uuid.UUID, float]) -> float:
    event, started = put
    while not selectors.is_published(event):
        if time.perf_counter() - started > _GIVEN_UP_S:
            raise SystemExit("no checkpoint covers the event")
        time.sleep(_LOOK_EVERY_S)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
