"""Pytest plugin: the browser that e2e tests drive, found or installed.

Without one the e2e tests are deselected and the last line of the run says so; where
CI=true that fails the run, because a check that did not happen is not a passed one.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_INSTALL = "apt-get install -y --no-install-recommends chromium"
_not_run = pytest.StashKey[int]()


def find() -> Path | None:
    """Return the first browser on the PATH that starts; a broken one is passed over."""
    for name in _NAMES:
        path = shutil.which(name)
        # Ubuntu's `chromium-browser` is a stub that fails without snap.
        if path and _succeeds([path, "--version"]):
            return Path(path)
    return None


def install() -> str | None:
    """Install Debian's chromium; return None, or in one line what to do instead."""
    if not shutil.which("apt-get"):
        return "install Chromium with your system's package manager (no apt-get here)"
    if os.geteuid() != 0:
        return f"run as root: {_INSTALL}"
    options = ["-q", "-o", "DPkg::Lock::Timeout=300"]
    for arguments in (["update"], ["install", "-y", "--no-install-recommends"]):
        packages = ["chromium"] if arguments[0] == "install" else []
        if not _succeeds(["apt-get", *options, *arguments, *packages], show=True):
            return f"apt-get {arguments[0]} failed, see above; then: {_INSTALL}"
    return None if find() else "chromium was installed but does not start"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our one option."""
    parser.addoption(
        "--install-browser",
        action="store_true",
        help="install Debian's chromium by apt when no browser is found",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Install before collection, once, and never in a worker of xdist."""
    config.stash[_not_run] = 0
    if config.getoption("--install-browser") and not _is_worker(config) and not find():
        problem = install()
        if problem:
            _say(config, f"--install-browser: {problem}")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Deselect what needs a browser when there is none."""
    e2e = [item for item in items if item.get_closest_marker("e2e")]
    if not e2e or find():
        return
    config.stash[_not_run] = len(e2e)
    config.hook.pytest_deselected(items=e2e)
    items[:] = [item for item in items if item not in e2e]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take over what a worker of xdist left out; every worker left out the same."""
    output = getattr(node, "workeroutput", {})
    config = getattr(node, "config", None)
    if isinstance(config, pytest.Config):
        config.stash[_not_run] = max(config.stash[_not_run], output.get("not_run", 0))


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
    if not_run:
        verdict = (
            "; CI=true makes this a failure" if os.environ.get("CI") == "true" else ""
        )
        terminalreporter.write_sep("=", "browser", red=True)
        terminalreporter.write_line(
            f"{not_run} e2e tests NOT RUN: no browser found "
            f"({', '.join(_NAMES)}); try --install-browser{verdict}",
            red=True,
        )


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter:
        reporter.write_line(line, red=True)


def _succeeds(command: list[str], *, show: bool = False) -> bool:
    output = None if show else subprocess.DEVNULL
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return (
        subprocess.run(
            command, stdout=output, stderr=output, env=environment, check=False
        ).returncode
        == 0
    )


def _is_ci() -> bool:
    return os.environ.get("CI") == "true"
