"""The operator forges everything that lies on her machines; the witnesses do not.

She owns the tables, the log key, the notary's memory and the files that others read.
Two witnesses of a 2-of-2 policy are processes of other institutions.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import datetime
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from ledger import (
    errors,
    inspection,
    keys,
    memory,
    models,
    publishing,
    selectors,
    services,
)
from ledger.tlog import checkpoint
from ledger.tlog.policy import Policy
from tests import witnesses
from tests.ledger.tampering import cut_back, resign_all, rewrite

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]
Unguarded = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def policy(database: str, tmp_path: Path, settings: Settings) -> Iterator[Policy]:
    """Run two witnesses of the log, and let the site publish by both alone."""
    keys.create_service_key()
    keys.create_log_key()
    log = keys.log_key().verifier
    lines = [f"log {log.text}"]
    with ExitStack() as running:
        for number in range(2):
            folder = tmp_path / f"witness{number}"
            name = f"witness{number}.example/w"
            key = witnesses.make(folder, log, name=name)
            url = running.enter_context(witnesses.serving(folder)).url
            lines.append(f"witness w{number} {key.text} {url}")
        lines += ["group both all w0 w1", "quorum both"]
        file = tmp_path / "policy"
        file.write_text("".join(f"{line}\n" for line in lines))
        settings.LEDGER_POLICY_FILE = file
        yield Policy.parse(file.read_text())


@pytest.fixture
def published(
    policy: Policy, events: list[uuid.UUID], now: datetime
) -> list[uuid.UUID]:
    """Return the events of a log that both witnesses have cosigned."""
    services.publish(now=now)
    assert all(selectors.is_published(event) for event in events)
    note = publishing.store().read_checkpoint()
    assert note is not None and len(policy.check(note).cosigners) == 2
    return events


def forge_what_is_ours() -> None:
    """Make tables, signatures, memory and files tell the story of the rows."""
    resign_all(keys.log_key())
    row = models.Checkpoint.objects.order_by("-size").first()
    assert row is not None
    head = checkpoint.open_note(bytes(row.note), keys.log_key().verifier)
    memory.adopt(keys.notary_state_file(), head)
    shutil.rmtree(publishing.store().root)


@pytest.mark.usefixtures("reckless")
def test_a_rewritten_site_gets_no_cosignature_and_opens_no_gate(
    published: list[uuid.UUID],
    record: Record,
    unguarded: Unguarded,
    now: datetime,
) -> None:
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
        forge_what_is_ours()
    event = record()
    with pytest.raises(errors.QuorumNotMet):
        services.publish(now=now)
    assert not selectors.is_published(event)
    refused = [each.failure for each in selectors.witnesses()]
    assert len(refused) == 2 and all(refused)


@pytest.mark.usefixtures("reckless")
def test_a_site_restored_from_an_old_backup_gets_no_cosignature(
    published: list[uuid.UUID],
    record: Record,
    unguarded: Unguarded,
    now: datetime,
) -> None:
    with unguarded():
        cut_back(3)
        models.Body.objects.exclude(
            event__in=models.Entry.objects.values("event")
        ).delete()
        models.Checkpoint.objects.all().delete()
        memory.adopt(keys.notary_state_file(), _head_now())
        shutil.rmtree(publishing.store().root)
    for _ in range(8):
        event = record()
    with pytest.raises(errors.QuorumNotMet):
        services.publish(now=now)
    assert not selectors.is_published(event)


def test_without_witnesses_the_same_forgery_is_not_noticed_inside(
    events: list[uuid.UUID], unguarded: Unguarded
) -> None:
    """What the documents say is not defended; a kept checkpoint still convicts."""
    kept = publishing.store().read_checkpoint()
    with unguarded():
        rewrite(4, pub={"role": "auditor"})
        forge_what_is_ours()
    publishing.rebuild()
    assert kept is not None
    key = keys.log_key().verifier
    honest = checkpoint.open_note(kept, key)
    row = models.Checkpoint.objects.get(size=honest.size)
    forged = checkpoint.open_note(bytes(row.note), key)
    # Two roots of one size, both under the log's own key: the proof of the fork.
    assert forged.root != honest.root
    assert inspection.inspect().findings == []


def _head_now() -> checkpoint.Checkpoint:
    head = selectors.head()
    return checkpoint.Checkpoint(
        origin=keys.log_key().name, size=head.size, root=head.root
    )
