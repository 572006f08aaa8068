"""A site that answers as a test wants it to, and somebody who downloads from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gemmule.downloader import patience
from tests.gemmule.downloader import far_side
from tests.gemmule.downloader.far_side import FarSide
from tests.gemmule.downloader.person import Run


@pytest.fixture
def site() -> FarSide:
    return FarSide()


@pytest.fixture
def run(
    site: FarSide,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    # Waits are seen in what is said; how long they are is tested below.
    monkeypatch.setattr(patience, "FIRST_WAIT_S", 0.001)
    with far_side.running(site) as server:
        yield Run(tmp_path, capsys, server)
