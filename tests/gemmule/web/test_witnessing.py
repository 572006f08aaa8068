"""Who signs the ledger, in words: fresh, late, failing, or never yet."""

from datetime import UTC, datetime

import pytest

from gemmule.web import witnessing
from ledger.selectors import CheckpointView, WitnessView
from ledger.tlog import checkpoint, cosignature
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import COSIGNATURE, SignerKey

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LOG = SignerKey(name="log.example", seed=bytes(32))


def witness(
    size: int = 0,
    cosigned_at: datetime | None = None,
    failed_at: datetime | None = None,
    failure: str = "",
) -> WitnessView:
    return WitnessView(
        name="w1",
        key_text="w.example+00000000+AAAA",
        url="https://w.example/",
        size=size,
        cosigned_at=cosigned_at,
        failed_at=failed_at,
        failure=failure,
    )


@pytest.mark.parametrize(
    ("view", "tone", "status", "why"),
    [
        (witness(), "waiting", "Has not signed yet", ""),
        (witness(100, AT), "good", "Up to date", ""),
        # It may have signed what is about to be published.
        (witness(101, AT), "good", "Up to date", ""),
        (witness(99, AT), "attention", "1 entry behind", ""),
        (witness(40, AT), "attention", "60 entries behind", ""),
        # What it failed at before it signed is no longer true of it.
        (witness(100, AT, AT), "good", "Up to date", ""),
        (
            witness(100, AT, AT, "it did not answer"),
            "stop",
            "Did not sign when last asked",
            "it did not answer",
        ),
        (
            witness(0, None, AT, "it did not answer"),
            "stop",
            "Did not sign when last asked",
            "it did not answer",
        ),
    ],
)
def test_a_witness_is_told_in_words(
    view: WitnessView, tone: str, status: str, why: str
) -> None:
    (row,) = witnessing.witness_rows([view], size=100)
    assert (row.tone, row.status, row.why) == (tone, status, why)
    assert (row.name, row.size, row.cosigned_at) == (
        "w.example",
        view.size,
        view.cosigned_at,
    )


def signed(*names: str) -> CheckpointView:
    head = Checkpoint(origin=LOG.name, size=1, root=bytes(32))
    note = checkpoint.sign(head, LOG).decode()
    text = note.partition("\n\n")[0] + "\n"
    for name in names:
        key = SignerKey(name=name, seed=bytes(32), algorithm=COSIGNATURE)
        note += cosignature.cosign(text, key, time=1)
    return CheckpointView(size=1, root=bytes(32), note=note, time=AT)


def test_cosigners_are_all_names_but_the_logs_own() -> None:
    assert witnessing.cosigners(signed().note) == ()
    two = signed("b.example", "a.example")
    assert witnessing.cosigners(two.note) == ("a.example", "b.example")
    (row,) = witnessing.checkpoint_rows([two])
    assert row.cosigners == ("a.example", "b.example")


def test_a_name_of_no_encoding_can_be_shown() -> None:
    octets = b"caf\xe9.example".decode("utf-8", "surrogateescape")
    assert witnessing.readable(octets) == "caf?.example"
    assert witnessing.readable("café.example") == "café.example"
