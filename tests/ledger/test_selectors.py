"""What is read is what is there, and says how far it has come."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from ledger import errors, keys, publishing, selectors, services, vault
from ledger.models import Body
from ledger.tlog import checkpoint, hashing
from ledger.tlog.note import VerifierKey

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


def test_an_empty_ledger() -> None:
    assert selectors.tree_size() == 0
    assert selectors.head().root == hashing.EMPTY_ROOT
    assert selectors.latest_checkpoint() is None
    assert selectors.entries_by_event([]) == {}
    assert not selectors.is_published(uuid.uuid4())
    with pytest.raises(errors.EntryNotFound):
        selectors.entry(uuid.uuid4())


def test_an_event_is_pending_then_sequenced_then_published(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(services, "settle", lambda *, now: None)
        event = record()
    seen = [selectors.entry(event)]
    assert not selectors.is_published(event)
    assert services.sequence(now=now) == 1
    seen.append(selectors.entry(event))
    assert not selectors.is_published(event)
    services.publish(now=now)
    seen.append(selectors.entry(event))
    assert selectors.is_published(event)
    assert [each.state for each in seen] == ["pending", "sequenced", "published"]
    assert [each.seq for each in seen] == [None, 1, 1]
    assert len({each.commit for each in seen}) == 1


def test_the_head_has_the_root_of_the_leaves(
    record: Record, log_bytes: Callable[[], list[bytes]]
) -> None:
    for _ in range(5):
        record()
    leaves = [hashing.leaf_hash(data) for data in log_bytes()]
    assert selectors.head() == selectors.TreeHead(
        size=6, root=hashing.root_hash(leaves)
    )


def test_the_latest_checkpoint_opens_with_the_published_key(
    record: Record, now: datetime
) -> None:
    record()
    record()
    found = selectors.latest_checkpoint()
    assert found is not None
    key = VerifierKey.from_text(selectors.verifier_key())
    signed = checkpoint.open_note(found.note.encode(), key)
    assert (signed.size, signed.root) == (3, selectors.head().root)
    assert (found.size, found.root, found.time) == (3, signed.root, now)


def test_many_events_are_looked_up_in_few_queries(
    record: Record,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(selectors, "_AT_ONCE", 4)
    events = [record() for _ in range(7)]
    with django_assert_num_queries(5):
        found = selectors.entries_by_event([*events, *events, uuid.uuid4()])
    assert set(found) == set(events)


def test_a_body_is_none_once_its_key_is_destroyed(
    record: Record, now: datetime
) -> None:
    subject = services.new_subject(now=now)
    event = record("consent.given", {}, {"terms": 1}, subject=subject)
    other = record(body={"kept": 1})
    vault.destroy(subject, now=now)
    assert selectors.open_body(event) is None
    assert selectors.open_body(other) == {"kept": 1}
    assert selectors.is_published(event)


def test_a_body_is_none_once_it_was_erased(record: Record) -> None:
    event = record(body={"name": 1})
    Body.objects.filter(event=event).update(
        sealed=None, commit=None, key_id=None, subject_seq=None
    )
    assert selectors.open_body(event) is None


def test_a_body_of_no_event_is_not_found() -> None:
    with pytest.raises(errors.EntryNotFound):
        selectors.open_body(uuid.uuid4())


def test_the_gate_stays_shut_while_the_notary_is_away(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*, now: datetime) -> None:
        raise errors.NotaryRefused("away")

    monkeypatch.setattr(publishing, "publish", refuse)
    event = record()
    assert selectors.entry(event).state == "sequenced"
    assert not selectors.is_published(event)


def test_the_verifier_key_names_the_log() -> None:
    assert selectors.verifier_key() == keys.log_key().verifier.text
    assert selectors.verifier_key().startswith("gemmule.localhost/ledger+")


def test_the_last_checkpoints_come_newest_first(
    record: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    assert selectors.checkpoints(3) == []
    for _ in range(4):
        record()
    with django_assert_num_queries(1):
        found = selectors.checkpoints(3)
    assert [each.size for each in found] == [5, 4, 3]
    assert found[0] == selectors.latest_checkpoint()


def test_the_policy_and_its_witnesses_cost_few_queries(
    record: Record, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    record()
    with django_assert_num_queries(1):
        found = selectors.policy()
    assert found.logs == (keys.log_key().verifier,)
    with django_assert_num_queries(1):
        assert selectors.witnesses() == []
