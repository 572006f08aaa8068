"""Each probe file of tests/vectors/merkle verifies, or is refused, as it says.

The probes of transparency-dev's merkle library run from here when they are put beside
ours: every *.json below `inclusion` and `consistency` is one test, named by its path.
"""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ledger import errors
from ledger.tlog import proof
from tests.ledger.tlog import generate_probes

FOLDER = Path(__file__).parents[2] / "vectors" / "merkle"


def paths(kind: str) -> list[str]:
    found = sorted(
        path.relative_to(FOLDER).as_posix() for path in (FOLDER / kind).rglob("*.json")
    )
    # An empty list would run no test and look like success.
    assert found, f"no probe file below {FOLDER / kind}"
    return found


def read(path: str) -> dict[str, Any]:
    probe = json.loads((FOLDER / path).read_text(encoding="utf-8"))
    assert isinstance(probe, dict)
    return probe


def decode(text: str | None) -> bytes:
    return base64.b64decode(text or "", validate=True)


def hashes(texts: list[str | None] | None) -> list[bytes]:
    return [decode(text) for text in texts or []]


def verify_inclusion(probe: dict[str, Any]) -> None:
    proof.verify_inclusion(
        index=probe["leafIdx"] if "leafIdx" in probe else probe["leafIndex"],
        size=probe["treeSize"],
        leaf=decode(probe["leafHash"]),
        proof=hashes(probe["proof"]),
        root=decode(probe["root"]),
    )


def verify_consistency(probe: dict[str, Any]) -> None:
    proof.verify_consistency(
        old_size=probe["size1"],
        old_root=decode(probe["root1"]),
        new_size=probe["size2"],
        new_root=decode(probe["root2"]),
        proof=hashes(probe["proof"]),
    )


@pytest.mark.parametrize("path", paths("inclusion"))
def test_inclusion_probe(path: str) -> None:
    probe = read(path)
    if probe["wantErr"]:
        with pytest.raises(errors.ProofInvalid):
            verify_inclusion(probe)
    else:
        verify_inclusion(probe)


@pytest.mark.parametrize("path", paths("consistency"))
def test_consistency_probe(path: str) -> None:
    probe = read(path)
    if probe["wantErr"]:
        with pytest.raises(errors.ProofInvalid):
            verify_consistency(probe)
    else:
        verify_consistency(probe)


def test_our_probes_are_those_of_the_generator() -> None:
    for path, probe in generate_probes.probes().items():
        file = FOLDER / f"{path}.json"
        # Where others' probes took the place of ours, there is nothing to compare.
        if file.exists():
            written = file.read_text(encoding="utf-8")
            assert written == generate_probes.text_of(path, probe)


def test_only_a_happy_path_is_happy() -> None:
    happy = {
        path for path, probe in generate_probes.probes().items() if not probe["wantErr"]
    }
    assert {path for path in happy if not path.endswith("/happy-path")} == {
        # Trees of one size are compared by their roots, whatever these are.
        "consistency/1-to-1/roots-of-any-length",
        "consistency/1-to-1/both-empty",
    }
    assert len(happy) == 16
