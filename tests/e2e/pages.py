"""Walk the site by its links, and hold every page to the same demands."""

import re
from collections import Counter
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page, ViewportSize

from tests.e2e.conftest import assert_no_violations

# Files, not pages: a browser saves them.
_SAVED = re.compile(
    r"(\.json|\.csv|\.c4gh|\.tlog-proof|/checkpoint|/policy|/schema/|/download/)$"
)
_PHONE: ViewportSize = {"width": 320, "height": 640}
_DESK: ViewportSize = {"width": 1440, "height": 900}


def hold_to_demands(page: Page) -> None:
    """Assert what holds for every page, at both ends of width and in both schemes.

    Colours do not depend on the width, so the dark ones are looked at on a phone.
    """
    assert re.fullmatch(r"\S.* \W Gemmule", page.title()), page.url
    assert page.get_by_role("heading", level=1).count() == 1, page.url
    assert_skippable(page)
    page.set_viewport_size(_DESK)
    page.emulate_media(color_scheme="light")
    assert_fits(page)
    assert_no_violations(page)
    page.set_viewport_size(_PHONE)
    page.emulate_media(color_scheme="dark")
    assert_fits(page)
    assert_no_violations(page)
    page.set_viewport_size(_DESK)
    page.emulate_media(color_scheme="light")


def assert_fits(page: Page) -> None:
    """Assert that nothing is wider than the window."""
    found = page.evaluate(
        """() => {
            const wide = document.documentElement.scrollWidth - innerWidth;
            const over = [...document.querySelectorAll("main *")].filter(
                one => one.getBoundingClientRect().right > innerWidth + 1);
            return [wide, over.slice(-1).map(one => one.outerHTML.slice(0, 200))];
        }"""
    )
    assert found[0] <= 0, f"{page.url} is {found[0]} px too wide: {found[1]}"


def assert_skippable(page: Page) -> None:
    """Assert that the first stop of the Tab key leads past the header."""
    active = "document.activeElement"
    if page.evaluate(f"{active} !== document.body"):
        return  # The page has put the reader at what she came for: its errors.
    page.keyboard.press("Tab")
    assert page.evaluate(f"{active}.textContent") == "Skip to the page", page.url
    page.keyboard.press("Enter")
    assert page.evaluate(f"{active}.id") == "main", page.url


def walk(page: Page, start: str, *, under: tuple[str, ...], each: int = 1) -> set[str]:
    """Follow links from `start`; return the names of the routes that were looked at.

    Looks at `each` pages of every route below the paths `under`; an address with a
    query is of a route of its own.
    """
    looked: Counter[tuple[str, bool]] = Counter()
    visited: set[str] = set()
    waiting = [start]
    while waiting:
        address = waiting.pop(0).partition("#")[0]
        route = _route(address, under)
        if route is None or looked[route] >= each or address in visited:
            continue
        visited.add(address)
        page.goto(address)
        arrived = _route(page.url, under)
        if arrived is not None and looked[arrived] < each:
            looked[arrived] += 1
            hold_to_demands(page)
        waiting += page.eval_on_selector_all(
            "a[href]", "links => links.map(link => link.href)"
        )
    return {name for name, _ in looked}


def _route(address: str, under: tuple[str, ...]) -> tuple[str, bool] | None:
    parts = urlsplit(address)
    if not parts.path.startswith(under) or _SAVED.search(parts.path):
        return None
    try:
        name = resolve(parts.path).view_name
    except Resolver404 as error:
        raise AssertionError(f"a link leads nowhere: {address}") from error
    # The API's own page is another program's; it has tests of its own.
    return None if name.startswith("api:") else (name, bool(parts.query))
