"""Writers beside each other: gap-free, exactly once, in the order of each subject."""

import random
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import IntegrityError, connections, transaction

from ledger import (
    acceptance,
    errors,
    inspection,
    keys,
    models,
    selectors,
    sequencing,
    services,
    verify,
)

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


def beside(count: int, work: Callable[[int], None]) -> None:
    """Run `work` in `count` threads that start together; raise what they raise."""
    barrier = threading.Barrier(count, timeout=60)

    def run(number: int) -> None:
        try:
            barrier.wait()
            work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run, number) for number in range(count)]:
            done.result()


def test_many_writers_with_rollbacks_leave_no_gap_and_no_double(
    database: str,
    now: datetime,
    rng: random.Random,
    log_bytes: Callable[[], list[bytes]],
    last_note: Callable[[], bytes],
) -> None:
    writers, each = (12, 20) if database == "postgresql" else (4, 15)
    seeds = [rng.random() for _ in range(writers)]
    subjects = services.new_subjects(count=3, now=now)
    committed: list[uuid.UUID] = []
    rolled_back: list[uuid.UUID] = []

    def write(number: int) -> None:
        chance = random.Random(seeds[number])
        for _ in range(each):
            event = uuid.uuid4()
            fails = chance.random() < 0.3
            with transaction.atomic():
                services.append(
                    type="consent.changed",
                    pub={},
                    body={"writer": number},
                    event=event,
                    now=now,
                    subject=chance.choice(subjects),
                )
                transaction.set_rollback(fails)
            (rolled_back if fails else committed).append(event)

    beside(writers, write)
    assert committed
    assert rolled_back
    # Each writer's own hook has settled: nothing is left to a periodic task.
    views = selectors.entries_by_event([*committed, *rolled_back])
    assert set(views) == set(committed)
    assert {view.state for view in views.values()} == {"published"}
    replayed = verify.replay(log_bytes(), note=last_note(), key=keys.log_key().verifier)
    assert replayed.size == len(committed) + 1
    # The subjects' events are counted in the order of the log.
    assert inspection.inspect().is_sound


def test_writers_of_one_event_make_one_entry(
    database: str, now: datetime, record: Record
) -> None:
    record()
    shared = [uuid.uuid4() for _ in range(10)]
    accepted: list[tuple[uuid.UUID, bytes]] = []

    def write(number: int) -> None:
        for event in shared:
            with transaction.atomic():
                made = services.append(
                    type="role.granted",
                    pub={"role": "steward"},
                    body={"writer": number},
                    event=event,
                    now=now,
                )
            accepted.append((event, made.commit))

    beside(6, write)
    assert selectors.tree_size() == 2 + len(shared)
    # All were told the commitment that stands on the ledger.
    assert set(accepted) == {(each, selectors.entry(each).commit) for each in shared}
    assert inspection.inspect().is_sound


def test_an_event_committed_meanwhile_is_not_accepted_again(
    database: str, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before the insert can be too early: the database decides."""
    event = record(body={"try": 1})
    looks: list[bool] = []
    look = acceptance._accepted

    def too_early(which: uuid.UUID) -> object:
        looks.append(True)
        return None if len(looks) == 1 else look(which)

    monkeypatch.setattr(acceptance, "_accepted", too_early)
    with transaction.atomic():
        record(event=event, body={"try": 2})
        # The caller's transaction is still of use.
        assert models.Body.objects.count() == 2
    assert len(looks) == 2
    assert selectors.open_body(event) == {"try": 1}
    assert selectors.tree_size() == 2


def test_sequencers_beside_each_other_share_the_work(
    database: str, now: datetime, monkeypatch: pytest.MonkeyPatch, record: Record
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        for _ in range(60):
            record()
    monkeypatch.setattr(sequencing, "BATCH", 5)
    done: list[int] = []

    def work(number: int) -> None:
        while count := services.sequence(now=now):
            done.append(count)
        services.publish(now=now)

    beside(5, work)
    assert sum(done) == 60
    assert Counter(done)[5] >= 1
    assert selectors.tree_size() == 61
    latest = selectors.latest_checkpoint()
    assert latest is not None and latest.size == 61
    assert inspection.inspect().is_sound


def test_an_inspection_beside_writers_finds_nothing(
    database: str, now: datetime
) -> None:
    (subject,) = services.new_subjects(count=1, now=now)
    reports: list[inspection.Report] = []
    busy = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            while not busy.is_set():
                reports.append(inspection.inspect())
            return
        try:
            for _ in range(15):
                with transaction.atomic():
                    services.append(
                        type="consent.changed",
                        pub={},
                        body={},
                        event=uuid.uuid4(),
                        now=now,
                        subject=subject if number == 1 else None,
                    )
        finally:
            if number == 1:
                busy.set()

    beside(3, work)
    assert reports
    assert [each.findings for each in reports] == [[]] * len(reports)
    assert inspection.inspect().entries == 31


def test_other_errors_of_the_database_are_not_swallowed(
    database: str, now: datetime, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(subject: uuid.UUID) -> dict[str, object]:
        return {"subject_seq": 1, "subject_prev": None}

    (subject,) = services.new_subjects(count=1, now=now)
    record("consent.given", {}, subject=subject)
    monkeypatch.setattr(acceptance, "_next_place", place)
    with pytest.raises(IntegrityError):
        record("consent.changed", {}, subject=subject)
    with pytest.raises(errors.EntryNotFound):
        selectors.entry(uuid.uuid4())
