"""What a donor saves as proof of her choices, checked away from the site."""

import json
from pathlib import Path

from playwright.sync_api import Page

from gemmule import cli
from gemmule.demo.processes import Site
from tests.e2e.conftest import Look


def ada_checks_her_files(page: Page, look: Look, site: Site, folder: Path) -> None:
    """Save all that proves her choices, and check it by the command, without the site.

    What may have changed on the way is for the verifier's own tests.
    """
    policy = folder / "policy"
    policy.write_bytes(page.request.get(f"{site.url}/ledger/policy").body())
    page.get_by_role("link", name="My choices").first.click()
    page.get_by_role("link", name="All I have decided").click()
    look(page, "story-70-ada-record")
    record = saved(page, "Save my whole record", folder / "record.json")
    page.get_by_role("link", name="Receipt", exact=True).last.click()
    receipt = saved(page, "Save my receipt", folder / "first.tlog-proof")
    opening = saved(page, "Save what opens it", folder / "first.json")
    for arguments in (
        ["donor-record", record],
        ["receipt", receipt],
        ["receipt", receipt, "--opening", opening],
    ):
        given = [*map(str, arguments), "--policy", str(policy)]
        assert cli.main(["verify", *given]) == cli.HOLDS, given
    assert json.loads(opening.read_text())["body"]["subject_seq"] == 1
    assert len(json.loads(record.read_text())["acts"]) == 2


def saved(page: Page, link: str, path: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    started.value.save_as(path)
    return path
