"""A log that is lost, whole or from an entry on, and what it looked like before."""

import shutil
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import Model

from ledger import exporting, inspection, keys, models, restoring
from ledger.tlog.policy import Policy
from tests.ledger import tampering

Unguarded = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def export(events: list[uuid.UUID], tmp_path: Path) -> Path:
    """Return an export of seven entries."""
    exporting.export(tmp_path / "export")
    return tmp_path / "export"


@pytest.fixture
def lose(unguarded: Unguarded) -> Callable[..., None]:
    """Return a function that loses the log from an entry on, and other tables whole."""

    def lose(*tables: type[Model], start: int = 0) -> None:
        with unguarded():
            if start:
                tampering.cut_back(start)
            else:
                models.Entry.objects.all().delete()
                models.Head.objects.all().delete()
                models.Checkpoint.objects.all().delete()
                models.PolicyVersion.objects.all().delete()
                shutil.rmtree(settings.LEDGER_PUBLIC_DIR)
            for table in tables:
                table._default_manager.all().delete()

    return lose


def policy() -> Policy:
    return Policy.single(keys.log_key().verifier)


def restore(folder: Path, now: datetime) -> restoring.Restored:
    return restoring.restore(folder, policy=policy(), now=now)


def rows() -> list[tuple[int, uuid.UUID, bytes, bytes]]:
    found = models.Entry.objects.order_by("seq")
    return [
        (each.seq, each.event, bytes(each.data), bytes(each.leaf_hash))
        for each in found
    ]


def findings() -> list[str]:
    return [each.message for each in inspection.inspect().findings]
