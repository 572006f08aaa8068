"""Values for entries."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.tlog.entry import NO_PREVIOUS, Entry


@pytest.fixture
def make_entry() -> Callable[..., Entry]:
    """Return a function that makes an entry, any value of it replaced."""

    def make(**values: Any) -> Entry:
        return Entry(
            **{
                "seq": 7,
                "prev": NO_PREVIOUS,
                "time": datetime(2026, 11, 22, 15, 43, 34, 123000, tzinfo=UTC),
                "type": "access.submitted",
                "pub": {"request_sha256": "ab" * 32, "duo": ["DUO:0000042", "HMB"]},
                "commit": bytes(range(32)),
                **values,
            }
        )

    return make
