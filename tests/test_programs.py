"""Programs that tests need: found, installed, or said to be missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import browser, golang, programs

_TESTS = """
import pytest

@pytest.mark.e2e
def test_story() -> None: ...

@pytest.mark.e2e
def test_other_story() -> None: ...

@pytest.mark.golang
def test_foreign_verdict() -> None: ...

def test_arithmetic() -> None:
    assert 1 + 1 == 2
"""
_APT = """#!/bin/sh
echo "$@" >> "{log}"
case "$*" in *install*) printf '#!/bin/sh\\n' > "{bin}/chromium"
                        for name in go bcftools plink1.9 plink2
                        do /bin/cp "{bin}/chromium" "{bin}/$name"; done
                        /bin/chmod +x "{bin}"/* ;; esac
"""
_INSTALL = "install -y --no-install-recommends"
_PACKAGES = "chromium golang-go golang-golang-x-mod-dev bcftools plink1.9 plink2"


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a PATH of one empty folder; return the folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def _program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the sources of x/mod into a folder; return the folder."""
    folder = tmp_path / "module"
    folder.mkdir()
    monkeypatch.setattr(golang, "_MODULE", folder)
    return folder


def _run(
    folder: Path, *options: str, ci: str = ""
) -> "subprocess.CompletedProcess[str]":
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_inner.py").write_text(_TESTS)
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.programs"),
            *("-p", "no:django", "-p", "no:cacheprovider", "--rootdir", str(folder)),
            *("--strict-markers", *options),
        ],
        cwd=folder,
        env={**os.environ, "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )


def test_browser_that_starts_is_found(bare_path: Path) -> None:
    chrome = _program(bare_path / "google-chrome", "#!/bin/sh\n")
    assert browser.find() == chrome


def test_stub_that_does_not_start_is_passed_over(bare_path: Path) -> None:
    _program(bare_path / "chromium-browser", "#!/bin/sh\nexit 1\n")
    assert browser.find() is None


def test_go_without_the_module_is_passed_over(
    bare_path: Path, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = _program(bare_path / "go", "#!/bin/sh\n")
    assert golang.find() == go
    monkeypatch.setattr(golang, "_MODULE", module / "elsewhere")
    assert golang.find() is None


def test_tests_without_their_program_are_said_to_be_not_run(
    bare_path: Path, tmp_path: Path
) -> None:
    answer = _run(tmp_path)
    assert answer.returncode == 0, answer.stdout
    assert "1 passed, 3 deselected" in answer.stdout
    assert "2 e2e tests NOT RUN: no browser found" in answer.stdout
    assert "1 golang tests NOT RUN: no Go with golang.org/x/mod found" in answer.stdout


def test_tests_without_their_program_fail_the_run_of_ci(
    bare_path: Path, tmp_path: Path
) -> None:
    answer = _run(tmp_path, "-m", "not e2e", ci="true")
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED
    assert "CI=true makes this a failure" in answer.stdout
    assert "e2e tests NOT RUN" not in answer.stdout


def test_workers_of_xdist_report_what_they_left_out(
    bare_path: Path, tmp_path: Path
) -> None:
    answer = _run(tmp_path, "-n", "2", ci="true")
    assert answer.returncode == pytest.ExitCode.TESTS_FAILED
    assert "2 e2e tests NOT RUN" in answer.stdout
    assert "1 golang tests NOT RUN" in answer.stdout


def test_run_without_such_tests_needs_no_program(
    bare_path: Path, tmp_path: Path
) -> None:
    answer = _run(tmp_path, "-m", "not e2e and not golang", ci="true")
    assert answer.returncode == 0, answer.stdout
    assert "NOT RUN" not in answer.stdout


def test_stories_run_where_there_is_a_browser(bare_path: Path, tmp_path: Path) -> None:
    _program(bare_path / "chromium", "#!/bin/sh\n")
    answer = _run(tmp_path, "-m", "not golang", ci="true")
    assert answer.returncode == 0, answer.stdout
    assert "3 passed" in answer.stdout


def test_option_installs_all_at_once_by_apt_and_runs_the_tests(
    bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        # Who is root is decided by the system; the folder of programs is ours.
        (tmp_path / "sitecustomize.py").write_text("import os; os.geteuid = lambda: 0")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log = tmp_path / "apt.log"
    _program(bare_path / "apt-get", _APT.format(log=log, bin=bare_path))
    # Whether Debian's x/mod is on this machine is not the question here.
    answer = _run(tmp_path, "--install-browser", "-m", "not golang", ci="true")
    assert answer.returncode == 0, answer.stdout
    assert "3 passed" in answer.stdout
    assert log.read_text().splitlines() == [
        "-q -o DPkg::Lock::Timeout=300 update",
        f"-q -o DPkg::Lock::Timeout=300 {_INSTALL} {_PACKAGES}",
    ]


def test_what_is_there_is_not_installed_again(
    bare_path: Path, module: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bare_path / "chromium", "#!/bin/sh\n")
    log = bare_path / "apt.log"
    _program(bare_path / "apt-get", _APT.format(log=log, bin=bare_path))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert [each.mark for each in programs.missing()] == ["golang", "variant_tools"]
    assert programs.install(programs.missing()) is None
    assert "chromium" not in log.read_text()
    assert programs.missing() == []


def test_without_apt_one_line_says_what_to_do(bare_path: Path, tmp_path: Path) -> None:
    answer = _run(tmp_path, "--install-browser")
    assert answer.returncode == 0, answer.stdout
    assert (
        "install browser and Go with golang.org/x/mod and bcftools, PLINK 1.9 or "
        "PLINK 2 with your system's package manager" in answer.stdout
    )


def test_without_root_one_line_says_what_to_do(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bare_path / "apt-get", "#!/bin/sh\nexit 1\n")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    problem = programs.install(programs.PROGRAMS)
    assert problem == f"run as root: apt-get {_INSTALL} {_PACKAGES}"


def test_failed_installation_says_which_step(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bare_path / "apt-get", "#!/bin/sh\nexit 100\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    problem = programs.install(programs.PROGRAMS)
    assert problem is not None
    assert problem.startswith("apt-get update failed")


def test_what_was_installed_and_does_not_start_is_said(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _program(bare_path / "apt-get", "#!/bin/sh\n")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert programs.install([browser.PROGRAM]) == ("browser: installed but not usable")
