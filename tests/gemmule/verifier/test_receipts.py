"""A receipt and an opening show one entry, and say no more than they show."""

from datetime import timedelta

import pytest

from gemmule.verifier import receipts
from ledger import errors
from ledger.tlog.policy import Policy
from tests.gemmule.verifier.acts import Scene
from tests.ledger import written

SCENE = Scene()


def told(
    policy: Policy = written.POLICY, opened: bytes | None = None, **options: object
) -> str:
    found = receipts.check(SCENE.receipt(2, **options), policy, opened=opened)
    return "\n".join(found.lines())


def test_a_receipt_tells_entry_signers_and_times() -> None:
    text = told()
    assert text.startswith("This receipt holds.\nIt is of entry 3 (of 9, counted from")
    assert "consent.changed (a donor changed a consent)" in text
    assert f"key {written.KEY.name}+{written.KEY.verifier.key_id.hex()}" in text
    assert "Cosigned by 2 of the policy's 3 witnesses:" in text
    assert "hospital, at 2026-03-02 09:30:09 UTC by its own clock" in text
    assert (
        "It was written between 2026-03-02 09:30:03 UTC, as the log says, and "
        "2026-03-02 09:30:09 UTC, when a witness had seen it."
    ) in text
    assert "its opening (--opening FILE) shows it" in text


def test_the_earliest_cosignature_ends_the_bracket() -> None:
    early, late = written.WITNESSES[:2]
    first = written.signed(
        SCENE.log, witnesses=[early], at=written.START + timedelta(seconds=20)
    )
    second = written.signed(
        SCENE.log, witnesses=[late], at=written.START + timedelta(seconds=90)
    )
    own = SCENE.receipt(2, witnesses=())
    lines = [each.splitlines(keepends=True)[-1] for each in (second, first)]
    found = receipts.check(own + b"".join(lines), written.POLICY, opened=None)
    assert found.as_json()["latest"] == "2026-03-02T09:30:20.000Z"


def test_a_witness_with_a_wrong_clock_is_told() -> None:
    text = told(at=written.START)
    assert "later than a witness that has seen it by 2026-03-02 09:30:00 UTC" in text
    assert "one of the clocks is wrong" in text


def test_without_witnesses_the_log_has_only_its_own_word() -> None:
    text = told(written.ALONE, witnesses=())
    assert "No witness of the policy has cosigned" in text
    assert "The log dates the entry 2026-03-02 09:30:03 UTC; nobody else" in text
    found = receipts.check(SCENE.receipt(2), written.ALONE, opened=None)
    assert (found.latest, found.as_json()["cosigners"]) == (None, [])


def test_an_opening_tells_the_body() -> None:
    text = told(opened=SCENE.openings[1].encode())
    assert "The opening fits: this, and nothing else, is what" in text
    assert "  subject seq: 2\n" in text
    assert "  terms:\n    permission: GRU\n    modifiers: NPU, US" in text.replace(
        "    modifiers: NPU, US\n    permission: GRU",
        "    permission: GRU\n    modifiers: NPU, US",
    )


@pytest.mark.parametrize("number", [1, 3])
def test_the_opening_of_another_event_is_refused(number: int) -> None:
    with pytest.raises(errors.OpeningInvalid, match="not the one the entry commits"):
        told(opened=SCENE.openings[number - 1].encode())


def test_a_receipt_of_another_log_is_refused() -> None:
    with pytest.raises(errors.NoteInvalid):
        told(Policy.parse(written.policy_text(key=written.THIEF)))
