"""A reader opens the API's page, sees its addresses, and no rule of the page breaks."""

from pathlib import Path

import pytest
import yaml
from playwright.sync_api import ConsoleMessage, Page, expect

from gemmule.demo import cast
from tests import factories
from tests.gemmule.api.callers import caller

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "api" / "openapi.yaml"

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def operation_count() -> int:
    paths = yaml.safe_load(SCHEMA.read_text())["paths"]
    return sum(len(methods) for methods in paths.values())


def test_page_shows_every_operation_and_breaks_no_policy(
    page: Page, base_url: str
) -> None:
    token = caller(factories.member(cast.ROSA)).token
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: said.append(str(error)))
    answer = page.goto(f"{base_url}/api/v1/docs/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy

    expect(page.locator(".opblock")).to_have_count(operation_count())
    # She gives her token, tries an address there and then, and gets her projects.
    page.get_by_role("button", name="Authorize").first.click()
    page.get_by_label("Value:").fill(f"Token {token}")
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    operation = page.locator("#operations-projects-projects_list")
    operation.get_by_role("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    live = operation.locator(".live-responses-table")
    expect(live).to_contain_text("200")
    expect(live).to_contain_text('"results": []')
    assert said == []
