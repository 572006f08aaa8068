"""An auditor is told what of a ledger was checked, and what was not."""

from pathlib import Path

import pytest

from gemmule.verifier import ledgers
from gemmule.verifier.errors import NothingChecked
from ledger.sources import Folder
from ledger.tlog.policy import Policy
from tests.ledger import written
from tests.ledger.test_served import Guarded

LOG = written.log_of(300)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return written.write(tmp_path / "log", LOG)


def test_a_ledger_read_whole(folder: Path) -> None:
    found = ledgers.check(Folder(folder), written.POLICY, since=None)
    text = "\n".join(found.lines())
    assert text.startswith("The ledger holds.\n")
    assert "of 300 entries, with the root " in text
    assert "Every entry was read" in text
    assert (
        "The first is dated 2026-03-02 09:30:00 UTC, the last 2026-03-02 09:34:59"
        in text
    )
    shown = found.as_json()
    assert (shown["size"], shown["entries_read"], shown["since"]) == (300, True, None)


def test_a_ledger_whose_entries_are_not_shown(folder: Path) -> None:
    found = ledgers.check(Guarded(folder), written.POLICY, since=None)
    text = "\n".join(found.lines())
    assert text.startswith("The ledger's tree holds.\n")
    assert "The entries were NOT read" in text
    assert "Every entry" not in text
    assert found.as_json()["entries_read"] is False


def test_a_ledger_that_grew(folder: Path) -> None:
    kept = written.signed(LOG[:40])
    found = ledgers.check(Folder(folder), written.POLICY, since=kept)
    assert "The checkpoint from before, of 40 entries, is the beg" in found.lines()[-1]
    assert found.as_json()["since"] == 40


def test_a_kept_checkpoint_of_another_log_says_nothing(folder: Path) -> None:
    for since in (b"", b"text\n", written.signed(LOG[:40], key=written.THIEF)):
        with pytest.raises(NothingChecked, match="the checkpoint from before is not"):
            ledgers.check(Folder(folder), written.POLICY, since=since)


def test_an_empty_ledger(tmp_path: Path) -> None:
    written.write(tmp_path, [])
    found = ledgers.check(Folder(tmp_path), written.POLICY, since=None)
    assert "There is no entry yet." in found.lines()
    assert found.as_json()["first_time"] is None


@pytest.mark.parametrize("is_announced", [True, False])
def test_the_policy_is_compared_with_the_one_announced(
    is_announced: bool, tmp_path: Path
) -> None:
    announced = written.POLICY if is_announced else Policy.parse("quorum none\n")
    policy = {"policy_sha256": announced.sha256}
    log = written.log_of(9, e4={"type": "log.policy", "pub": policy})
    written.write(tmp_path, log)
    found = ledgers.check(Folder(tmp_path), written.POLICY, since=None)
    assert found.as_json()["policy_announced"] is is_announced
    expected = "is the one that" if is_announced else "announced another policy"
    assert any(expected in line for line in found.lines())


def test_nobody_is_told_about_policies_where_none_was_announced(folder: Path) -> None:
    found = ledgers.check(Folder(folder), written.POLICY, since=None)
    assert found.as_json()["policy_announced"] is None
    assert not any("announced" in line for line in found.lines())
