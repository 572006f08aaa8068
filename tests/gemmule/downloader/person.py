"""Somebody with a folder, a token and the command."""

from pathlib import Path

import pytest

from gemmule import cli
from tests.gemmule.downloader.far_side import ACCESSION, TOKEN, FarSide


class Run:
    """Somebody's folder and token, and the command run there in this process."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], server: str
    ) -> None:
        self.folder = folder / "into"
        self.server = server
        self._capsys = capsys
        self._files = folder

    def file(self, name: str, text: str) -> str:
        path = self._files / name
        path.write_text(text)
        return str(path)

    def __call__(self, *options: str, token: str = TOKEN) -> tuple[int, str, str]:
        status = cli.main(
            [
                *("download", ACCESSION, "--server", self.server),
                *("--token-file", self.file("token", f"{token}\n")),
                *("--into", str(self.folder), *options),
            ]
        )
        out, err = self._capsys.readouterr()
        assert token not in out + err
        return status, out, err

    def names(self) -> list[str]:
        if not self.folder.exists():
            return []
        return sorted(path.name for path in self.folder.iterdir())


def check_whole(run: Run, site: FarSide) -> None:
    for name, data in site.files.items():
        assert (run.folder / name).read_bytes() == data
    assert (run.folder / f"{ACCESSION}.json").read_bytes() == site.manifest
    assert (run.folder / f"{ACCESSION}.tlog-proof").read_bytes() == b"a receipt"
    assert not [name for name in run.names() if name.endswith(".part")]
