"""A second implementation of the tree, and values for entries."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from ledger.tlog.entry import NO_PREVIOUS, Entry


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it, from the data of all leaves."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(
        b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])
    ).digest()


def naive_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH as RFC 6962 section 2.1.1 writes it."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*naive_path(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_path(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_consistency(
    old_size: int, leaves: Sequence[bytes], is_known: bool = True
) -> list[bytes]:
    """SUBPROOF as RFC 6962 section 2.1.2 writes it."""
    if old_size == len(leaves):
        return [] if is_known else [naive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old_size <= split:
        path = naive_consistency(old_size, leaves[:split], is_known)
        return [*path, naive_root(leaves[split:])]
    path = naive_consistency(old_size - split, leaves[split:], False)
    return [*path, naive_root(leaves[:split])]


class Naive:
    """The recursive formulas of the RFC, slow and plain."""

    root = staticmethod(naive_root)
    path = staticmethod(naive_path)
    consistency = staticmethod(naive_consistency)


@pytest.fixture(scope="session")
def naive() -> Naive:
    """Return the second implementation."""
    return Naive()


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
