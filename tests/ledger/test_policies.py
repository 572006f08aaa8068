"""The policy in force is that of the file, or the log's own keys."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from ledger import errors, keys, policies, selectors
from ledger.tlog.note import SignerKey
from ledger.tlog.policy import Policy
from tests.ledger.circle import Circle

pytestmark = pytest.mark.usefixtures("database")

Record = Callable[..., uuid.UUID]


@pytest.fixture(autouse=True)
def _own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LEDGER_KEY_FILE", tmp_path / "keys" / "ledger.key")


def test_without_a_file_the_log_believes_itself(record: Record) -> None:
    key = keys.log_key().verifier
    assert policies.current() == Policy.single(key)
    assert selectors.policy() == Policy.single(key)
    assert selectors.witnesses() == []
    assert not policies.names_witnesses()
    record()
    assert policies.is_announced(Policy.single(key))
    assert selectors.policy() == Policy.single(key)


def test_while_a_key_follows_another_both_are_believed(record: Record) -> None:
    old, new = keys.log_key(), keys.create_next_log_key()
    found = policies.current()
    assert found.logs == (old.verifier, new.verifier)
    assert (found.witnesses, found.quorum) == ((), "none")


def test_the_file_says_who_witnesses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    circle = Circle(tmp_path / "circle", monkeypatch)
    assert policies.current().text == circle.policy_file.read_text()
    assert policies.names_witnesses()
    # Before the first checkpoint there is none that another was published by.
    assert selectors.policy() == policies.current()
    assert [view.name for view in selectors.witnesses()] == ["w0", "w1"]
    assert {view.size for view in selectors.witnesses()} == {0}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot read the policy"),
        (b"", "policy"),
        (b"log nonsense\nquorum none\n", "policy"),
    ],
)
def test_a_file_that_is_none_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    reason: str,
) -> None:
    path = tmp_path / "policy"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", path)
    for read in (policies.current, policies.names_witnesses):
        with pytest.raises(errors.PolicyInvalid, match=reason) as refused:
            read()
        assert str(path) in str(refused.value)


def test_a_file_of_another_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SignerKey(name=settings.LEDGER_ORIGIN, seed=bytes(32))
    path = tmp_path / "policy"
    path.write_text(Policy.single(other.verifier).text)
    monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", path)
    with pytest.raises(errors.PolicyInvalid) as refused:
        policies.current()
    assert keys.log_key().verifier.label in str(refused.value)


def test_octets_of_no_encoding_survive(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "policy"
    data = b"# \xff\n" + Policy.single(keys.log_key().verifier).text.encode()
    path.write_bytes(data)
    monkeypatch.setattr(settings, "LEDGER_POLICY_FILE", path)
    record()
    assert selectors.policy() == policies.current()
    assert (settings.LEDGER_PUBLIC_DIR / "policy").read_bytes() == data
