"""The program that shares no code with ours, built once."""

from pathlib import Path

import pytest

from tests import golang


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("golang") / "verify"
    golang.build(Path(__file__).parent / "golang", program)
    return program
