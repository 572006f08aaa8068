"""Whatever is changed in a real dossier is refused: all of it is vouched for."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from gemmule.verifier import errors, refusals
from ledger import errors as ledger_errors
from tests.gemmule.verifier.handed_out import INCLUDED, Desk
from tests.gemmule.verifier.mutants import leaves, other_value, with_leaf
from tests.ledger import written

pytestmark = pytest.mark.django_db

# How the site calls the entry of a release is vouched for by nobody.
UNVOUCHED = {("released", "opening", "event")}
# What is told of each part of the proof, by its first and its last key.
NOT_ITS_DOSSIER: set[type[Exception]] = {errors.DossierInvalid}
REASONS: dict[str, set[type[Exception]]] = {
    "v": NOT_ITS_DOSSIER,
    "note": {ledger_errors.NoteInvalid},
    "released": NOT_ITS_DOSSIER,
    "account": {errors.DonorsDiffer},
    "asked": {errors.DecisionDiffers},
    "review": {errors.DecisionDiffers},
    "resolved": {errors.DecisionDiffers},
    "consent": {errors.ConsentNotShown},
    "commitment": {errors.DonorsDiffer, errors.DossierInvalid},
    "included": {errors.PlaceNotOpened},
    "left_out": {errors.PlaceNotOpened},
}
Change = Callable[[dict[str, Any]], None]


def refused(desk: Desk, dossier: dict[str, Any]) -> type[Exception] | None:
    """Return why the dossier is refused, None when it holds."""
    try:
        desk.check(dossier=dossier)
    except refusals.EXPECTED as error:
        is_refusal = refusals.of("release", error).ok is False
        return type(error) if is_refusal else None
    return None


def reasons(path: tuple[Any, ...]) -> set[type[Exception]]:
    """Return what may be told when the value at this place of the proof is changed."""
    is_entry = "consent" in path and "statement" not in path
    return REASONS["consent" if is_entry else path[0]] | (
        REASONS["commitment"] if path[-1] == "commitment" else set()
    )


def test_each_value_of_the_proof_changed(desk: Desk) -> None:
    dossier = desk.handed.dossier()
    proof = dossier["proof"]
    paths = [path for path in leaves(proof) if path not in UNVOUCHED]
    assert len(paths) > 500
    wrong = []
    for path in paths:
        changed = {**dossier, "proof": with_leaf(proof, path, other_value)}
        told = refused(desk, changed)
        if told not in reasons(path):
            wrong.append((path, told))
    assert wrong == []


def test_each_part_of_the_proof_left_out(desk: Desk) -> None:
    dossier = desk.handed.dossier()
    for key in dossier["proof"]:
        rest = {name: one for name, one in dossier["proof"].items() if name != key}
        assert refused(desk, {**dossier, "proof": rest}) is errors.DossierInvalid


def swap_openings(proof: dict[str, Any]) -> None:
    first, second = proof["included"][:2]
    first["consent"], second["consent"] = second["consent"], first["consent"]


def swap_places(proof: dict[str, Any]) -> None:
    proof["included"][:2] = proof["included"][1::-1]


def change_a_term(proof: dict[str, Any]) -> None:
    body = proof["included"][0]["consent"]["opening"]["body"]
    body["terms"]["permission"] = "POA"


def hide_a_donor(proof: dict[str, Any]) -> None:
    del proof["left_out"][0]


def show_a_donor_twice(proof: dict[str, Any]) -> None:
    proof["left_out"].append(proof["left_out"][0])


def add_a_donor(proof: dict[str, Any]) -> None:
    commitment = base64.b64encode(bytes(32)).decode()
    proof["left_out"].append({"commitment": commitment, "opening": None})


def close_a_place(proof: dict[str, Any]) -> None:
    """Leave a place unopened, as if its donor had been erased."""
    proof["left_out"][0]["opening"] = None


def close_a_sample(proof: dict[str, Any]) -> None:
    proof["included"][0] = None


def take_other_entries_for_erasures(proof: dict[str, Any]) -> None:
    proof["included"][0] = None
    consent = proof["left_out"][0]["opening"]["consent"] or proof["review"]
    proof["erased"] = [{key: consent[key] for key in ("entry", "index", "path")}]


def forget_a_consent(proof: dict[str, Any]) -> None:
    proof["included"][0]["consent"] = None


def erase_an_opening(proof: dict[str, Any]) -> None:
    proof["included"][0]["consent"]["opening"] = None


def resolve_nothing(proof: dict[str, Any]) -> None:
    proof["resolved"] = []


def resolve_more(proof: dict[str, Any]) -> None:
    proof["resolved"].append([*proof["resolved"][0][:1], "NPU", "1"])


def other_decision(proof: dict[str, Any]) -> None:
    statement = proof["review"]["statement"]
    proof["review"]["statement"] = statement.replace("approve", "propose")


def first_signature(proof: dict[str, Any]) -> None:
    """Show another entry in the place of the one that approved."""
    released = proof["released"]
    proof["review"].update({key: released[key] for key in ("entry", "index", "path")})


def ask_for_less(proof: dict[str, Any]) -> None:
    proof["asked"]["purpose"]["research_types"] = ["general"]


def too_few_witnesses(proof: dict[str, Any]) -> None:
    proof["note"] = proof["note"].rpartition("— ")[0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (swap_openings, errors.ConsentNotShown),
        (swap_places, errors.PlaceNotOpened),
        (change_a_term, errors.ConsentNotShown),
        (hide_a_donor, errors.DonorsDiffer),
        (show_a_donor_twice, errors.DonorsDiffer),
        (add_a_donor, errors.DonorsDiffer),
        (close_a_place, errors.DonorsDiffer),
        (close_a_sample, errors.DonorsDiffer),
        (take_other_entries_for_erasures, errors.DonorsDiffer),
        (forget_a_consent, errors.ConsentNotShown),
        (erase_an_opening, errors.ConsentNotShown),
        (resolve_nothing, errors.DecisionDiffers),
        (resolve_more, errors.DecisionDiffers),
        (other_decision, errors.DecisionDiffers),
        (first_signature, errors.DecisionDiffers),
        (ask_for_less, errors.DecisionDiffers),
        (too_few_witnesses, ledger_errors.QuorumNotMet),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_is_changed_is_named(
    change: Change, reason: type[Exception], desk: Desk
) -> None:
    dossier = desk.handed.dossier()
    change(dossier["proof"])
    assert refused(desk, dossier) is reason


def test_the_dossier_of_another_release(desk: Desk) -> None:
    other = desk.handed.other.dossier
    with pytest.raises(errors.DossierInvalid, match="another release"):
        desk.check(dossier=json.loads(other))


def test_a_dossier_without_its_proof(desk: Desk) -> None:
    dossier = {**desk.handed.dossier(), "proof": None}
    assert refused(desk, dossier) is errors.DossierInvalid


def test_another_log_than_the_one_believed(desk: Desk) -> None:
    with pytest.raises(ledger_errors.NoteInvalid):
        desk.check(dossier=desk.handed.dossier(), policy=written.policy_text(quorum=2))


def test_the_receipt_in_the_dossier_is_enough(desk: Desk) -> None:
    found = desk.check(receipt=b"", dossier=desk.handed.dossier())
    assert found.dossier is not None and len(found.dossier.samples) == INCLUDED
