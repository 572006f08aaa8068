"""An erased subject's part of the ledger is noise, for good and after any restore."""

import random
import uuid
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.db import DatabaseError, connection, connections, transaction

from ledger import (
    commitments,
    erasure,
    errors,
    inclusion,
    inspection,
    selectors,
    services,
    vault,
)
from ledger.models import Body, Entry, ErasedKey, VaultKey, Verification
from ledger.tlog import entry as tlog_entry
from ledger.tlog.canonical import write
from tests.ledger.conftest import Record

pytestmark = pytest.mark.django_db


def erase(subject: UUID, now: datetime) -> UUID:
    event = uuid.uuid4()
    erasure.destroy_key(subject=subject, now=now)
    erasure.erase_bodies(subject=subject)
    with transaction.atomic():
        erasure.record(event=event, now=now)
    services.settle(now=now)
    return event


def test_what_was_erased_opens_nowhere_and_all_proofs_hold(
    record: Record, now: datetime
) -> None:
    ada, bob = services.new_subjects(count=2, now=now)
    hers = [record(subject=ada) for _ in range(3)]
    his = record(subject=bob)
    services.settle(now=now)
    kept = [inclusion.prove(event) for event in [*hers, his]]
    end = erase(ada, now)
    assert [selectors.open_body(event) for event in hers] == [None] * 3
    assert selectors.open_body(his) is not None
    for event in [*hers, his, end]:
        inclusion.check(inclusion.prove(event))
    for before in kept:
        assert inclusion.check(before).entry.type == "role.granted"
    assert [inclusion.opening(event) for event in hers] == [None] * 3
    assert inclusion.opening(his) is not None
    found = inspection.inspect()
    assert found.is_sound, found.findings
    assert found.erased == 3


def test_nothing_names_the_subject_afterwards(record: Record, now: datetime) -> None:
    ada = services.new_subject(now=now)
    record(subject=ada)
    services.settle(now=now)
    end = erase(ada, now)
    assert not VaultKey.objects.filter(id=ada).exists()
    assert not Body.objects.filter(key_id=ada).exists()
    said = selectors.entry(end)
    assert (said.type, dict(said.pub)) == ("subject.erased", {})
    (row,) = ErasedKey.objects.all()
    assert row.digest not in (ada.hex, sha256(ada.bytes).hexdigest())
    for data in Entry.objects.values_list("data", flat=True):
        assert ada.bytes not in bytes(data)
        assert str(ada).encode() not in bytes(data)


def test_a_second_time_is_no_other(record: Record, now: datetime) -> None:
    ada = services.new_subject(now=now)
    record(subject=ada)
    services.settle(now=now)
    for _ in range(2):
        erasure.destroy_key(subject=ada, now=now)
    assert [erasure.erase_bodies(subject=ada) for _ in range(2)] == [1, 0]
    assert ErasedKey.objects.count() == 1
    assert len(erasure.tombstone_file().read_text().splitlines()) == 1


def test_no_event_of_an_erased_subject_is_accepted(
    record: Record, now: datetime
) -> None:
    ada = services.new_subject(now=now)
    erasure.destroy_key(subject=ada, now=now)
    with pytest.raises(errors.SubjectUnknown):
        record(subject=ada)
    with pytest.raises(errors.SubjectUnknown):
        services.commit_for_subjects(context=b"c", bodies=[(ada, {})])


def test_between_key_and_bodies_the_ledger_is_sound(
    record: Record, now: datetime
) -> None:
    ada = services.new_subject(now=now)
    record(subject=ada)
    services.settle(now=now)
    erasure.destroy_key(subject=ada, now=now)
    found = inspection.inspect()
    assert found.is_sound, found.findings
    assert found.erased == 1


def _vault_row(key_id: UUID) -> VaultKey:
    return VaultKey.objects.get(id=key_id)


def test_a_restored_vault_opens_nothing_and_is_emptied_again(
    record: Record, now: datetime
) -> None:
    ada, bob = services.new_subjects(count=2, now=now)
    hers, his = record(subject=ada), record(subject=bob)
    services.settle(now=now)
    kept_key, kept_body = _vault_row(ada), Body.objects.get(event=hers)
    erase(ada, now)
    kept_key.save(force_insert=True)  # The backup of the vault from before.
    assert vault.open_keys([ada, bob]).keys() == {bob}
    with pytest.raises(errors.SubjectUnknown):
        vault.open_key(ada)
    # And the body with it, as a backup of both would bring it back.
    with connection.cursor() as cursor:
        _without_trigger(cursor, "ledger_body_refuse_update")
    kept_body.save()
    assert selectors.open_body(hers) is None
    codes = [one.id for one in run_checks(databases=["default"])]
    assert "ledger.E003" in codes
    assert erasure.replay(now=now) == erasure.Replayed(keys=1, bodies=1)
    assert not VaultKey.objects.filter(id=ada).exists()
    assert Body.objects.get(event=hers).sealed is None
    assert selectors.open_body(his) is not None
    assert erasure.replay(now=now) == erasure.Replayed(keys=0, bodies=0)
    assert "ledger.E003" not in [one.id for one in run_checks(databases=["default"])]


def test_tombstones_outlive_a_restored_database(record: Record, now: datetime) -> None:
    ada = services.new_subject(now=now)
    hers = record(subject=ada)
    services.settle(now=now)
    key, body = _vault_row(ada), Body.objects.get(event=hers)
    erase(ada, now)
    # Both databases are as they were before: the tombstone is gone from the table.
    with connection.cursor() as cursor:
        _without_trigger(cursor, "ledger_erasedkey_refuse_delete")
        _without_trigger(cursor, "ledger_body_refuse_update")
    ErasedKey.objects.all().delete()
    key.save(force_insert=True)
    body.save()
    assert selectors.open_body(hers) is not None, "the backup is whole"
    assert "ledger.E002" in [one.id for one in run_checks(databases=["default"])]
    assert erasure.replay(now=now) == erasure.Replayed(keys=1, bodies=1)
    assert selectors.open_body(hers) is None
    found = {one.id for one in run_checks(databases=["default"])}
    assert not {"ledger.E002", "ledger.E003"} & found


def test_half_a_line_of_a_power_cut_swallows_no_tombstone(now: datetime) -> None:
    first, second = services.new_subjects(count=2, now=now)
    erasure.destroy_key(subject=first, now=now)
    with erasure.tombstone_file().open("a") as file:
        file.write("0123abc")
    erasure.destroy_key(subject=second, now=now)
    lines = erasure.tombstone_file().read_text().splitlines()
    assert lines == [vault.tombstone(first), vault.tombstone(second)]


def test_tombstones_only_grow(now: datetime) -> None:
    erasure.destroy_key(subject=services.new_subject(now=now), now=now)
    with pytest.raises(DatabaseError, match="never deleted"), transaction.atomic():
        ErasedKey.objects.all().delete()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        ErasedKey.objects.update(digest="0" * 64)


def _without_trigger(cursor: object, name: str) -> None:
    """Take a rule away inside this test, as who restores a backup does."""
    table = name.partition("_refuse")[0]
    cursor.execute(f"DROP TRIGGER {name} ON {table}")  # type: ignore[attr-defined]


# --- a dictionary against every commitment ----------------------------------------


def test_no_list_of_names_and_ids_opens_a_commitment_of_the_erased(
    now: datetime, rng: random.Random
) -> None:
    people = [
        {
            "name": f"Person {number} Example",
            "email": f"person{number}@example.org",
            "sample": f"HG{number:05d}",
            "donor": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        }
        for number in range(100)
    ]
    subjects = services.new_subjects(count=100, now=now)
    bodies = [{**one, "act": "given"} for one in people]
    events = [uuid.uuid4() for _ in people]
    with transaction.atomic():
        for subject, body, event in zip(subjects, bodies, events, strict=True):
            services.append(
                type="consent.given",
                pub={},
                body=body,
                event=event,
                subject=subject,
                now=now,
            )
    services.settle(now=now)
    kept_keys = vault.open_keys(subjects)
    erased = rng.sample(range(100), 50)
    receipts = [inclusion.prove(event) for event in events]
    for number in erased:
        erase(subjects[number], now)
    commits = {
        tlog_entry.parse(bytes(row.data)).commit: row.event
        for row in Entry.objects.all()
    }
    guesses = [
        bytes_of
        for one, subject in zip(people, subjects, strict=True)
        for text in [*one.values(), *(str(subject), subject.hex)]
        for bytes_of in _spellings(text)
    ]
    # The attacker even guesses the whole body, place and all, and the event.
    whole = [write({**body, "subject_seq": 1, "subject_prev": None}) for body in bodies]
    found = set()
    for guess in guesses:
        for key in {guess[:32].ljust(32, b"\0"), sha256(guess).digest()}:
            for number, written in enumerate(whole):
                candidates = [
                    commitments.commit(key, written),
                    sha256(key + written).digest(),
                ]
                if number in erased[:3]:  # HKDF is slow: three are attacked with it.
                    derived = commitments.commitment_key(key, events[number])
                    candidates.append(commitments.commit(derived, written))
                found |= commits.keys() & set(candidates)
    found |= commits.keys() & {sha256(guess).digest() for guess in guesses}
    assert found == set()
    # With its key a commitment does open: the attack can find what there is to find.
    number = erased[0]
    key = commitments.commitment_key(kept_keys[subjects[number]], events[number])
    assert commits[commitments.commit(key, whole[number])] == events[number]
    report = inspection.inspect()
    assert report.is_sound, report.findings
    assert report.erased == 50
    for receipt, event in zip(receipts, events, strict=True):
        # Those handed out before the erasures, and those made since.
        assert inclusion.check(receipt).entry.type == "consent.given"
        inclusion.check(inclusion.prove(event))


def _spellings(text: str) -> list[bytes]:
    plain = text.encode()
    return [
        plain,
        plain.lower(),
        sha256(plain).digest(),
        sha256(plain).hexdigest().encode(),
    ]


# --- SQLite keeps no byte of it ----------------------------------------------------


# What PostgreSQL keeps until its VACUUM is told in docs/erasure.md.
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_byte_of_key_or_body_is_left_in_the_files_of_sqlite(
    database: str, record: Record, now: datetime
) -> None:
    ada, bob = services.new_subjects(count=2, now=now)
    hers, _ = record(subject=ada), record(subject=bob)
    services.settle(now=now)
    wrapped = bytes(_vault_row(ada).wrapped or b"")
    body = Body.objects.get(event=hers)
    traces = [ada.bytes, ada.hex.encode(), wrapped, bytes(body.sealed or b"")]
    assert any(_holds(trace) for trace in traces)
    erase(ada, now)
    for alias in ("default", "vault"):
        with connections[alias].cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            assert cursor.fetchone()[0] == 0
    assert [trace for trace in traces if _holds(trace)] == []
    assert _holds(bob.hex.encode())


def _holds(trace: bytes) -> bool:
    files = [*Path(settings.DATA_DIR).glob("*.sqlite3*")]
    assert files
    return any(trace in file.read_bytes() for file in files)


def test_what_inspections_found_of_a_person_is_redacted(now: datetime) -> None:
    ada = services.new_subject(now=now)
    found = {"code": "consent-history", "message": f"decisions of donor {ada} miss"}
    kept = Verification.objects.create(requested_at=now, findings=[found])
    other = Verification.objects.create(requested_at=now, findings=[])
    erasure.redact([str(ada)])
    kept.refresh_from_db()
    other.refresh_from_db()
    assert kept.findings[0]["message"] == "decisions of donor (erased) miss"
    assert other.findings == []
