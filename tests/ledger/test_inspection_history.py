"""A rewritten, shortened or extended history is found, and by what."""

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.conf import settings

from ledger import inspection, keys, models
from ledger.tlog import entry, hashing
from ledger.tlog.hashing import LeafHash
from ledger.tlog.note import SignerKey
from tests.ledger.tampering import cut_back, found, resign_all, rewrite

pytestmark = pytest.mark.usefixtures("database")

Unguarded = Callable[[], AbstractContextManager[None]]


def test_a_rewritten_row_is_detected_by_the_link_behind_it(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    row = models.Entry.objects.get(seq=4)
    with unguarded():
        row.data = bytes(row.data).replace(b"steward", b"auditor")
        row.leaf_hash = hashing.leaf_hash(row.data)
        row.save()
    assert ("chain", 5) in found()


def test_a_rewritten_last_row_is_detected_by_the_signed_root(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    row = models.Entry.objects.get(seq=6)
    with unguarded():
        row.data = bytes(row.data).replace(b"steward", b"auditor")
        row.leaf_hash = hashing.leaf_hash(row.data)
        row.save()
    assert {("checkpoint", 7), ("notary", 7), ("head", 7)} <= set(found())


def test_everything_rewritten_and_recomputed_is_detected_by_the_signature(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
    codes = found()
    assert {("checkpoint", 5), ("checkpoint", 6), ("checkpoint", 7)} <= set(codes)
    assert ("head", 7) not in codes


def test_everything_rewritten_and_signed_by_another_key_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    thief = SignerKey(name=keys.log_key().name, seed=bytes(32))
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
        resign_all(thief)
    codes = found()
    assert [each for each in codes if each[0] == "checkpoint"]
    assert ("notary", 7) in codes


def test_a_fork_signed_with_the_stolen_key_is_detected_by_the_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    """Without witnesses, what is left is the notary's memory apart from the tables."""
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
        resign_all(keys.log_key())
    # The files that others have read hold the first history as well.
    assert found() == [("notary", 7), ("tile", 0), ("tile", 0), ("file", 7)]
    shutil.rmtree(settings.LEDGER_PUBLIC_DIR)
    assert found() == [("notary", 7), ("file-missing", 7)]


def test_a_deleted_tail_is_detected_by_checkpoint_and_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq__gte=5).delete()
    codes = [each[0] for each in found()]
    assert codes.count("tail") == 2
    assert "head" in codes
    assert "event-lost" in codes


def test_a_tail_deleted_with_care_is_detected_by_the_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    """As an old backup looks, with everything in the tables fitting together."""
    with unguarded():
        cut_back(5)
        models.Body.objects.exclude(
            event__in=models.Entry.objects.values("event")
        ).delete()
    assert found() == [("tail", 5), ("file-newer", 7)]


def test_a_tail_deleted_with_all_checkpoints_is_detected_by_the_notary(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        for model in (models.Entry, models.Checkpoint, models.Head, models.Body):
            model.objects.all().delete()
    assert found() == [("tail", 0), ("file-newer", 7)]


def test_a_removed_entry_is_detected_by_the_gap(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    with unguarded():
        models.Entry.objects.filter(seq=3).delete()
    assert ("chain", 3) in found()


def test_a_back_dated_insertion_is_detected(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    early = entry.parse(bytes(models.Entry.objects.get(seq=1).data)).time
    with unguarded():
        rewrite(5, time=early)
    report = inspection.inspect()
    assert [(each.code, each.seq) for each in report.findings][:1] == [("chain", 5)]
    assert "entry 5 is dated" in report.findings[0].message


def test_a_row_appended_apart_from_the_sequencer_is_detected_by_the_head(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    last = models.Entry.objects.get(seq=6)
    data = entry.encode(
        entry.Entry(
            seq=7,
            prev=LeafHash(bytes(last.leaf_hash)),
            time=entry.parse(bytes(last.data)).time,
            type="subject.erased",
            pub={},
            commit=bytes(32),
        )
    )
    models.Entry.objects.create(
        seq=7, event=uuid.uuid4(), data=data, leaf_hash=hashing.leaf_hash(data)
    )
    assert found() == [("head", 7)]
