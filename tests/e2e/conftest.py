"""A real browser, a real worker, and how to look at a page."""

import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    expect,
)
from pytest_django.live_server_helper import LiveServer

from gemmule.accounts.models import User
from gemmule.celery import app
from gemmule.demo import cast, leash, processes
from tests import browser, waiting
from tests.sites import FreshSite

# Playwright's synchronous API keeps an event loop on the main thread, where Django
# refuses its own synchronous database calls unless told that this is meant.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

WIDTHS = (390, 1440)
# Not below test-results/, which pytest-playwright empties whenever pytest starts.
SCREENSHOTS = Path("screenshots")
_FLAGS = [
    "--headless",
    # Chromium's sandbox does not start as root in a container; the pages are ours.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


Look = Callable[[Page, str], None]
RunStage = Callable[[], AbstractContextManager[processes.Site]]


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any],
) -> dict[str, Any]:
    """Start the browser that was found; Playwright's own cannot be downloaded."""
    executable = browser.find()
    assert executable is not None, "e2e tests are deselected without a browser"
    return {
        **browser_type_launch_args,
        "executable_path": str(executable),
        "args": _FLAGS,
    }


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """Open pages on a desktop; `look` and the stories change the width."""
    return {
        **browser_context_args,
        "viewport": {"width": 1440, "height": 900},
        "locale": "en-GB",
        "timezone_id": "UTC",
        "reduced_motion": "reduce",
    }


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """Let `page.goto("/")` open the site, and every e2e test have its database."""
    return str(live_server.url)


@pytest.fixture
def page_as(new_context: Callable[..., BrowserContext]) -> Callable[[User], Page]:
    """Return a function that opens a page of a person who is signed in already."""

    def open_page(user: User) -> Page:
        client = Client()
        client.force_login(user)
        context = new_context()
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                    "domain": "localhost",
                    "path": "/",
                }
            ]
        )
        return context.new_page()

    return open_page


@pytest.fixture(scope="session")
def run_stage(fresh_site: FreshSite) -> RunStage:
    """Return a function that runs a whole site on which the demo's scene is set.

    The scene takes in two call sets and 729 donors: it is set once, and every site
    is a copy of it with processes of its own.
    """
    template = fresh_site("sqlite")
    scene = (("demo", "--prepare", "all"),)
    with processes.running(environment=template, prepare=scene, start=()):
        pass

    def run() -> AbstractContextManager[processes.Site]:
        environment = fresh_site("sqlite")
        source, target = map(processes.data_dir_of, (template, environment))
        shutil.copytree(
            source,
            target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("valkey", "logs"),
        )
        return processes.running(environment=environment, prepare=())

    return run


def sign_in(page: Page, site: processes.Site, member: cast.Member) -> None:
    """Sign a member of the cast in, by the front page."""
    page.goto(site.url)
    page.get_by_role("banner").get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail address").fill(member.email)
    page.get_by_label("Password", exact=True).fill(cast.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("link", name=member.name)).to_be_visible()


def send_and_confirm(page: Page, button: str) -> None:
    """Press the button, and give the password on the page that asks for it again."""
    page.get_by_role("button", name=button).click()
    page.get_by_label("Your password").fill(cast.PASSWORD)
    page.get_by_role("button", name="Confirm and go on").click()


def complaints_of(page: Page) -> list[str]:
    """Return a list that fills with what the browser complains of from now on.

    Scripts that fail, what the Content Security Policy blocks, parts of a page that
    do not come. That a page itself is a refusal is for the test to expect; that the
    site failed is a complaint in any case.
    """
    found: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # The response says which one it was, and whether it was the page itself.
        is_resource = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not is_resource:
            found.append(f"{page.url}: {message.text}")

    def came(response: Response) -> None:
        is_page = response.request.is_navigation_request()
        if response.status >= (500 if is_page else 400):
            found.append(f"{page.url}: {response.url} answered {response.status}")

    page.on("console", heard)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.on("response", came)
    return found


def assert_no_violations(page: Page) -> None:
    """Fail with every finding of axe on the page as it is now."""
    findings = Axe().run(page).response["violations"]
    assert not findings, f"{page.url}:\n" + "\n".join(
        f"{finding['id']} ({finding['impact']}): {finding['help']}\n    "
        + "\n    ".join(node["html"] for node in finding["nodes"])
        for finding in findings
    )


@pytest.fixture
def look() -> Look:
    """Return a function that takes a page at both widths and runs axe on each.

    Saves `screenshots/NAME-390.png` and `NAME-1440.png`, full length, over those of
    the same name.
    """

    def take(page: Page, name: str) -> None:
        assert re.fullmatch(r"[a-z0-9-]+", name), "the name becomes a file's"
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        before = page.viewport_size
        assert before is not None, "contexts here have a viewport"
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 844})
            page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=True)
            assert_no_violations(page)
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - window.innerWidth"
            )
            assert overflow <= 0, f"{name} is {overflow} px too wide at {width} px"
        page.set_viewport_size(before)

    return take


@pytest.fixture
def worker(transactional_db: None, valkey: str, tmp_path: Path) -> Iterator[Path]:
    """Run a real Celery worker on the test databases; return the path of its log."""
    app.control.purge()  # Messages of earlier tests name rows that are gone.
    environment = dict(os.environ)
    for alias, variable in (
        ("default", "DATABASE_URL"),
        ("vault", "VAULT_DATABASE_URL"),
    ):
        name = str(connections[alias].settings_dict["NAME"])
        address = urlsplit(os.environ[variable])
        environment[variable] = address._replace(path=f"/{name}").geturl()
    log = tmp_path / "worker.log"
    process = leash.start(
        processes.WORKER_COMMAND,
        log=log,
        environment=environment,
        when_parent_dies=signal.SIGQUIT,
    )
    try:
        waiting.until(
            lambda: process.poll() is not None or processes.worker_answers(valkey),
            what="the worker's answer",
            timeout_s=60,
        )
        assert process.poll() is None, log.read_text()
        yield log
    finally:
        leash.stop(process, ask=signal.SIGTERM, grace_s=20)
