"""What the publisher writes for others holds for Go, whose code is none of ours.

The folder is the one that the site serves; the proofs are those of its receipts.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction

from ledger import inclusion, keys, selectors, services
from tests.ledger.foreign.reading import ask
from tests.ledger.foreign.served_log import Asked

pytestmark = [pytest.mark.golang, pytest.mark.usefixtures("database")]

Record = Callable[..., uuid.UUID]


def test_a_published_ledger_and_its_receipts_hold_for_go(
    verifier: Path, record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = record()
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(services, "settle", lambda *, now: None)
        events = [first, *(record() for _ in range(330))]
    services.settle(now=now)
    receipts = [inclusion.prove(event) for event in events]
    size = selectors.tree_size()
    asked = [
        Asked(name=f"entry {each.index}", index=each.index, size=size, proof=each.proof)
        for each in receipts
    ]
    vkey = keys.log_key().verifier.text
    read, objections = ask(verifier, settings.LEDGER_PUBLIC_DIR, asked, vkey)
    assert (read["origin"], read["size"]) == (settings.LEDGER_ORIGIN, size)
    assert size == 332
    assert len(objections) == 331
    assert {name: why for name, why in objections.items() if why} == {}
