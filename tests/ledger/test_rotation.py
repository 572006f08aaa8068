"""A key follows another without a moment in which nobody can tell who signs."""

import uuid
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from ledger import (
    cosigner,
    errors,
    inclusion,
    inspection,
    keys,
    notary,
    rotation,
    selectors,
    services,
    verify,
)
from ledger.tlog import checkpoint, note
from ledger.tlog.note import SignerKey, VerifierKey
from ledger.tlog.policy import Policy
from tests.ledger.circle import Circle
from tests.ledger.tampering import found

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


@pytest.fixture(autouse=True)
def _own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LEDGER_KEY_FILE", tmp_path / "keys" / "ledger.key")


def signers(key: VerifierKey, *others: VerifierKey) -> list[VerifierKey]:
    """Return which of the keys signed the last checkpoint."""
    latest = selectors.latest_checkpoint()
    assert latest is not None
    return list(note.verify(note.parse(latest.note.encode()), [key, *others]))


def test_both_keys_sign_between_the_steps_and_the_new_one_after(
    record: Record, now: datetime, log_bytes: Callable[[], list[bytes]]
) -> None:
    early = record()
    old = keys.log_key().verifier
    kept = inclusion.receipt(early)
    new = rotation.begin(now=now)
    services.settle(now=now)
    assert new != old
    assert signers(old, new) == [old, new]
    assert keys.verifiers() == (old, new)
    assert selectors.policy().logs == (old, new)
    path = settings.LEDGER_KEY_FILE
    assert path.with_name("ledger.key.next").stat().st_mode & 0o777 == 0o600
    assert inspection.inspect().is_sound

    secret = path.read_text()
    assert rotation.finish(now=now) == (old,)
    services.settle(now=now)
    assert signers(old, new) == [new]
    assert keys.log_key().verifier == new
    assert inspection.inspect().is_sound
    # Of the old key the public half is left.
    for file in path.parent.iterdir():
        assert secret.strip() not in file.read_text()
    retired = path.with_name(f"ledger.key.{old.key_id.hex()}.retired")
    assert VerifierKey.from_text(retired.read_text().strip()) == old
    # What was given out before still verifies for who believes the old key.
    assert kept != inclusion.receipt(early)
    inclusion.check(inclusion.prove(early))
    types = [data for data in log_bytes() if b'"type":"log.' in data]
    assert [b'"action":"added"' in each for each in types].count(True) == 1
    assert [b'"action":"retired"' in each for each in types].count(True) == 1
    assert b'"type":"log.genesis"' in types[0] and old.text.encode() in types[0]


def test_a_replay_believes_the_keys_that_the_log_announces(
    record: Record, now: datetime, log_bytes: Callable[[], list[bytes]]
) -> None:
    record()
    old = keys.log_key().verifier
    call_command("rotate_ledger_key", "begin", stdout=StringIO())
    record()
    call_command("rotate_ledger_key", "finish", stdout=StringIO())
    new = keys.log_key().verifier
    latest = selectors.latest_checkpoint()
    assert latest is not None
    signed = latest.note.encode()
    assert verify.replay(log_bytes(), note=signed, key=new).size == latest.size
    head = checkpoint.parse(note.parse(signed).text)
    stranger = SignerKey(name=old.name, seed=bytes(32))
    with pytest.raises(errors.KeyUnannounced):
        verify.replay(
            log_bytes(), note=checkpoint.sign(head, stranger), key=stranger.verifier
        )
    # And the retired one, whoever has a copy of it.
    replay = verify.Replay()
    for data in log_bytes():
        replay.feed(data)
    replay.check_announced([new])
    with pytest.raises(errors.KeyUnannounced, match="has retired it"):
        replay.check_announced([old])


def test_a_checkpoint_by_the_retired_key_is_found(
    record: Record, now: datetime
) -> None:
    record()
    old = keys.log_key()
    rotation.begin(now=now)
    services.settle(now=now)
    rotation.finish(now=now)
    services.settle(now=now)
    store = settings.LEDGER_PUBLIC_DIR / "checkpoint"
    head = checkpoint.parse(note.parse(store.read_bytes()).text)
    store.write_bytes(checkpoint.sign(head, old))
    assert found() == [("file", head.size)]


def test_each_step_can_be_repeated(record: Record, now: datetime) -> None:
    record()
    first = rotation.begin(now=now)
    assert rotation.begin(now=now) == first
    services.settle(now=now)
    size = selectors.tree_size()
    # genesis, the event, the key, the policy that names it.
    assert size == 4
    assert rotation.begin(now=now) == first
    services.settle(now=now)
    assert selectors.tree_size() == size


def test_a_crash_between_announcing_and_destroying_is_gone_on_from(
    record: Record, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    record()
    old = keys.log_key().verifier
    new = rotation.begin(now=now)
    services.settle(now=now)

    def crash() -> VerifierKey:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keys, "retire_log_key", crash)
        with pytest.raises(KeyboardInterrupt):
            rotation.finish(now=now)
    services.settle(now=now)
    # The log has retired it, and it signs still: that is told.
    assert [each for each in found() if each[0] == "key"] == [("key", 0)]
    assert rotation.finish(now=now) == (old,)
    services.settle(now=now)
    assert keys.verifiers() == (new,)
    assert found() == []


def test_steps_out_of_turn_are_refused(record: Record, now: datetime) -> None:
    with pytest.raises(errors.RotationRefused, match="no entries yet"):
        rotation.begin(now=now)
    record()
    with pytest.raises(errors.RotationRefused, match="no rotation has begun"):
        rotation.finish(now=now)
    rotation.begin(now=now)
    with pytest.raises(errors.RotationRefused, match="no published checkpoint"):
        rotation.finish(now=now)
    with pytest.raises(CommandError, match="no published checkpoint"):
        call_command("rotate_ledger_key", "finish")
    services.settle(now=now)
    rotation.finish(now=now)
    with pytest.raises(errors.RotationRefused, match="no rotation has begun"):
        rotation.finish(now=now)


def test_with_witnesses_policy_and_witnesses_learn_the_key_in_between(
    record: Record,
    now: datetime,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    circle = Circle(tmp_path / "circle", monkeypatch)
    record()
    services.publish(now=now)
    old = keys.log_key().verifier
    new = rotation.begin(now=now)
    services.settle(now=now)
    # The witnesses know the old key, which signs as well.
    services.publish(now=now)
    assert signers(old, new) == [old, new]
    with pytest.raises(errors.RotationRefused, match="the policy file must name"):
        rotation.finish(now=now)
    circle.write_policy(logs=[old, new])
    for name in circle.names:
        cosigner.add_log(circle.folder / name, new)
    services.publish(now=now)
    rotation.finish(now=now)
    circle.write_policy(logs=[new])
    services.settle(now=now)
    services.publish(now=now)
    assert signers(old, new) == [new]
    assert Policy.parse(circle.policy_file.read_text()) == selectors.policy()
    assert inspection.inspect().is_sound


def test_where_the_notary_is_elsewhere_its_user_makes_and_drops_the_keys(
    record: Record, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The far side of the socket is left out; what it does is done to its folder."""
    folder = tmp_path / "notary"
    notary.init(folder, name=settings.LEDGER_ORIGIN, key_file=None, memory_file=None)
    monkeypatch.setattr(settings, "LEDGER_NOTARY", "unix:/run/notary.sock")
    monkeypatch.setattr(keys, "SocketNotary", lambda path: notary.open_folder(folder))
    record()
    (old,) = keys.verifiers()
    assert not settings.LEDGER_KEY_FILE.exists()
    assert selectors.verifier_key() == old.text
    with pytest.raises(CommandError, match=r"ledger\.notary add-key DIR"):
        call_command("rotate_ledger_key", "begin")
    new = notary.add_key(folder)
    out = StringIO()
    call_command("rotate_ledger_key", "begin", stdout=out)
    assert out.getvalue() == f"signs from now on as well: {new.text}\n"
    assert signers(old, new) == [old, new]
    out = StringIO()
    call_command("rotate_ledger_key", "finish", stdout=out)
    assert f"drop-key DIR --key {old.text}" in out.getvalue()
    notary.drop_key(folder, old)
    services.publish(now=now)
    record()
    assert signers(old, new) == [new]
    assert inspection.inspect().is_sound
    assert not settings.LEDGER_KEY_FILE.exists()
