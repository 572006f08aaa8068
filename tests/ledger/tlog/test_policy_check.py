"""A policy believes a checkpoint that its log signed and its quorum cosigned."""

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger import errors
from ledger.tlog import cosignature, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey
from ledger.tlog.policy import Policy
from tests.ledger.tlog.cast import (
    EXAMPLE,
    HEAD,
    KEYS,
    LOG,
    LOG_LINE,
    SIGNED,
    TIME,
    WITNESSES,
    cosigned,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "tlog"

published = json.loads((VECTORS / "cosigned.json").read_text(encoding="utf-8"))


def test_a_checkpoint_of_the_public_network_meets_a_policy() -> None:
    keys = [*published["witness_keys"], published["unused_witness_key"]]
    lines = "".join(f"witness w{at} {key}\n" for at, key in enumerate(keys))
    text = f"log {published['log_key']}\n{lines}group G 4 w0 w1 w2 w3 w4\nquorum G\n"
    found = Policy.parse(text).check(published["note"].encode())
    assert found.checkpoint.size == 1432088532
    assert [each.text for each in found.log_keys] == [published["log_key"]]
    assert [each.name for each in found.cosigners] == ["w0", "w1", "w2", "w3"]
    times = {each.time.isoformat() for each in found.cosigners}
    assert times == {published["time"]}
    with pytest.raises(errors.QuorumNotMet, match="4 of the policy's 5 witnesses"):
        Policy.parse(text.replace("G 4", "G 5")).check(published["note"].encode())


def test_a_single_key_is_enough_for_its_own_policy() -> None:
    single = Policy.single(LOG.verifier)
    assert single.text == f"log {LOG.verifier.text}\nquorum none\n"
    found = single.check(SIGNED)
    assert (found.checkpoint, found.log_keys) == (HEAD, (LOG.verifier,))
    assert found.cosigners == ()
    with pytest.raises(errors.PolicyInvalid, match="type 01, type 04 came"):
        Policy.single(KEYS["X1"].verifier)


def test_enough_cosignatures_are_believed_with_their_times() -> None:
    found = Policy.parse(EXAMPLE).check(cosigned("Y2", "X3", "X1"))
    assert [(each.name, each.key) for each in found.cosigners] == [
        (name, KEYS[name].verifier) for name in ("X1", "X3", "Y2")
    ]
    assert {each.time for each in found.cosigners} == {
        datetime.fromtimestamp(TIME, UTC)
    }


@pytest.mark.parametrize("names", [(), ("X1", "X2", "X3"), ("X1", "Y1", "Y2")])
def test_too_few_cosignatures_are_not_the_quorum(names: tuple[str, ...]) -> None:
    with pytest.raises(errors.QuorumNotMet, match="not the quorum"):
        Policy.parse(EXAMPLE).check(cosigned(*names))


def test_a_stranger_counts_for_nothing_even_under_a_witness_name() -> None:
    namesake = SignerKey(
        name=KEYS["Y1"].name, seed=bytes(32), algorithm=note.COSIGNATURE
    )
    line = cosignature.cosign(HEAD.text, namesake, time=TIME).encode()
    with pytest.raises(errors.QuorumNotMet):
        Policy.parse(EXAMPLE).check(cosigned("X1", "X2") + line)
    found = Policy.parse(EXAMPLE).check(cosigned("X1", "X2", "Y1") + line * 2)
    assert [each.name for each in found.cosigners] == ["X1", "X2", "Y1"]


def test_a_false_cosignature_of_a_witness_spoils_the_note() -> None:
    other = Checkpoint(origin=LOG.name, size=20852163, root=bytes(32))
    false = cosignature.cosign(other.text, KEYS["Y2"], time=TIME).encode()
    enough = cosigned("X1", "X2", "Y1")
    assert len(Policy.parse(EXAMPLE).check(enough).cosigners) == 3
    with pytest.raises(errors.NoteInvalid, match="is not of this text"):
        Policy.parse(EXAMPLE).check(enough + false)


def test_a_witness_cosigns_a_note_once() -> None:
    later = cosignature.cosign(HEAD.text, KEYS["X1"], time=TIME + 1).encode()
    with pytest.raises(errors.NoteInvalid, match="more than once"):
        Policy.parse(EXAMPLE).check(cosigned("X1", "X2", "Y1") + later)


def test_a_plain_signature_of_a_witness_is_no_cosignature() -> None:
    plain = SignerKey(name=KEYS["Y1"].name, seed=KEYS["Y1"].seed)
    line = plain.sign(HEAD.text).rpartition(b"\n\n")[2]
    with pytest.raises(errors.QuorumNotMet):
        Policy.parse(EXAMPLE).check(cosigned("X1", "X2") + line)


def test_cosignatures_do_not_replace_the_log() -> None:
    text, _, lines = cosigned("X1", "X2", "Y1").decode().partition("\n\n")
    without = "\n\n".join([text, lines.split("\n", 1)[1]])
    with pytest.raises(errors.NoteInvalid, match="not signed by"):
        Policy.parse(EXAMPLE).check(without.encode())


def test_a_listed_log_does_not_sign_for_another_listed_log() -> None:
    other = SignerKey(name="example.com/other", seed=bytes(32))
    both = Policy.parse(f"{LOG_LINE}log {other.verifier.text}\nquorum none\n")
    with pytest.raises(errors.CheckpointInvalid, match="signed by another log"):
        both.check(other.sign(HEAD.text))
    # Beside the log's own signature it is true, and says nothing.
    line = other.sign(HEAD.text).rpartition(b"\n\n")[2]
    assert both.check(SIGNED + line).log_keys == (LOG.verifier,)


def test_each_of_two_keys_of_a_log_is_enough_while_they_overlap() -> None:
    new = SignerKey(name=LOG.name, seed=bytes(32))
    both = Policy.parse(f"{LOG_LINE}log {new.verifier.text}\nquorum none\n")
    line = new.sign(HEAD.text).rpartition(b"\n\n")[2]
    assert both.check(SIGNED).log_keys == (LOG.verifier,)
    assert both.check(new.sign(HEAD.text)).log_keys == (new.verifier,)
    assert both.check(SIGNED + line).log_keys == (LOG.verifier, new.verifier)


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    with pytest.raises(errors.CheckpointInvalid, match="three lines"):
        Policy.single(LOG.verifier).check(LOG.sign("hello\n"))


def test_the_last_second_of_the_calendar_is_a_time_and_the_next_is_none() -> None:
    enough = "group G all X1\nquorum G\n"
    asked = Policy.parse(LOG_LINE + WITNESSES + enough)
    (last,) = asked.check(cosigned("X1", time=253402300799)).cosigners
    assert last.time == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    for time in (253402300800, cosignature.MAX_TIME):
        with pytest.raises(errors.NoteInvalid, match="is of no year"):
            asked.check(cosigned("X1", time=time))


def test_any_flipped_bit_of_a_cosigned_checkpoint_is_refused() -> None:
    asked = Policy.parse(EXAMPLE)
    good = cosigned("X1", "X2", "Y1")
    assert asked.check(good).checkpoint == HEAD
    for at in range(len(good)):
        for bit in range(8):
            changed = bytearray(good)
            changed[at] ^= 1 << bit
            with pytest.raises((errors.NoteInvalid, errors.CheckpointInvalid)):
                asked.check(bytes(changed))


def test_signature_lines_may_change_places_and_nothing_else() -> None:
    asked = Policy.parse(EXAMPLE)
    good = cosigned("X1", "X2", "Y1").decode()
    lines = good.splitlines(keepends=True)
    for at in range(len(lines)):
        for changed in (
            [*lines[:at], *lines[at + 1 :]],
            [*lines[:at], lines[at] * 2, *lines[at + 1 :]],
            [*lines[:at], lines[at].replace("\n", "\r\n"), *lines[at + 1 :]],
            [*lines[:at], lines[at].replace("\n", " \n"), *lines[at + 1 :]],
            [*lines[:at], " " + lines[at], *lines[at + 1 :]],
            [*lines[:at], "\n", *lines[at:]],
        ):
            with pytest.raises((errors.NoteInvalid, errors.CheckpointInvalid)):
                asked.check("".join(changed).encode())
    for one, other in itertools.combinations(range(len(lines)), 2):
        swapped = list(lines)
        swapped[one], swapped[other] = lines[other], lines[one]
        text = "".join(swapped).encode()
        if one >= 4:
            assert asked.check(text) == asked.check(good.encode())
            continue
        with pytest.raises((errors.NoteInvalid, errors.CheckpointInvalid)):
            asked.check(text)
    for changed_text in (good + "\n", good[:-1], "\n" + good, good + " "):
        with pytest.raises(errors.NoteInvalid):
            asked.check(changed_text.encode())
