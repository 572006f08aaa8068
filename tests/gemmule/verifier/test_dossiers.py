"""A site that keeps its books well and its donors' wishes badly is found out."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from gemmule.verifier import errors, refusals
from tests.gemmule.verifier.forged import Forged, Someone

AGREES = [Someone(is_in=True) for _ in range(5)]
NEEDS_ETHICS = {"IRB": True}
CHR2 = {"genes": ["TMEM18"], "regions": []}


def out(**changes: object) -> Someone:
    return Someone(is_in=False, **changes)  # type: ignore[arg-type]


def taken_in(**changes: object) -> Someone:
    return Someone(is_in=True, **changes)  # type: ignore[arg-type]


# Each with the reason that is counted for it.
RIGHTLY_OUT = [
    (out(permission=None), "had decided nothing"),
    (out(permission="POA"), "research on ancestry alone"),
    (out(act="withdrawn"), "has withdrawn"),
    (out(act="paused"), "paused"),
    (out(act="refused"), "refus"),
    (out(valid_until="2026-03-01"), "expired|run out|ended"),
    (out(modifiers=NEEDS_ETHICS), "IRB"),
    (out(withheld={**CHR2, "mode": "exclude-sample"}), "keeps back"),
    (out(withheld={**CHR2, "genes": ["NOSUCHGENE1"]}), "keeps back"),
]


def test_a_site_that_did_right_holds(tmp_path: Path) -> None:
    people = [
        *AGREES,
        taken_in(permission="HMB"),
        taken_in(modifiers=NEEDS_ETHICS, is_resolved=True),
        taken_in(withheld={**CHR2, "flank": 50_000, "mode": "missing"}),
        taken_in(valid_until="2026-03-02"),
        *(one for one, _ in RIGHTLY_OUT),
    ]
    found = Forged(people).check(tmp_path).dossier
    assert found is not None
    assert (len(found.samples), found.left_out) == (9, len(RIGHTLY_OUT))
    assert sum(found.reasons.values()) == len(RIGHTLY_OUT)


@pytest.mark.parametrize(("one", "why"), RIGHTLY_OUT, ids=lambda value: str(value)[:20])
def test_the_reason_of_being_out_is_told(
    one: Someone, why: str, tmp_path: Path
) -> None:
    found = Forged([*AGREES, one]).check(tmp_path).dossier
    assert found is not None
    (told,) = found.reasons
    assert any(part in told for part in why.split("|")), told


@pytest.mark.parametrize(
    "one",
    [
        taken_in(permission=None),
        taken_in(permission="POA"),
        taken_in(act="withdrawn"),
        taken_in(act="paused"),
        taken_in(act="expired"),
        taken_in(valid_until="2026-03-01"),
        taken_in(modifiers=NEEDS_ETHICS),
        taken_in(modifiers={"NOSUCH": True}),
        taken_in(withheld={**CHR2, "mode": "exclude-sample"}),
        taken_in(withheld={**CHR2, "genes": ["NOSUCHGENE1"]}),
    ],
)
def test_somebody_is_in_who_had_not_permitted_it(one: Someone, tmp_path: Path) -> None:
    check(tmp_path, [*AGREES, one], errors.ConsentDenies)


@pytest.mark.parametrize(
    "one",
    [
        out(),
        out(permission="HMB"),
        out(act="resumed"),
        out(act="changed"),
        out(modifiers=NEEDS_ETHICS, is_resolved=True),
        out(withheld=CHR2),
    ],
)
def test_somebody_is_left_out_who_had_permitted_it(
    one: Someone, tmp_path: Path
) -> None:
    check(tmp_path, [*AGREES, one], errors.DonorLeftOut)


def test_a_consent_that_came_after_the_seal(tmp_path: Path) -> None:
    check(tmp_path, [*AGREES, taken_in(comes="sealed")], errors.ConsentTooLate)


def test_a_consent_that_came_while_it_was_built_keeps_nobody_out(
    tmp_path: Path,
) -> None:
    late = out(permission="POA", comes="chosen")
    check(tmp_path, [*AGREES, late], errors.ConsentTooLate)


def test_a_country_from_which_the_dataset_is_barred(tmp_path: Path) -> None:
    forged = Forged(AGREES, barred_countries=["SE"])
    with pytest.raises(errors.ConsentDenies, match="barred"):
        forged.check(tmp_path)


def test_a_time_limit_counts_from_the_first_release(tmp_path: Path) -> None:
    people = [*AGREES, taken_in(modifiers={"TS": 12})]
    assert Forged(people).check(tmp_path).dossier is not None
    forged = Forged(people, first_release="2025-01-01")
    with pytest.raises(errors.ConsentDenies, match="time limit"):
        forged.check(tmp_path)


def test_rules_that_this_program_does_not_know(tmp_path: Path) -> None:
    versions = {"rules": "1", "duo": "another", "mondo": "another"}
    with pytest.raises(errors.NothingChecked, match="another of duo") as caught:
        Forged(AGREES, versions=versions).check(tmp_path)
    assert refusals.of("release", caught.value).ok is None


def test_donors_who_were_erased_are_counted_and_no_more(tmp_path: Path) -> None:
    gone = [
        taken_in(is_erased=True),
        out(permission="POA", is_erased=True),
        taken_in(modifiers=NEEDS_ETHICS, is_resolved=True, is_erased=True),
    ]
    forged = Forged([*AGREES, *gone])
    found = forged.check(tmp_path)
    assert found.dossier is not None
    assert (found.dossier.erased, len(found.dossier.samples)) == (3, 5)
    assert "3 of all these donors were erased since" in "\n".join(found.lines())
    # That they were is on the ledger; a site that only says so is not believed.
    with pytest.raises(errors.DonorsDiffer, match="0 erasures"):
        forged.check(tmp_path, erasures=False)


def check(folder: Path, people: Sequence[Someone], reason: type[Exception]) -> None:
    with pytest.raises(reason):
        Forged(people).check(folder)
