"""The threat model names tests that exist and words that a detector can say."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "threat-model.md"
HEAD = ["attack", "who", "detector", "it says", "test"]


class Row(NamedTuple):
    attack: str
    who: str
    detector: str
    says: str
    test: str


def rows() -> Iterator[Row]:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if cells[1:] != HEAD[1:]:
                yield Row(*cells)


ROWS = list(rows())


@cache
def sources() -> str:
    """Return the code of all rooms, strings that go on in a new line put together."""
    folders = ("ledger", "consent", "platform/gemmule")
    files = [each for one in folders for each in sorted((ROOT / one).rglob("*.py"))]
    text = "\n".join(each.read_text(encoding="utf-8") for each in files)
    return re.sub(r'"\n\s*f?"', "", text)


def test_the_attacks_of_the_design_are_there() -> None:
    assert len(ROWS) >= 50
    whole = " / ".join(row.attack for row in ROWS)
    for attack in (
        "rewrite a row",
        "recompute everything",
        "delete the tail",
        "restore an old backup",
        "back-dated entry",
        "append with an older time",
        "edit a consent row without an entry",
        "delete a pending row",
        "show two histories to two auditors",
        "sign with the stolen log key",
        "garbage tiles",
        "restart a witness empty",
        *(f"flip any bit of {a}" for a in ("a receipt", "a tile", "an entry")),
        "flip any bit of a checkpoint",
    ):
        assert attack in whole


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.attack)
def test_each_attack_names_a_test_that_exists(row: Row) -> None:
    match = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", row.test)
    assert match, row.test
    file = ROOT / match[1]
    assert re.search(rf"^def {match[2]}\(", file.read_text(), re.MULTILINE), row.test


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.attack)
def test_each_detector_can_say_what_is_quoted(row: Row) -> None:
    assert row.who and row.detector and row.says
    for words in re.findall(r"`([^`]+)`", row.says):
        assert words in sources(), f"no detector says {words!r}"


def test_each_finding_in_the_rows_is_provoked_by_a_test() -> None:
    rooms = [ROOT / "consent" / "reconciliation.py"]
    rooms += (ROOT / "platform" / "gemmule" / "audit" / "rows").glob("*.py")
    kinds = "consent|form|request|review|release|download|role"
    codes = {
        code
        for each in rooms
        for code in re.findall(rf'"((?:{kinds})-[a-z-]+)"', each.read_text())
    }
    tests = ROOT / "tests" / "gemmule" / "audit" / "test_reconciliation.py"
    assert len(codes) > 25
    assert {code for code in codes if f'"{code}"' not in tests.read_text()} == set()
