"""The page of states says what the tables in the code say."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command

import gemmule.access.states
from consent.models import Act
from gemmule.access.models import RequestState
from gemmule.web import transitions

PAGE = Path(__file__).resolve().parents[3] / "docs" / "states.md"


def rows(page: str, title: str) -> list[list[str]]:
    """Return the cells of a section's table, without its head."""
    _, _, rest = page.partition(f"## {title}\n")
    table = re.findall(r"^\| (.*) \|$", rest.split("\n## ")[0], re.MULTILINE)
    return [line.split(" | ") for line in table[2:]]


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == transitions.page(), (
        "run: .uv/bin/uv run manage.py write_docs"
    )


def test_each_move_of_a_request_is_a_row() -> None:
    moves = {
        (state, act, then)
        for state, acts in gemmule.access.states.TRANSITIONS.items()
        for act, then in acts.items()
    }
    found = {
        tuple(re.findall(r"`(\w+)`", " ".join(row)))
        for row in rows(transitions.page(), "Access request")
    }
    assert {row for row in found if len(row) == 3} == moves
    ends = {
        state for state, acts in gemmule.access.states.TRANSITIONS.items() if not acts
    }
    assert {row[0] for row in found if len(row) == 1} == ends


def test_each_act_of_a_donor_is_a_row_with_where_it_leads() -> None:
    found = {row[0]: row[2] for row in rows(transitions.page(), "Consent of a donor")}
    assert set(found) == {f"`{act.value}`" for act in Act}
    assert found["`paused`"] == "`paused`"
    assert found["`resumed`"] == "`active`"


def test_a_changed_table_makes_the_page_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    table = gemmule.access.states.TRANSITIONS
    changed = {**table, RequestState.DENIED: {"submit": RequestState.SUBMITTED}}
    monkeypatch.setattr(gemmule.access.states, "TRANSITIONS", changed)
    assert transitions.page() != PAGE.read_text(encoding="utf-8")


def test_the_command_writes_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("write_docs", "--into", str(tmp_path))
    written = tmp_path / "states.md"
    assert written.read_text(encoding="utf-8") == transitions.page()
    assert capsys.readouterr().out == f"wrote {written}\n"
