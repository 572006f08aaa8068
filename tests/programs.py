"""Pytest plugin: programs that no wheel brings, found or installed, for their tests.

Without its program a test is deselected and the last lines of the run say so; where
CI=true that fails the run, because a check that did not happen is not a passed one.
Which programs there are is said by `browser`, `golang` and `variant_tools`.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence

import pytest

from tests import browser, golang, variant_tools
from tests.program import Program

PROGRAMS = (browser.PROGRAM, golang.PROGRAM, variant_tools.PROGRAM)

_INSTALL = "apt-get install -y --no-install-recommends"
# How many tests with each mark were left out.
_not_run = pytest.StashKey[dict[str, int]]()


def missing() -> list[Program]:
    """Return the programs that are not there."""
    return [each for each in PROGRAMS if not each.is_there()]


def install(wanted: Sequence[Program]) -> str | None:
    """Install Debian's packages; return None, or in one line what to do instead."""
    packages = [package for each in wanted for package in each.packages]
    if not shutil.which("apt-get"):
        called = " and ".join(each.called for each in wanted)
        return f"install {called} with your system's package manager (no apt-get here)"
    if os.geteuid() != 0:
        return f"run as root: {_INSTALL} {' '.join(packages)}"
    options = ["-q", "-o", "DPkg::Lock::Timeout=300"]
    install = ["install", "-y", "--no-install-recommends", *packages]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], install):
        done = subprocess.run(
            ["apt-get", *options, *arguments], env=environment, check=False
        )
        if done.returncode:
            return (
                f"apt-get {arguments[0]} failed, see above; "
                f"then: {_INSTALL} {' '.join(packages)}"
            )
    broken = [each.called for each in wanted if not each.is_there()]
    return f"{' and '.join(broken)}: installed but not usable" if broken else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our one option."""
    parser.addoption(
        "--install-browser",
        action="store_true",
        help="install Debian's chromium, Go, bcftools and PLINK by apt when not found",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Install before collection, once, and never in a worker of xdist."""
    config.stash[_not_run] = {}
    for each in PROGRAMS:
        config.addinivalue_line("markers", f"{each.mark}: {each.meaning}")
    if config.getoption("--install-browser") and not _is_worker(config):
        wanted = missing()
        problem = install(wanted) if wanted else None
        if problem:
            _say(config, f"--install-browser: {problem}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect what needs a program that is not there."""
    for program in PROGRAMS:
        needing = [item for item in items if item.get_closest_marker(program.mark)]
        if needing and not program.is_there():
            config.stash[_not_run][program.mark] = len(needing)
            config.hook.pytest_deselected(items=needing)
            items[:] = [item for item in items if item not in needing]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker of xdist left out; every worker left out the same."""
    output = getattr(node, "workeroutput", {})
    config = getattr(node, "config", None)
    if isinstance(config, pytest.Config):
        config.stash[_not_run].update(output.get("not_run", {}))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run where CI=true; elsewhere only say what was left out."""
    not_run = session.config.stash[_not_run]
    if _is_worker(session.config):
        session.config.workeroutput["not_run"] = not_run  # type: ignore[attr-defined]  # set by xdist
    elif not_run and _is_ci():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say it in the last lines, in red."""
    not_run = config.stash[_not_run]
    if not not_run:
        return
    verdict = "; CI=true makes this a failure" if _is_ci() else ""
    terminalreporter.write_sep("=", "programs", red=True)
    for program in PROGRAMS:
        if count := not_run.get(program.mark):
            terminalreporter.write_line(
                f"{count} {program.mark} tests NOT RUN: no {program.called} found "
                f"({program.searched}); try --install-browser{verdict}",
                red=True,
            )


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(line, red=True)


def _is_ci() -> bool:
    return os.environ.get("CI") == "true"
