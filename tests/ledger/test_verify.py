"""A replay convicts every change of a log, and says where."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ledger import errors, verify
from ledger.tlog import checkpoint, entry, hashing
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.entry import Entry
from ledger.tlog.note import SignerKey

KEY = SignerKey(name="example.com/log", seed=bytes(range(32)))
THIEF = SignerKey(name=KEY.name, seed=bytes(32))
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
GENESIS = {"origin": KEY.name, "key_id": KEY.verifier.key_id.hex()}

Change = Callable[[Entry], dict[str, Any]]


def values_of(seq: int) -> dict[str, Any]:
    return {
        "type": "consent.given" if seq else "log.genesis",
        "pub": {} if seq else GENESIS,
        "commit": hashing.leaf_hash(b"body %d" % seq),
        "time": START + timedelta(seconds=seq),
    }


def chain(values: list[dict[str, Any]]) -> list[bytes]:
    """Return a log whose every link is right."""
    log: list[bytes] = []
    prev = entry.NO_PREVIOUS
    for seq, each in enumerate(values):
        log.append(entry.encode(Entry(seq=seq, prev=prev, **each)))
        prev = hashing.leaf_hash(log[-1])
    return log


def signed(log: list[bytes], key: SignerKey = KEY) -> bytes:
    root = hashing.root_hash(hashing.leaf_hash(each) for each in log)
    return checkpoint.sign(Checkpoint(origin=key.name, size=len(log), root=root), key)


VALUES = [values_of(seq) for seq in range(12)]
LOG = chain(VALUES)
NOTE = signed(LOG)


def replay(log: list[bytes], note: bytes = NOTE) -> verify.Replayed:
    return verify.replay(log, note=note, key=KEY.verifier)


def test_a_sound_log_replays() -> None:
    found = replay(LOG)
    assert found.size == found.checkpoint.size == 12
    assert found.root == found.checkpoint.root
    assert found.first_time == START
    assert found.last_time == START + timedelta(seconds=11)


def test_entries_beyond_the_checkpoint_are_checked_as_a_chain() -> None:
    note = signed(LOG[:8])
    assert replay(LOG, note).checkpoint.size == 8
    with pytest.raises(errors.LinkBroken):
        replay([*LOG[:9], LOG[10].replace(b'"seq":10', b'"seq":9')], note)


def test_an_empty_log_replays() -> None:
    found = replay([], signed([]))
    assert (found.size, found.root) == (0, hashing.EMPTY_ROOT)
    assert found.first_time is None


def test_any_flipped_bit_of_a_log_is_refused() -> None:
    for at in range(len(LOG)):
        for bit in range(0, len(LOG[at]) * 8, 5):
            changed = bytearray(LOG[at])
            changed[bit // 8] ^= 1 << bit % 8
            with pytest.raises(errors.ReplayError) as refused:
                replay([*LOG[:at], bytes(changed), *LOG[at + 1 :]])
            # It shows at the entry itself, at the link after it, or in the root.
            assert refused.value.seq in {at, at + 1, 12}


def test_a_rewritten_entry_breaks_the_link_behind_it() -> None:
    log = chain([*VALUES[:5], {**VALUES[5], "type": "consent.withdrawn"}])
    with pytest.raises(errors.LinkBroken, match="does not follow entry 5") as refused:
        replay([*LOG[:5], log[5], *LOG[6:]])
    assert refused.value.seq == 6


def test_a_log_rewritten_to_its_end_has_another_root() -> None:
    log = chain([*VALUES[:5], {**VALUES[5], "type": "consent.withdrawn"}, *VALUES[6:]])
    with pytest.raises(errors.RootMismatch, match="rewritten after it was signed"):
        replay(log)


def test_a_log_rewritten_and_signed_by_another_key_is_refused() -> None:
    log = chain([*VALUES[:5], *VALUES[6:]])
    with pytest.raises(errors.NoteInvalid, match="not signed by"):
        replay(log, signed(log, THIEF))


def test_a_tail_cut_off_is_missing() -> None:
    with pytest.raises(errors.TailMissing, match="covers 12 entries, only 9 are there"):
        replay(LOG[:9])


def test_a_removed_entry_leaves_a_gap() -> None:
    with pytest.raises(errors.SequenceBroken, match="entry 5 was expected, entry 6"):
        replay([*LOG[:5], *LOG[6:]])


def test_two_entries_exchanged_are_out_of_order() -> None:
    with pytest.raises(errors.SequenceBroken, match="entry 5 was expected, entry 6"):
        replay([*LOG[:5], LOG[6], LOG[5], *LOG[7:]])


def test_an_entry_put_in_shows() -> None:
    with pytest.raises(errors.SequenceBroken):
        replay([*LOG[:5], LOG[4], *LOG[5:]])
    log = chain([*VALUES[:5], VALUES[4], *VALUES[5:]])
    with pytest.raises(errors.RootMismatch):
        replay(log)


def test_a_back_dated_entry_shows_even_where_all_links_are_right() -> None:
    dated = {**VALUES[8], "time": START + timedelta(seconds=3)}
    log = chain([*VALUES[:8], dated, *VALUES[9:]])
    with pytest.raises(errors.TimeWentBack, match="entry 8 is dated") as refused:
        replay(log, signed(log))
    assert refused.value.seq == 8


def test_entries_of_the_same_moment_are_in_order() -> None:
    log = chain([{**each, "time": START} for each in VALUES])
    assert replay(log, signed(log)).size == 12


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", LOG[3] + b"\n", LOG[3][:-1]])
def test_what_is_no_entry_is_named_by_its_place(data: bytes) -> None:
    with pytest.raises(errors.EntryMalformed, match="entry 3: ") as refused:
        replay([*LOG[:3], data, *LOG[4:]])
    assert refused.value.seq == 3


def test_genesis_stands_first_and_only_there() -> None:
    log = chain([VALUES[1], *VALUES[1:]])
    with pytest.raises(errors.SequenceBroken, match=r"entry 0 is a consent\.given"):
        replay(log, signed(log))
    log = chain([VALUES[0], VALUES[0]])
    with pytest.raises(errors.SequenceBroken, match=r"entry 1 is a log\.genesis"):
        replay(log, signed(log))


def test_the_first_entry_follows_none() -> None:
    first = entry.parse(LOG[0])
    other = entry.encode(
        Entry(
            seq=0,
            prev=hashing.leaf_hash(b""),
            time=first.time,
            type=first.type,
            pub=first.pub,
            commit=first.commit,
        )
    )
    with pytest.raises(errors.LinkBroken, match="names an entry before it"):
        replay([other], signed([other]))


def test_a_log_that_does_not_announce_the_key_is_refused() -> None:
    for genesis in ({**GENESIS, "key_id": "00000000"}, {**GENESIS, "origin": "other"}):
        log = chain([{**VALUES[0], "pub": genesis}, *VALUES[1:]])
        with pytest.raises(errors.ReplayError, match="does not announce the key"):
            replay(log, signed(log))


def rotated(*changes: tuple[str, SignerKey]) -> list[bytes]:
    """Return a log of KEY that adds and retires keys, one change an entry."""
    values = [VALUES[0]]
    for number, (action, key) in enumerate(changes, start=1):
        pub = {"action": action, "key_id": key.verifier.key_id.hex()}
        values.append({**VALUES[number], "type": "log.key", "pub": pub})
    return chain(values)


def test_a_key_added_later_is_announced() -> None:
    log = rotated(("added", THIEF))
    assert verify.replay(log, note=signed(log, THIEF), key=THIEF.verifier).size == 2
    log = rotated(("forgotten", THIEF))
    with pytest.raises(errors.KeyUnannounced, match="does not announce the key"):
        verify.replay(log, note=signed(log, THIEF), key=THIEF.verifier)


def test_a_retired_key_signs_nothing_after_its_end_and_all_before_it() -> None:
    log = rotated(("added", THIEF), ("retired", KEY))
    assert verify.replay(log, note=signed(log, THIEF), key=THIEF.verifier).size == 3
    with pytest.raises(errors.KeyUnannounced, match="has retired it"):
        replay(log, signed(log))
    assert replay(log, signed(log[:2])).checkpoint.size == 2


def test_a_replay_remembers_the_policy_announced_last() -> None:
    state = verify.Replay()
    policies = ("ab" * 32, "cd" * 32)
    for data in chain(
        [
            VALUES[0],
            *(
                {**VALUES[1], "type": "log.policy", "pub": {"policy_sha256": each}}
                for each in policies
            ),
        ]
    ):
        state.feed(data)
    assert state.policy_sha256 == policies[1]


@pytest.mark.parametrize("at", [0, 1, 5, 12])
def test_a_replay_goes_on_from_what_was_written_down(at: int) -> None:
    state = verify.Replay()
    for data in LOG[:at]:
        state.feed(data)
    again = verify.Replay.from_json(json.loads(json.dumps(state.to_json())))
    for data in LOG[at:]:
        state.feed(data)
        again.feed(data)
    assert again.to_json() == state.to_json()
    assert again.frontier.root() == state.frontier.root()
    with pytest.raises(errors.SequenceBroken):
        again.feed(LOG[5])


@pytest.mark.parametrize(
    "change",
    [
        {"size": 7},
        {"size": "5"},
        {"frontier": "AA=="},
        {"frontier": None},
        {"last_leaf": "="},
        {"last_time": "yesterday"},
        {"key_ids": 5},
    ],
)
def test_what_is_no_state_of_a_replay_is_not_gone_on_with(
    change: dict[str, Any],
) -> None:
    state = verify.Replay()
    for data in LOG[:5]:
        state.feed(data)
    with pytest.raises(ValueError, match=r"."):
        verify.Replay.from_json({**state.to_json(), **change})
    with pytest.raises(ValueError, match="not the state of a replay"):
        verify.Replay.from_json({})


def test_an_error_does_not_move_the_replay() -> None:
    state = verify.Replay()
    state.feed(LOG[0])
    for data in (LOG[0], LOG[2], b"{}"):
        with pytest.raises(errors.ReplayError):
            state.feed(data)
    state.feed(LOG[1])
    assert state.size == 2
    assert state.frontier.root() == hashing.root_hash(map(hashing.leaf_hash, LOG[:2]))


def test_the_checkpoint_of_another_size_is_not_this_root() -> None:
    state = verify.Replay()
    state.feed(LOG[0])
    with pytest.raises(errors.RootMismatch):
        state.check_root(
            Checkpoint(origin=KEY.name, size=2, root=state.frontier.root())
        )
