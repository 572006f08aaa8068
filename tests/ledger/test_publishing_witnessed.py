"""With witnesses nothing is published, and no gate opens, before enough cosigned."""

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction

from ledger import (
    cosigning,
    errors,
    inclusion,
    inspection,
    models,
    publishing,
    selectors,
    services,
)
from ledger.tlog.policy import Policy
from tests.ledger.circle import Circle

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


@pytest.fixture
def circle(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Circle:
    return Circle(tmp_path, monkeypatch)


def policy_of(circle: Circle) -> Policy:
    return Policy.parse(circle.policy_file.read_text())


def test_a_commit_sequences_and_asks_no_witness(circle: Circle, record: Record) -> None:
    event = record()
    assert selectors.entry(event).state == "sequenced"
    assert not selectors.is_published(event)
    assert circle.asked == []


def test_a_checkpoint_is_published_once_the_policy_is_met(
    circle: Circle, record: Record, now: datetime
) -> None:
    event = record()
    found = services.publish(now=now)
    assert found is not None and found.size == 2
    assert selectors.is_published(event)
    latest = selectors.latest_checkpoint()
    assert latest is not None
    assert publishing.store().read_checkpoint() == latest.note.encode()
    cosigned = policy_of(circle).check(latest.note.encode())
    assert [each.name for each in cosigned.cosigners] == ["w0", "w1"]
    assert cosigned.checkpoint == found
    checked = inclusion.check(inclusion.prove(event))
    assert len(checked.cosigned.cosigners) == 2
    assert inspection.inspect().is_sound


def test_below_the_quorum_nothing_is_published_and_the_next_call_goes_on(
    circle: Circle, record: Record, now: datetime
) -> None:
    record()
    services.publish(now=now)
    before = publishing.store().read_checkpoint()
    event = record()
    circle.away = {"w1"}
    for _ in range(2):
        with pytest.raises(errors.QuorumNotMet, match="1 of the policy's 2 witnesses"):
            services.publish(now=now)
    assert publishing.store().read_checkpoint() == before
    assert not selectors.is_published(event)
    assert selectors.entry(event).state == "sequenced"
    assert inspection.inspect().is_sound
    later = record()
    circle.away = set()
    services.publish(now=now)
    assert selectors.is_published(event)
    assert selectors.is_published(later)
    assert inspection.inspect().is_sound


def test_enough_of_many_are_enough(
    database: str,
    record: Record,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circle = Circle(tmp_path, monkeypatch, count=3, quorum=2)
    circle.away = {"w1"}
    event = record()
    services.publish(now=now)
    assert selectors.is_published(event)
    assert inspection.inspect().is_sound
    views = {view.name: view for view in selectors.witnesses()}
    assert [view.size for view in views.values()] == [2, 0, 2]
    assert views["w1"].failure == "the witness w1.example does not answer"
    assert views["w1"].failed_at == now
    assert views["w1"].cosigned_at is None
    assert views["w0"].failure == ""
    assert views["w0"].cosigned_at is not None
    assert views["w0"].url == "http://w0.example"
    assert views["w0"].key_text == circle.witness("w0").verifier.text
    # Who was away is asked from where it is, and its failure is history.
    circle.away = set()
    record()
    services.publish(now=now + timedelta(minutes=1))
    (_, back, _) = selectors.witnesses()
    assert (back.size, back.failure, back.failed_at) == (3, "", now)


def test_a_witness_is_asked_once_more_from_where_it_is(
    circle: Circle, record: Record, now: datetime
) -> None:
    record()
    services.publish(now=now)
    for size in (0, 900):
        models.Witness.objects.update(size=size)
        circle.asked.clear()
        event = record()
        services.publish(now=now)
        assert selectors.is_published(event)
        tree = selectors.tree_size()
        # 900 entries cannot be: it is asked from the size of the log.
        first = min(size, tree)
        assert sorted(circle.asked) == sorted(
            (name, asked) for name in ("w0", "w1") for asked in (first, tree - 1)
        )


def test_a_witness_that_saw_more_is_told_of_and_not_believed_away(
    circle: Circle, record: Record, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    """It has cosigned what this log does not have: the log was cut back, or forked."""
    record()
    services.publish(now=now)
    record()

    def ahead(*args: object, **kwargs: object) -> str:
        raise errors.WitnessRefused("409", status=409, size=70)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cosigning, "cosign", ahead)
        with pytest.raises(errors.QuorumNotMet):
            services.publish(now=now)
    (first, _) = selectors.witnesses()
    assert "it cosigned 70 entries, this log has 3" in first.failure
    assert first.size == 70
    assert "witness w0 does not cosign: it cosigned 70 entries" in caplog.text


def test_a_failure_is_logged_once_and_its_end_as_well(
    circle: Circle, record: Record, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    record()
    circle.away = {"w0"}
    for _ in range(3):
        with pytest.raises(errors.QuorumNotMet):
            services.publish(now=now)
    circle.away = set()
    services.publish(now=now)
    services.publish(now=now)
    assert caplog.text.count("witness w0 does not cosign") == 1
    assert caplog.text.count("witness w0 cosigns again") == 1
    assert "w1" not in caplog.text
    assert caplog.text.count("published size=2 cosigned=2/2 ") == 1


def test_a_policy_that_changes_is_announced_first(
    circle: Circle, record: Record, now: datetime, log_bytes: Callable[[], list[bytes]]
) -> None:
    record()
    services.publish(now=now)
    before = policy_of(circle)
    assert f'"policy_sha256":"{before.sha256}"'.encode() in log_bytes()[0]
    circle.write_policy(quorum=1)
    found = services.publish(now=now)
    # One entry more, under a checkpoint that the new policy let through.
    assert found is not None and found.size == 3
    last = log_bytes()[-1]
    assert b'"type":"log.policy"' in last
    assert f'"policy_sha256":"{policy_of(circle).sha256}"'.encode() in last
    assert selectors.policy() == policy_of(circle)
    assert publishing.store().read_policy() == circle.policy_file.read_bytes()
    assert services.publish(now=now) == found
    assert inspection.inspect().is_sound
    # And back: the text came before, but not last.
    circle.write_policy(quorum=2)
    found = services.publish(now=now)
    assert found is not None and found.size == 4
    assert inspection.inspect().is_sound


def test_the_policy_shown_is_that_of_the_last_checkpoint(
    circle: Circle, record: Record, now: datetime
) -> None:
    record()
    services.publish(now=now)
    before = policy_of(circle)
    circle.away = {"w0", "w1"}
    circle.write_policy(quorum=1)
    with pytest.raises(errors.QuorumNotMet):
        services.publish(now=now)
    # What is published was published by the old one, and verifies by it.
    assert selectors.policy() == before
    assert publishing.store().read_policy() == before.text.encode()
    assert inspection.inspect().is_sound


def test_an_empty_log_is_not_published(circle: Circle, now: datetime) -> None:
    assert services.publish(now=now) is None
    assert circle.asked == []
    assert not settings.LEDGER_PUBLIC_DIR.exists()


@pytest.mark.parametrize("text", ["", "quorum none\n", "nonsense\n", None])
def test_a_policy_that_is_none_stops_publishing(
    circle: Circle, record: Record, now: datetime, text: str | None
) -> None:
    event = record()
    if text is None:
        circle.policy_file.unlink()
    else:
        circle.policy_file.write_text(text)
    with pytest.raises(errors.PolicyInvalid):
        services.publish(now=now)
    assert not selectors.is_published(event)


def test_a_policy_must_name_the_key_of_this_log(
    circle: Circle, record: Record, now: datetime
) -> None:
    record()
    other = circle.witness("w0").verifier
    stranger = type(other)(name="example.com/other", public_key=other.public_key)
    circle.write_policy(logs=[stranger])
    with pytest.raises(errors.PolicyInvalid, match="must name the key that signs"):
        services.publish(now=now)


def test_writers_and_readers_go_on_while_witnesses_answer(
    circle: Circle, record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transaction is open, and no lock of the database held, over the network."""
    record()
    entered, release = threading.Event(), threading.Event()
    real = circle.cosign

    def slow(url: str, key: object, **kwargs: object) -> str:
        entered.set()
        assert release.wait(60)
        return real(url, key, **kwargs)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(cosigning, "cosign", slow)
    in_block: list[bool] = []

    def publish() -> None:
        try:
            services.publish(now=now)
            in_block.append(connection.in_atomic_block)
        finally:
            connection.close()

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        assert entered.wait(60)
        # It must not take the time-out of a lock to be let in.
        with transaction.atomic():
            event = record()
        assert selectors.entry(event).state == "sequenced"
    finally:
        release.set()
        publisher.join(60)
    assert in_block == [False]
    latest = selectors.latest_checkpoint()
    assert latest is not None and latest.size == 2
    services.publish(now=now)
    assert selectors.is_published(event)
