"""Measure how many pending events a second get their place in the log.

    python -m benchmarks.sequencing BATCH EVENTS

Pending rows are there; what is timed is `sequence()`, one durable transaction for each
batch. Prints entries a second.
"""

import os
import sys
import time
import uuid

import django

django.setup()

from django.utils import timezone  # noqa: E402

from ledger import models, sequencing, services  # noqa: E402


def main() -> None:
    """Fill, sequence, and print the rate."""
    batch, events = map(int, sys.argv[1:3])
    sequencing.BATCH = batch
    _fill(1)
    services.sequence(now=timezone.now())  # The genesis, the keys, the connections.
    _fill(events)
    started = time.perf_counter()
    while services.sequence(now=timezone.now()):
        pass
    seconds = time.perf_counter() - started
    assert not models.Pending.objects.exists()
    print(events / seconds)


def _fill(count: int) -> None:
    now = timezone.now()
    models.Pending.objects.bulk_create(
        (
            models.Pending(
                event=uuid.uuid4(),
                type="consent.changed",
                pub={"form_sha256": "00" * 32},
                commit=os.urandom(32),
                accepted_at=now,
            )
            for _ in range(count)
        ),
        batch_size=1000,
    )


if __name__ == "__main__":
    main()
