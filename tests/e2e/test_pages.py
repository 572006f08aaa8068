"""Every kind of page, of every role: for all eyes, at every width, without a mouse.

The site has had its whole story: files were asked for, made, fetched and revoked.
Pages are found by following links, so a page that nothing leads to is missed here:
each role therefore names the pages it must come across.
"""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import BrowserContext, Page, expect

from gemmule.demo import cast
from gemmule.demo.processes import Site
from gemmule.demo.visitor import Visitor
from tests import pilot
from tests.e2e.conftest import RunStage, complaints_of, sign_in
from tests.e2e.pages import hold_to_demands, walk

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

_PURPOSE = {
    "research_types": "disease",
    "diseases": "breast cancer",
    "organisation": "non-profit",
    "commercial": "no",
    "countries": "Sweden, Norway",
    "ethics_approval": "unverified",
    "justification": "To see how the inherited kind begins.",
}


@pytest.fixture(scope="module")
def site(
    run_stage: RunStage, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Run a site after the main job, with requests in every state of review."""
    out = tmp_path_factory.mktemp("story")
    (out / "state").mkdir()
    with run_stage() as running:
        running.manage("demo", "--play", running.url, str(out))
        _ask_for_more(running)
        yield running


@pytest.fixture
def page(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """Open a browser; afterwards nothing may have failed or been blocked in it."""
    opened = new_context().new_page()
    complaints = complaints_of(opened)
    yield opened
    assert complaints == []


def test_pages_for_everyone(page: Page, site: Site) -> None:
    found = walk(page, f"{site.url}/", under=("/",))
    assert found >= {
        *("landing", "how_it_works", "datasets", "dataset", "ledger", "ledger_join"),
        *("account_login", "account_signup", "account_reset_password"),
    }


def test_pages_of_an_account(page: Page, site: Site) -> None:
    sign_in(page, site, cast.ROSA)
    found = walk(page, f"{site.url}/account/", under=("/account/", "/ledger/"))
    assert found >= {
        *("profile", "inbox", "key_list", "key_new", "key_detail", "key_retire"),
        *("token_list", "token_new", "token_revoke", "ledger"),
        *("account_email", "account_change_password", "mfa_index"),
        *("account_reauthenticate",),
    }


def test_pages_of_a_donor(page: Page, site: Site) -> None:
    sign_in(page, site, cast.ADA)
    found = walk(page, f"{site.url}/donor/", under=("/donor/", "/ledger/entries/"))
    assert found >= {
        *("donor_home", "donor_uses", "donor_history", "donor_receipt"),
        *("donor_consent", "donor_refuse", "ledger_entry"),
    }


def test_pages_on_the_way_to_a_consent(page: Page, site: Site) -> None:
    """Take every turn that leads to a page of its own; nothing is signed."""
    sign_in(page, site, cast.ADA)
    page.goto(f"{site.url}/donor/consent/")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_be_visible()
    hold_to_demands(page)
    for answer in (
        "Yes, at any time",
        "The researcher is asked to delete them",
        "Yes, that could happen",
    ):
        page.get_by_role("radio", name=answer).check()
    page.get_by_role("button", name="Continue").click()
    for question, answers in (
        ("What may your data be used for?", ["Only research on illnesses that I pick"]),
        ("Which illnesses?", ["breast cancer"]),
        ("May companies use your data?", ["No companies"]),
        ("Do you want to add rules?", ["The results must be made public"]),
        ("Where may your data be used", ["Only in countries that I pick"]),
        ("Which countries?", ["Sweden"]),
        ("How long may one project use", ["5 years at most"]),
        ("Do you want to keep some genes back?", ["Yes, keep some genes back"]),
        ("Which groups of genes?", ["BRCA1 and BRCA2", "APOE"]),
        ("Other genes?", []),
        ("How should we keep them back?", ["Leave only these genes out"]),
        ("May we count you", ["No, do not count me"]),
    ):
        expect(page.get_by_role("heading", level=1)).to_contain_text(question)
        hold_to_demands(page)
        search = page.get_by_role("searchbox")
        if search.count():
            search.fill(answers[0])
            page.get_by_role("button", name="Search").click()
        for answer in answers:
            choice = page.get_by_role("radio", name=answer, exact=True)
            choice.or_(page.get_by_role("checkbox", name=answer, exact=True)).check()
        page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    page.get_by_role("button", name="Sign and give my consent").click()
    expect(page.get_by_role("alert")).to_contain_text("Type your password")
    hold_to_demands(page)


def test_pages_of_a_researcher(page: Page, site: Site) -> None:
    sign_in(page, site, cast.ROSA)
    found = walk(page, f"{site.url}/research/", under=("/research/",), each=4)
    assert found >= {
        *("research_home", "research_project_new", "research_project"),
        *("research_request_new", "research_request", "research_request_edit"),
        "research_release",
    }
    # A release that was revoked, and an answer that was refused.
    page.goto(f"{site.url}/research/")
    ended = page.get_by_role("listitem").filter(has_text=re.compile("Revoked|Replaced"))
    ended.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Please delete")).to_be_visible()
    hold_to_demands(page)
    page.goto(f"{site.url}/research/projects/new/")
    page.get_by_role("button", name="Start the project").click()
    expect(page.get_by_role("alert")).to_contain_text("Title")
    hold_to_demands(page)


def test_another_name_of_a_gene_is_put_right_by_one_button(
    page: Page, site: Site
) -> None:
    sign_in(page, site, cast.ROSA)
    page.goto(f"{site.url}/research/")
    draft = page.get_by_role("listitem").filter(has_text="Draft")
    draft.get_by_role("link").first.click()
    page.get_by_role("link", name="Continue").click()
    regions = page.get_by_role("textbox", name="Regions")
    regions.fill("MYC her2")
    verdict = page.get_by_role("complementary", name="Verdict")
    page.get_by_label("Why do you need these data?").focus()
    expect(verdict).to_contain_text("her2 is an alias of ERBB2: did you mean it?")
    hold_to_demands(page)
    verdict.get_by_role("button", name="Use ERBB2 for her2").click()
    expect(page.get_by_role("main")).to_contain_text(
        "ERBB2 now stands in place of her2."
    )
    expect(regions).to_have_value("MYC ERBB2")
    expect(regions).to_be_focused()


def test_pages_of_the_irb(page: Page, site: Site) -> None:
    sign_in(page, site, cast.INGRID)
    found = walk(page, f"{site.url}/irb/", under=("/irb/",), each=3)
    found |= walk(page, f"{site.url}/audit/", under=("/audit/",))
    assert found >= {
        *("irb_queue", "irb_request", "irb_approve", "irb_deny", "irb_send_back"),
        *("irb_verify_ethics", "irb_countersign"),
        *("audit_releases", "audit_release", "audit_release_revoke", "audit_ledger"),
        "audit_figures",
    }


def test_pages_of_an_auditor(page: Page, site: Site) -> None:
    sign_in(page, site, cast.AUD)
    found = walk(page, f"{site.url}/audit/", under=("/audit/",))
    assert found >= {
        *("audit_releases", "audit_release", "audit_ledger", "audit_figures")
    }
    page.goto(f"{site.url}/audit/ledger/")
    page.get_by_role("button", name="Verify the whole ledger now").click()
    expect(page.get_by_role("heading", name="Everything held")).to_be_visible()
    hold_to_demands(page)
    page.goto(f"{site.url}/audit/releases/?q=nothing+like+it")
    expect(page.get_by_role("heading", name="No release matches")).to_be_visible()
    hold_to_demands(page)


def test_pages_of_a_steward(page: Page, site: Site, tmp_path: Path) -> None:
    sign_in(page, site, cast.SVEN)
    published = walk(page, f"{site.url}/steward/", under=("/steward/",))
    assert published >= {"steward", "steward_register", "steward_dataset"}

    page.goto(f"{site.url}/steward/datasets/new/")
    page.get_by_label("Title").fill("A second call of chromosome 2")
    page.get_by_label("What it holds").fill("The pilot's people, called again.")
    page.get_by_role("radio", name="GRCh37").check()
    page.get_by_role("button", name="Register and go on").click()
    expect(page.get_by_role("heading", name="A second call")).to_be_visible()
    draft = page.url
    torn, sound = tmp_path / "torn.vcf", tmp_path / "sound.vcf.gz"
    # The last row lacks the last donor's genotype.
    torn.write_text(pilot.source().rstrip().rpartition("\t")[0] + "\n")
    sound.write_bytes(gzip.compress(pilot.source().encode(), 1))
    page.goto(f"{draft}files/")
    page.get_by_label("VCF files").set_input_files([torn, sound])
    page.get_by_role("button", name="Upload and check").click()
    expect(page.get_by_role("main")).to_contain_text("Accepted", timeout=120_000)
    expect(page.get_by_role("main")).to_contain_text("Refused", timeout=120_000)
    page.get_by_role("link", name="File 1").click()
    expect(page.get_by_role("main")).to_contain_text("Line")
    hold_to_demands(page)
    found = walk(page, draft, under=(draft.removeprefix(site.url),))
    assert found >= {
        *("steward_dataset", "steward_describe", "steward_files", "steward_file"),
        *("steward_file_remove", "steward_map"),
    }


def test_pages_of_an_administrator(page: Page, site: Site) -> None:
    sign_in(page, site, cast.ALMA)
    found = walk(page, f"{site.url}/people/", under=("/people/",))
    assert found >= {"people", "people_invite", "role_propose", "role_revoke"}


def test_pages_that_refuse(page: Page, site: Site) -> None:
    sign_in(page, site, cast.ADA)
    for path, status, words in (
        ("/nowhere/", 404, "There is nothing here"),
        ("/irb/", 403, "You may not do this"),
        ("/research/requests/GMQ000000/", 403, "You may not do this"),
    ):
        answer = page.goto(f"{site.url}{path}")
        assert answer is not None and answer.status == status, path
        expect(page.get_by_role("heading", level=1)).to_have_text(words)
        hold_to_demands(page)


def test_page_of_a_failure(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    """It needs nothing of the site that has failed but its style sheets."""
    page = new_context().new_page()
    content = render_to_string("500.html")
    page.route(
        "**/failed/",
        lambda route: route.fulfill(status=500, content_type="text/html", body=content),
    )
    page.goto(f"{site.url}/failed/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("on our side")


def _ask_for_more(site: Site) -> None:
    """Leave a draft, a request that waits, and one for a second signature."""
    rosa = Visitor(site.url)
    rosa.sign_in(cast.ROSA.email, cast.PASSWORD)
    for sends in (False, True, True):
        asked = rosa.open("/research/requests/new/")
        begun = rosa.send(asked, {}, having="dataset")
        checked = rosa.send(begun, _PURPOSE, having="justification")
        if sends:
            sent = rosa.go_on(checked, {})
    accession = sent.url.rstrip("/").rpartition("/")[2]
    ira = Visitor(site.url)
    ira.sign_in(cast.IRA.email, cast.PASSWORD)
    page = ira.open(f"/irb/requests/{accession}/approve/")
    ira.send(
        page,
        {"resolve": ["IRB"], "reason": "I know the board.", "password": cast.PASSWORD},
        having="resolve",
    )
