"""What is accepted comes onto the ledger, once, in order, and opens to its body."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from ledger import (
    commitments,
    errors,
    keys,
    publishing,
    selectors,
    sequencing,
    services,
    vault,
)
from ledger import verify as ledger_verify
from ledger.models import Body, Checkpoint, Entry, Pending, VaultKey
from ledger.tlog import canonical, entry
from ledger.tlog.policy import Policy

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
DIGEST = "ab" * 32


def replayed(log: list[bytes], note: bytes) -> ledger_verify.Replayed:
    return ledger_verify.replay(log, note=note, key=keys.log_key().verifier)


def test_a_committed_event_is_on_the_ledger_and_under_a_checkpoint(
    record: Record, log_bytes: Callable[[], list[bytes]], last_note: Callable[[], bytes]
) -> None:
    event = record("form.published", {"form_sha256": DIGEST}, {"name": "Form 1"})
    found = selectors.entry(event)
    assert (found.state, found.seq, found.type) == ("published", 1, "form.published")
    assert found.pub == {"form_sha256": DIGEST}
    assert selectors.open_body(event) == {"name": "Form 1"}
    assert replayed(log_bytes(), last_note()).size == 2


def test_entry_0_is_the_genesis_of_this_log(
    record: Record, log_bytes: Callable[[], list[bytes]]
) -> None:
    record()
    first = entry.parse(log_bytes()[0])
    key = keys.log_key().verifier
    assert first.type == "log.genesis"
    assert first.pub == {
        "origin": "gemmule.localhost/ledger",
        "key_id": key.key_id.hex(),
        "key": key.text,
        "policy_sha256": Policy.single(key).sha256,
    }


def test_an_event_is_pending_inside_its_transaction(now: datetime) -> None:
    event = uuid.uuid4()
    with transaction.atomic():
        accepted = services.append(
            type="role.granted", pub={"role": "auditor"}, body={}, event=event, now=now
        )
        found = selectors.entry(event)
        assert (found.state, found.seq, found.leaf_hash) == ("pending", None, None)
        assert found.commit == accepted.commit
        assert not selectors.is_published(event)
    assert selectors.is_published(event)
    assert selectors.entry(event).commit == accepted.commit


def test_a_rolled_back_transaction_leaves_nothing_and_no_gap(
    record: Record, log_bytes: Callable[[], list[bytes]], last_note: Callable[[], bytes]
) -> None:
    lost = uuid.uuid4()
    record()
    with transaction.atomic():
        record(event=lost)
        transaction.set_rollback(True)
    record()
    with pytest.raises(errors.EntryNotFound):
        selectors.entry(lost)
    assert not Body.objects.filter(event=lost).exists()
    assert replayed(log_bytes(), last_note()).size == 3


def test_the_same_event_twice_is_one_event(record: Record, now: datetime) -> None:
    event = uuid.uuid4()
    with transaction.atomic():
        said: dict[str, Any] = {
            "type": "role.granted",
            "pub": {"role": "steward"},
            "event": event,
            "now": now,
        }
        first = services.append(**said, body={"try": 1})
        assert services.append(**said, body={"try": 2}) == first
    record(event=event)
    with transaction.atomic():
        assert services.append(**said, body={"try": 3}) == first
    assert selectors.tree_size() == 2
    assert selectors.open_body(event) == {"try": 1}


def test_one_event_id_cannot_stand_for_two_events(record: Record) -> None:
    event = record()
    with pytest.raises(errors.EventReused, match=r"is a role\.granted already"):
        record("role.revoked", event=event)
    with pytest.raises(errors.EventReused):
        record(pub={"role": "auditor"}, event=event)
    assert selectors.tree_size() == 2


def test_an_event_belongs_inside_a_transaction(now: datetime) -> None:
    with pytest.raises(AssertionError, match="inside the transaction"):
        services.append(
            type="role.granted",
            pub={"role": "steward"},
            body={},
            event=uuid.uuid4(),
            now=now,
        )


def test_the_events_of_a_subject_are_linked_inside_their_bodies(
    record: Record, now: datetime
) -> None:
    ada, bob = services.new_subjects(count=2, now=now)
    events = [
        record("consent.given", {}, {"terms": 1}, subject=ada),
        record("consent.given", {}, {"terms": 1}, subject=bob),
        record("consent.changed", {}, {"terms": 2}, subject=ada),
        record("consent.withdrawn", {}, {}, subject=ada),
    ]
    commits = [canonical.encode_base64(selectors.entry(each).commit) for each in events]
    assert [selectors.open_body(each) for each in events] == [
        {"terms": 1, "subject_seq": 1, "subject_prev": None},
        {"terms": 1, "subject_seq": 1, "subject_prev": None},
        {"terms": 2, "subject_seq": 2, "subject_prev": commits[0]},
        {"subject_seq": 3, "subject_prev": commits[2]},
    ]


def test_two_events_of_a_subject_in_one_transaction_are_counted(now: datetime) -> None:
    subject = services.new_subject(now=now)
    events = [uuid.uuid4(), uuid.uuid4()]
    with transaction.atomic():
        for event in events:
            services.append(
                type="consent.given",
                pub={},
                body={},
                event=event,
                now=now,
                subject=subject,
            )
    opened = [selectors.open_body(each) for each in events]
    assert [each["subject_seq"] for each in opened if each] == [1, 2]


def test_equal_bodies_do_not_look_alike(record: Record, now: datetime) -> None:
    subject = services.new_subject(now=now)
    events = [record(body={"same": 1}), record(body={"same": 1})]
    events += [record("consent.expired", {}, {"same": 1}, subject=subject)]
    commits = {selectors.entry(each).commit for each in events}
    sealed = {bytes(each.sealed or b"") for each in Body.objects.all()}
    assert len(commits) == 3
    assert not any(b"same" in each for each in sealed)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"type": "consent.sold"}, errors.EventTypeUnknown),
        ({"pub": {"role": "steward", "donor": "Ada"}}, errors.PubInvalid),
        ({"pub": {"role": 1.5}}, errors.PubInvalid),
        ({"body": {"ratio": 0.5}}, errors.BodyInvalid),
        ({"body": {"subject_seq": 1}}, errors.BodyInvalid),
        ({"body": {"text": "x" * (16 * 1024 * 1024)}}, errors.BodyInvalid),
    ],
)
def test_a_malformed_event_is_refused_and_changes_nothing(
    record: Record, said: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        record(**said)
    assert not Pending.objects.exists()
    assert not Body.objects.exists()


def test_public_lists_are_written_as_sorted_sets(record: Record) -> None:
    event = record(
        "access.submitted", {"request_sha256": DIGEST, "duo": ("HMB", "GRU", "HMB")}
    )
    assert selectors.entry(event).pub["duo"] == ["GRU", "HMB"]


def test_a_subject_without_a_key_is_refused(record: Record, now: datetime) -> None:
    with pytest.raises(errors.SubjectUnknown, match="holds no key"):
        record("consent.given", {}, subject=uuid.uuid4())
    erased = services.new_subject(now=now)
    vault.destroy(erased, now=now)
    with pytest.raises(errors.SubjectUnknown, match="destroyed"):
        record("consent.given", {}, subject=erased)


def test_time_never_goes_back(record: Record, now: datetime) -> None:
    late = now + timedelta(hours=1)
    first, second = record(at=late), record(at=now)
    third = record(at=late + timedelta(microseconds=1999))
    times = [selectors.entry(each).time for each in (first, second, third)]
    assert times == [late, late, late + timedelta(milliseconds=1)]


def test_a_moment_of_another_zone_is_the_same_moment(record: Record) -> None:
    event = record(at=datetime.fromisoformat("2026-03-02T11:30:00+02:00"))
    assert selectors.entry(event).time == datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_many_events_come_in_the_order_of_acceptance(
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    log_bytes: Callable[[], list[bytes]],
    last_note: Callable[[], bytes],
) -> None:
    monkeypatch.setattr(sequencing, "BATCH", 40)
    subject = services.new_subject(now=now)
    events = [uuid.uuid4() for _ in range(100)]
    with transaction.atomic():
        for event in events:
            services.append(
                type="consent.changed",
                pub={},
                body={},
                event=event,
                now=now,
                subject=subject,
            )
    views = selectors.entries_by_event(events)
    assert [views[each].seq for each in events] == list(range(1, 101))
    assert replayed(log_bytes(), last_note()).size == 101
    # One checkpoint for all of them: hooks that find nothing to do do nothing.
    assert Checkpoint.objects.count() == 1


def test_one_call_sequences_at_most_one_batch(
    monkeypatch: pytest.MonkeyPatch, record: Record, now: datetime
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    monkeypatch.setattr(sequencing, "BATCH", 3)
    for _ in range(7):
        record()
    assert [services.sequence(now=now) for _ in range(4)] == [3, 3, 1, 0]
    assert (selectors.tree_size(), selectors.pending_count()) == (8, 0)


def test_settle_leaves_nothing_pending(
    monkeypatch: pytest.MonkeyPatch, record: Record, now: datetime
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        patch.setattr(sequencing, "BATCH", 3)
        events = [record() for _ in range(6)]
        patch.undo()
    services.settle(now=now)
    assert all(selectors.is_published(each) for each in events)


def test_a_failing_notary_does_not_fail_what_was_committed(
    monkeypatch: pytest.MonkeyPatch,
    record: Record,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*, now: datetime) -> None:
        raise errors.NotaryRefused("the notary is away")

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "publish", refuse)
        event = record()
    assert "the notary is away" in caplog.text
    assert selectors.entry(event).state == "sequenced"
    services.settle(now=now)
    assert selectors.is_published(event)


def test_a_ledger_without_events_has_no_checkpoint(now: datetime) -> None:
    services.settle(now=now)
    assert services.publish(now=now) is None
    assert selectors.tree_size() == 0
    assert not Entry.objects.exists()


def test_subjects_are_made_at_once(
    now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        subjects = services.new_subjects(count=100, now=now)
    assert len(set(subjects)) == 100
    assert VaultKey.objects.count() == 100
    assert len({vault.open_key(each) for each in subjects}) == 100


def test_accepting_an_event_costs_few_queries(
    record: Record, now: datetime, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    subject = services.new_subject(now=now)
    record()
    with transaction.atomic(), django_assert_max_num_queries(9):
        services.append(
            type="consent.given",
            pub={},
            body={},
            event=uuid.uuid4(),
            now=now,
            subject=subject,
        )


def test_commitments_for_subjects_keep_their_order_and_open(now: datetime) -> None:
    ada, bob = services.new_subjects(count=2, now=now)
    made = services.commit_for_subjects(
        context=b"release 1", bodies=[(bob, {"sample": "B"}), (ada, {"sample": "A"})]
    )
    for subject, body, commitment in zip((bob, ada), ("B", "A"), made, strict=True):
        commitments.check_opening(
            commitment,
            commitments.sample_key(vault.open_key(subject), b"release 1"),
            canonical.write({"sample": body}),
        )
    again = services.commit_for_subjects(
        context=b"release 2", bodies=[(bob, {"sample": "B"})]
    )
    assert again[0] not in made


def test_no_commitment_is_made_for_a_subject_without_a_key(now: datetime) -> None:
    ada, bob = services.new_subjects(count=2, now=now)
    vault.destroy(bob, now=now)
    with pytest.raises(errors.SubjectUnknown, match=str(bob)):
        services.commit_for_subjects(context=b"x", bodies=[(ada, {}), (bob, {})])
    broken: Any = {"a": 0.5}
    with pytest.raises(errors.BodyInvalid):
        services.commit_for_subjects(context=b"x", bodies=[(ada, broken)])


def test_a_transaction_around_the_sequencer_is_refused(
    record: Record, now: datetime
) -> None:
    """It would hold the head, and on SQLite every writer, for as long as it lasts."""
    with transaction.atomic():
        record()
        with pytest.raises(RuntimeError, match="durable"):
            services.sequence(now=now)
