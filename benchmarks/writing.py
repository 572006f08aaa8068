"""One process of a campaign: threads that put events on the ledger, some rolled back.

    python -m benchmarks.writing WRITERS EVENTS SEED FOLDER [--sequence-only]

Each writer keeps in FOLDER, line by line and flushed before it goes on, which events
were acknowledged (`+ event`) and which were taken back (`- event`): what the ledger
must and must not hold. An event that is in neither was under way when we died. How long
it took, without the start of the process, stands in a file of its own. With the option
publishing is left to somebody else, as where witnesses are asked.
"""

import random
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import django

django.setup()

from django.db import Error, connections, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from ledger import services  # noqa: E402

_ROLLED_BACK = 0.2


def main() -> None:
    """Let the writers start together."""
    writers, events, seed = map(int, sys.argv[1:4])
    folder = Path(sys.argv[4])
    if sys.argv[5:] == ["--sequence-only"]:
        services.settle = services.sequence_all
    subjects = services.new_subjects(count=5, now=timezone.now())
    barrier = threading.Barrier(writers)
    process = uuid.uuid4().hex[:8]

    def write(number: int) -> None:
        chance = random.Random(f"{seed}/{number}")
        path = folder / f"{process}-{number}.txt"
        try:
            with path.open("a", buffering=1, encoding="ascii") as told:
                barrier.wait()
                for _ in range(events):
                    _write(chance, subjects, told)
        finally:
            connections.close_all()

    started = time.monotonic()
    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(write, number) for number in range(writers)]:
            done.result()
    seconds = time.monotonic() - started
    (folder / f"{process}.seconds").write_text(f"{seconds}", encoding="ascii")


def _write(chance: random.Random, subjects: list[uuid.UUID], told: TextIO) -> None:
    event = uuid.uuid4()
    fails = chance.random() < _ROLLED_BACK
    try:
        with transaction.atomic():
            services.append(
                type="consent.changed",
                pub={},
                body={"number": chance.randrange(1000)},
                event=event,
                now=timezone.now(),
                subject=chance.choice([*subjects, None]),
            )
            transaction.set_rollback(fails)
    except Error as error:
        # The server was killed: whether the commit was carried out is not known, and
        # nobody was told that it was.
        print(f"writer stops: {type(error).__name__}", file=sys.stderr)
        raise SystemExit(1) from error
    told.write(f"{'-' if fails else '+'} {event}\n")


if __name__ == "__main__":
    main()
