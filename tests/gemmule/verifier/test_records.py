"""A donor's record shows every act, and whether one between them is missing."""

import json
import random
from typing import Any

import pytest

from gemmule.verifier import records
from gemmule.verifier.errors import ActMissing, RecordRefused
from ledger import commitments
from ledger.tlog import canonical
from ledger.tlog.opening import Opening
from ledger.tlog.policy import Policy
from tests.gemmule.verifier.acts import Scene, open_of
from tests.ledger import written

SCENE = Scene()


def check(data: bytes, policy: Policy = written.POLICY) -> records.RecordHolds:
    return records.check(data, policy)


def with_acts(*acts: dict[str, Any]) -> bytes:
    return SCENE.record(1, acts=list(acts))


def erased(number: int) -> dict[str, Any]:
    return {**SCENE.act(number), "opening": None}


def test_a_whole_record_holds() -> None:
    found = check(SCENE.record())
    assert (found.counted, found.erased) == (4, 0)
    assert [each.checked.index for each in found.acts] == [1, 3, 5, 7]
    text = "\n".join(found.lines())
    assert "None is missing from act 1 to act 4" in text
    assert "Whether there were acts after act 4, this file cannot show" in text
    assert "consent.paused (a donor paused a consent), entry 5" in text


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([1, 3, 4], "1 act.* missing before the one that counts itself as number 3"),
        ([1, 4], "2 act.* missing before the one that counts itself as number 4"),
        ([2, 3, 4], "1 act.* missing before the one that counts itself as number 2"),
        ([4], "3 act.* missing before the one that counts itself as number 4"),
    ],
)
def test_a_missing_act_is_named(numbers: list[int], message: str) -> None:
    with pytest.raises(ActMissing, match=message):
        check(SCENE.record(*numbers))


def test_acts_after_the_last_one_leave_no_trace() -> None:
    found = check(SCENE.record(1, 2, 3))
    assert found.counted == 3
    assert "after act 3, this file cannot show" in "\n".join(found.lines())


def test_a_repeated_act_is_refused() -> None:
    with pytest.raises(RecordRefused, match="acts 2 and 3 are the same entry 3"):
        check(SCENE.record(1, 2, 2, 3))


def test_swapped_acts_are_refused() -> None:
    with pytest.raises(RecordRefused, match=r"act 3 \(entry 3\) stands behind act 2"):
        check(SCENE.record(1, 3, 2, 4))


def test_swapped_openings_are_refused() -> None:
    acts = [SCENE.act(each) for each in (1, 2, 3, 4)]
    acts[1]["opening"], acts[2]["opening"] = acts[2]["opening"], acts[1]["opening"]
    with pytest.raises(RecordRefused, match="act 2: the body is not the one"):
        check(with_acts(*acts))


def test_an_act_of_another_donor_is_refused() -> None:
    other = Scene(acts=2)
    # The same places on the log, another person's bodies.
    mixed = [SCENE.act(1), SCENE.act(2)]
    body = {**other.openings[1].body, "subject_prev": None}
    opening = open_of("somebody else", body)
    log = [*SCENE.log]
    values = [written.values_of(seq) for seq in range(len(log))]
    from_other = written.chain(
        [
            *values[:3],
            {**values[3], "commit": commit_of(opening)},
            *values[4:],
        ]
    )
    mixed[1] = {
        "receipt": written.receipt_of(from_other, 3).decode(),
        "opening": json.loads(opening.encode()),
    }
    mixed[0] = {
        "receipt": written.receipt_of(from_other, 1).decode(),
        "opening": None,
    }
    with pytest.raises(RecordRefused, match="act 2 does not follow the act before it"):
        check(with_acts(*mixed))


def commit_of(opening: Opening) -> bytes:
    return commitments.commit(opening.key, canonical.write(opening.body))


def test_an_act_that_does_not_count_itself_is_refused() -> None:
    opening = open_of("a release", {"dataset": "GMD7K2Q9XA"})
    values = [written.values_of(0), written.values_of(1, commit=commit_of(opening))]
    log = written.chain(values)
    act = {
        "receipt": written.receipt_of(log, 1).decode(),
        "opening": json.loads(opening.encode()),
    }
    with pytest.raises(RecordRefused, match="act 1 is not a donor's"):
        check(with_acts(act))


def test_an_erased_act_is_held_in_place_by_the_one_after_it() -> None:
    found = check(with_acts(SCENE.act(1), erased(2), SCENE.act(3), SCENE.act(4)))
    assert (found.counted, found.erased) == (4, 1)
    assert "the ones after them show that they belong here" in found.lines()[-1]
    with pytest.raises(ActMissing):
        check(with_acts(SCENE.act(1), erased(2), SCENE.act(4)))
    # An entry of somebody else stands where the erased act was.
    other = {"receipt": written.receipt_of(SCENE.log, 4).decode(), "opening": None}
    with pytest.raises(RecordRefused, match="act 3 does not follow the act before"):
        check(with_acts(SCENE.act(1), other, SCENE.act(3)))


def test_erased_acts_at_the_end_are_not_vouched_for() -> None:
    found = check(with_acts(SCENE.act(1), SCENE.act(2), erased(3), erased(4)))
    assert (found.counted, found.erased) == (2, 2)
    text = "\n".join(found.lines())
    assert "None is missing from act 1 to act 2" in text
    assert "What the acts after act 2 said was erased" in text


def test_a_record_erased_whole_says_that_nothing_can_be_told() -> None:
    found = check(with_acts(erased(1), erased(3)))
    assert (found.counted, found.erased) == (0, 2)
    text = "\n".join(found.lines())
    assert "cannot be told any more" in text
    assert "None is missing" not in text


def test_an_empty_record_holds_nothing() -> None:
    found = check(SCENE.record(1, acts=[]))
    assert found.acts == () and found.counted == 0
    assert "has 0 act(s)" in "\n".join(found.lines())


def test_receipts_of_two_histories_are_refused() -> None:
    fork = written.log_of(len(SCENE.log))
    other = {"receipt": written.receipt_of(fork, 3).decode(), "opening": None}
    with pytest.raises(RecordRefused, match="the log shows two histories"):
        check(with_acts(SCENE.act(1), other))


def test_receipts_at_different_checkpoints_are_told() -> None:
    early = written.receipt_of(SCENE.log[:2], 1).decode()
    found = check(with_acts({**SCENE.act(1), "receipt": early}, SCENE.act(2)))
    assert found.sizes == {2, 9}
    assert "2 different checkpoints, of 2, 9 entries" in found.lines()[-1]


def test_a_receipt_below_the_quorum_is_refused() -> None:
    alone = SCENE.act(2, witnesses=written.WITNESSES[:1])
    with pytest.raises(RecordRefused, match="act 2: 1 of the policy's 3 witnesses"):
        check(with_acts(SCENE.act(1), alone))


def test_another_policy_refuses() -> None:
    other = Policy.parse(written.policy_text(key=written.THIEF))
    with pytest.raises(RecordRefused, match=r"act 1: .*not signed by"):
        check(SCENE.record(), other)


def test_a_record_of_another_log_is_refused() -> None:
    with pytest.raises(RecordRefused, match="of another log than the record says"):
        check(SCENE.record(origin="example.org/other"))


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": "1"},
        {"kind": "gemmule/receipt"},
        {"origin": 1},
        {"made_at": None},
        {"acts": {}},
        {"more": 1},
    ],
)
def test_another_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(RecordRefused, match="the file is not a donor record"):
        check(SCENE.record(**change))


@pytest.mark.parametrize(
    "act",
    [
        None,
        [],
        {},
        {"receipt": "text"},
        {"receipt": 1, "opening": None},
        {"receipt": "text", "opening": []},
        {"receipt": "text", "opening": None, "more": 1},
    ],
)
def test_another_form_of_an_act_is_refused(act: Any) -> None:
    with pytest.raises(RecordRefused, match="act 2 must have a receipt"):
        check(with_acts(SCENE.act(1), act))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff", b'{"v":1,"v":1}', b"1.5", b"[" * 100_000]
)
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(RecordRefused, match="the file is not a donor record"):
        check(data)


def test_any_flipped_bit_is_refused_or_changes_nothing_that_is_vouched_for(
    rng: random.Random,
) -> None:
    data = SCENE.record()
    sound = check(data)
    refused = 0
    for at in rng.sample(range(len(data)), 300):
        changed = bytearray(data)
        changed[at] ^= 1 << rng.randrange(7)
        try:
            found = check(bytes(changed))
        except RecordRefused:
            refused += 1
            continue
        # The time of making, the name of an event and a witness that is not needed
        # are vouched for by nobody; of the acts nothing changed.
        for one, other in zip(found.acts, sound.acts, strict=True):
            assert one.checked.entry == other.checked.entry
            assert one.opening is not None and other.opening is not None
            assert one.opening.body == other.opening.body
    assert refused > 200
