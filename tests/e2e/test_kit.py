"""The kit in a real browser: at every width, light and dark, by keyboard alone.

Nothing may be wider than the window, axe may find nothing, and the console must stay
silent: a breach of the content policy would show there.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from django.db import transaction
from django.test import override_settings
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, expect

import ledger.services
from gemmule.accounts.models import User
from tests.e2e.conftest import assert_no_violations
from tests.gemmule.web import kit

pytestmark = pytest.mark.e2e


@pytest.fixture
def said() -> list[str]:
    """Return the list that collects what the console says."""
    return []


@pytest.fixture
def page(
    page_as: Callable[[User], Page], rosa: User, said: list[str], now: datetime
) -> Iterator[Page]:
    """Open the kit as Rosa, with its first seal's entry on a real ledger."""

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    given = kit.entry(41233)
    with transaction.atomic():
        ledger.services.append(
            type="data.registered",
            pub={"dataset": "GMD000001"},
            body={},
            event=given.event,
            now=now,
        )
    ledger.services.settle(now=now)
    with override_settings(ROOT_URLCONF=kit.__name__):
        opened = page_as(rosa)
        opened.on("console", hear)
        opened.goto("/kit/")
        yield opened


def assert_fits(page: Page) -> None:
    """Fail when the page can be scrolled sideways."""
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert too_wide <= 0, f"{too_wide} px too wide"


# 720 is 1440 at 200 % zoom; 320 is 1280 at 400 % (WCAG 1.4.10).
@pytest.mark.parametrize("width", [320, 390, 720, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_part_serves_everyone(
    width: int, scheme: str, page: Page, said: list[str]
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 844})
    assert_no_violations(page)
    assert_fits(page)
    assert said == []


def test_the_first_tab_skips_to_the_page(page: Page) -> None:
    # Not the kit: its error summary has taken the focus already.
    page.goto("/ledger/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_error_summary_takes_the_focus_and_leads_to_the_field(page: Page) -> None:
    summary = page.get_by_role("alert").filter(has_text="There is a problem")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="What may your data be used for?").press("Enter")
    expect(page.locator("#id_purpose_0")).to_be_focused()


def test_whoever_tabs_sees_where_they_are(page: Page) -> None:
    page.locator(".skip").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        ring = page.evaluate(
            "(({outlineStyle, outlineWidth}) => [outlineStyle, outlineWidth])"
            "(getComputedStyle(document.activeElement))"
        )
        # A browser draws the ring of its own controls as `auto`.
        assert ring[0] in ("solid", "auto"), page.evaluate(
            "document.activeElement.outerHTML"
        )


def test_a_seal_verifies_there_and_then(page: Page) -> None:
    seal = page.get_by_role("group", name="Seal: entry 41,233 of the ledger").nth(1)
    seal.get_by_role("link", name="Verify entry 41,233").click()
    expect(seal.get_by_role("status")).to_contain_text("Verified just now")
    assert page.url.endswith("/kit/")


def test_a_copied_checksum_is_the_checksum(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the checksum").click()
    expect(page.get_by_text("Copied.", exact=True)).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".copy-text").first.inner_text()
    assert len(copied) == 64


def test_without_scripts_nothing_is_offered_that_needs_them(
    page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    plain = new_context(java_script_enabled=False).new_page()
    plain.goto("/kit/")
    expect(plain.get_by_role("button", name="Copy the checksum")).to_be_hidden()
    plain.get_by_role("link", name="Verify entry 41,233").first.click()
    expect(plain.get_by_text("Verified just now")).to_be_visible()


def test_on_paper_the_seals_stay_and_the_buttons_go(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".seal-mark svg").first).to_be_visible()
    expect(page.get_by_role("button", name="Save and continue")).to_be_hidden()
    expect(page.get_by_role("navigation", name="Main")).to_be_hidden()
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)", "dark pages print dark"
