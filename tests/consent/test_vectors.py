"""The published vectors, through the function and through the command line."""

import json
import runpy
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from consent import policy
from consent.policy import Purpose, Terms

VECTORS = Path(__file__).parents[1] / "vectors/consent/consent_policy_vectors.json"
CASES = json.loads(VECTORS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['id']}")
def test_the_vector_is_decided_as_published(case: dict[str, Any]) -> None:
    decision = policy.decide(
        Purpose.read(case["purpose"]), Terms.read(case["terms"]), date(2026, 6, 1)
    )
    assert decision.verdict.value == case["expect"]["verdict"]
    found = [obligation.to_json() for obligation in decision.obligations]
    assert found == case["expect"]["obligations"]


def test_the_module_prints_one_line_per_case_and_exits_0() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "consent.policy", str(VECTORS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [line["id"] for line in lines] == [case["id"] for case in CASES]
    for line, case in zip(lines, CASES, strict=True):
        assert set(line) == {"id", "verdict", "obligations", "clauses"}
        assert line["verdict"] == case["expect"]["verdict"]
        assert line["obligations"] == case["expect"]["obligations"]
        for clause in line["clauses"]:
            assert set(clause) == {"code", "verdict", "reason"}


def test_the_module_exits_with_what_main_returns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["policy", "nowhere.json"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(policy.__file__), run_name="__main__")
    assert left.value.code == 2
    assert "nowhere.json" in capsys.readouterr().err


def run(tmp_path: Path, text: str | bytes) -> int:
    file = tmp_path / "cases.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return policy.main([str(file)])


GOOD = (
    '{"id": "a", "purpose": {"research_types": ["general"]},'
    ' "terms": {"permission": "GRU"}}'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "cannot read"),
        ("{}", "expected a list of cases"),
        (b'["\xff"]', "cannot read"),
        ('[{"id": NaN}]', "NaN is not JSON"),
        ('[{"id": 1, "id": 2}]', "names a key twice"),
        ("[" * 100_000, "cannot read"),
    ],
)
def test_unreadable_input_exits_2_and_prints_no_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | bytes, message: str
) -> None:
    assert run(tmp_path, text) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_a_missing_file_and_a_missing_argument_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy.main([str(tmp_path / "none.json")]) == 2
    assert policy.main([]) == 2
    assert "usage:" in capsys.readouterr().err


def test_an_element_that_is_no_case_exits_2_after_deciding_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, f"[7, {GOOD}]") == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["verdict"] == "permit"
    assert "case 1 is not an object" in err


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ('{"id": 1, "purpose": {"research_types": ["general"]}}', "case:terms"),
        ('{"id": 1, "terms": {"permission": "GRU"}}', "case:purpose"),
        ('{"id": 1, "terms": {"permission": "GRU"}, "purpose": null}', "case:purpose"),
        ('{"id": 1, "terms": {"permission": "GRU"}, "purpose": []}', "purpose"),
        ('{"id": 1, "terms": 5, "purpose": {}}', "terms"),
        (GOOD[:-1] + ', "on": "2026-02-30"}', "case:on"),
        (GOOD[:-1] + ', "on": "20260301"}', "case:on"),
        (GOOD[:-1] + ', "on": 20260301}', "case:on"),
    ],
)
def test_a_malformed_case_is_denied_by_a_clause_that_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], case: str, code: str
) -> None:
    assert run(tmp_path, f"[{case}]") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "deny"
    assert answer["obligations"] == []
    assert {c["code"]: c["verdict"] for c in answer["clauses"]}[code] == "deny"


def test_a_case_is_decided_on_its_own_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, f'[{GOOD[:-1]}, "on": "2026-03-01"}}]') == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "permit"
