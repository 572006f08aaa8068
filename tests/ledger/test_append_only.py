"""A slip cannot change the log: the database itself refuses."""

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from ledger import models

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE ledger_entry SET event = event", "entries of the ledger are never"),
        ("DELETE FROM ledger_entry", "never deleted"),
        ("UPDATE ledger_checkpoint SET root = root", "never changed"),
        ("DELETE FROM ledger_checkpoint", "never deleted"),
        ("DELETE FROM ledger_head", "never deleted"),
        ("UPDATE ledger_head SET size = 1", "never gets shorter"),
        ('UPDATE ledger_body SET sealed = "commit"', "only erased"),
        ("DELETE FROM ledger_body", "only erased"),
        (
            'UPDATE ledger_body SET sealed = NULL, "commit" = NULL, key_id = NULL, '
            "event = '6f1c6d9e6f0f4f078f570a2f6a1f7f11' WHERE subject_seq IS NULL",
            "only erased",
        ),
        ("UPDATE ledger_pending SET type = 'x'", "never changed"),
    ],
)
def test_the_tables_of_the_log_only_grow(
    record: Record,
    statement: str,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record()
    monkeypatch.setattr("ledger.services.settle", lambda *, now: None)
    record()
    with (
        pytest.raises(IntegrityError, match=message),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_body_may_be_erased_and_not_by_halves(record: Record) -> None:
    event = record()
    body = models.Body.objects.filter(event=event)
    with pytest.raises(IntegrityError), transaction.atomic():
        body.update(sealed=None)
    assert body.update(sealed=None, commit=None, key_id=None, subject_seq=None) == 1


def test_a_subject_counts_each_number_once(record: Record) -> None:
    event = record()
    body = models.Body.objects.get(event=event)
    for number in (0, -1):
        with pytest.raises(IntegrityError), transaction.atomic():
            _copy(body, subject_seq=number)
    _copy(body, subject_seq=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        _copy(body, subject_seq=1)


def test_there_is_one_head_and_no_checkpoint_of_nothing(record: Record) -> None:
    record()
    head = models.Head.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Head.objects.create(
            id=2, size=0, frontier=b"", last_leaf=b"", last_time=head.last_time
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Checkpoint.objects.create(
            size=0, root=b"", note=b"", frontier=b"", signed_at=head.last_time
        )
    with pytest.raises(IntegrityError), transaction.atomic():
        models.Entry.objects.create(seq=-1, event=uuid.uuid4(), data=b"", leaf_hash=b"")


def _copy(body: models.Body, *, subject_seq: int) -> None:
    models.Body.objects.create(
        event=uuid.uuid4(),
        key_id=body.key_id,
        subject_seq=subject_seq,
        commit=body.commit,
        sealed=body.sealed,
    )
