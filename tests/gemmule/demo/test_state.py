"""The directory of a demo: whose it is, who uses it, how to start over."""

import subprocess
import sys
from pathlib import Path

import pytest

from gemmule.demo import state
from tests.sites import FreshSite


def test_second_demo_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    with (
        state.held(tmp_path),
        pytest.raises(state.StateRefused, match=r"runs on .* already"),
        state.held(tmp_path),
    ):
        pass


def test_directory_is_free_again_when_the_demo_has_ended(tmp_path: Path) -> None:
    for _ in range(2):
        with state.held(tmp_path):
            pass


def test_starting_over_removes_all_but_the_lock(tmp_path: Path) -> None:
    with state.held(tmp_path):
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys" / "ledger.key").touch()
        (tmp_path / "gemmule.sqlite3").touch()
        state.start_over(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["demo.lock"]
        with pytest.raises(state.StateRefused), state.held(tmp_path):
            pass


def test_starting_over_does_not_follow_links_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.txt").touch()
    with state.held(tmp_path / "state"):
        (tmp_path / "state" / "link").symlink_to(outside)
        state.start_over(tmp_path / "state")
    assert (outside / "thesis.txt").exists()


def test_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(state.StateRefused, match="GEMMULE_DATA_DIR"):
        state.check_is_ours(tmp_path)


def test_directory_that_another_command_has_used_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "gemmule.sqlite3").touch()
    (tmp_path / "gemmule.sqlite3-wal").touch()
    state.check_is_ours(tmp_path)
    state.check_is_ours(tmp_path / "not-there-yet")


def test_directory_that_settings_have_just_made_is_accepted(
    fresh_site: FreshSite,
) -> None:
    site = fresh_site("sqlite")
    subprocess.run([sys.executable, "-m", "django", "check"], env=site, check=True)
    state.check_is_ours(Path(site["GEMMULE_DATA_DIR"]))


def test_directory_of_an_earlier_demo_is_accepted(tmp_path: Path) -> None:
    with state.held(tmp_path):
        (tmp_path / "gemmule.sqlite3").touch()
    state.check_is_ours(tmp_path)
