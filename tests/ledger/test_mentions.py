"""Entries are found by what they say in public, pending ones as well."""

import importlib
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction

from ledger import inspection, mentions, services
from ledger.models import Mention

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]

MANIFEST, REQUEST = "ab" * 32, "cd" * 32
DATASET = "GMD7K2Q9XA"


@pytest.fixture
def released(record: Record) -> uuid.UUID:
    """Return the event of a release that mentions its manifest and its request."""
    return record(
        "data.released",
        {"dataset": DATASET, "manifest_sha256": MANIFEST, "request_sha256": REQUEST},
    )


def is_over(event: uuid.UUID) -> bool:
    return mentions.is_beside([event], types=("data.revoked", "access.closed"))


@pytest.mark.parametrize(
    ("type_", "pub"),
    [
        ("data.revoked", {"manifest_sha256": MANIFEST}),
        ("access.closed", {"request_sha256": REQUEST}),
    ],
)
def test_an_entry_is_found_by_a_digest_that_both_say(
    type_: str,
    pub: dict[str, str],
    released: uuid.UUID,
    record: Record,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record("data.revoked", {"manifest_sha256": "ef" * 32})
    record("data.delivered", {"manifest_sha256": MANIFEST})
    assert not is_over(released)
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    record(type_, pub)
    assert is_over(released)  # Pending, and that is enough.
    services.sequence(now=now)
    assert is_over(released)
    assert not is_over(uuid.uuid4())
    assert inspection.inspect().is_sound


def test_an_event_that_was_rolled_back_is_not_found(
    released: uuid.UUID, now: datetime
) -> None:
    with transaction.atomic():
        services.append(
            type="data.revoked",
            pub={"manifest_sha256": MANIFEST},
            body={},
            event=uuid.uuid4(),
            now=now,
        )
        transaction.set_rollback(True)
    assert not is_over(released)


def test_mentions_are_never_changed(released: uuid.UUID) -> None:
    rows = Mention.objects.filter(event=released)
    for change in (rows.delete, partial(rows.update, digest="00" * 32)):
        with pytest.raises(IntegrityError, match="never"), transaction.atomic():
            change()


def test_whoever_deletes_changes_or_adds_one_is_found(
    released: uuid.UUID, record: Record, unguarded: Unguarded
) -> None:
    revoked = record("data.revoked", {"manifest_sha256": MANIFEST})
    rows = Mention.objects.filter(event=revoked)
    row = rows.get()
    with unguarded():
        rows.delete()
    assert _found() == {revoked}
    with unguarded():
        row.save()
        rows.update(type="data.delivered")
    assert _found() == {revoked}
    with unguarded():
        rows.update(type="data.revoked")
        forged = uuid.uuid4()
        Mention.objects.create(event=forged, type="data.revoked", digest=MANIFEST)
    assert _found() == {forged}


def test_a_log_that_is_there_already_is_looked_up_as_well(
    released: uuid.UUID,
    record: Record,
    unguarded: Unguarded,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services, "settle", lambda *, now: None)
    record("data.revoked", {"manifest_sha256": MANIFEST})
    with unguarded():
        Mention.objects.all().delete()
    assert not is_over(released)
    migration = importlib.import_module("ledger.migrations.0007_mentions_of_entries")
    with connection.schema_editor() as editor:
        migration.fill(apps, editor)
    assert is_over(released)
    assert inspection.inspect().is_sound


def _found() -> set[uuid.UUID | None]:
    return {each.event for each in inspection.inspect().findings}
