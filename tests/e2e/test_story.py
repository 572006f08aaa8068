"""The main job in a browser: from a donor's yes to the file, and to her no.

A real site with its own web server, worker and clock, the 629 people of the demo, and
four people at their browsers. What the file holds is judged by the `crypt4gh` command,
by a checker that shares nothing with the engine, and by the donors' wishes.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from crypt4gh.keys import c4gh
from playwright.sync_api import BrowserContext, Download, Page, expect

from consent.purpose import Purpose
from gemmule.demo import cast, cohorts
from gemmule.demo.processes import Site
from tests import pilot
from tests.e2e.conftest import Look, RunStage, complaints_of, send_and_confirm, sign_in
from tests.e2e.proofs import ada_checks_her_files
from tests.e2e.received import assert_holds, opened, sample_names

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

# What Rosa states on the page, as the policy reads it.
PURPOSE = Purpose.from_json(
    {
        "research_types": ["biomedical"],
        "organisation": "non-profit",
        "commercial": False,
        "countries": ["SE"],
        "agrees_to": ["PUB", "RTN"],
    }
)
# A build takes seconds; a machine that is busy with other things takes longer.
_PATIENCE_MS = 120_000
Open = Callable[[cast.Member], Page]


@pytest.fixture
def site(run_stage: RunStage) -> Iterator[Site]:
    with run_stage() as running:
        yield running
        for name in ("web", "worker"):
            log = (running.log_dir / f"{name}.log").read_text()
            _, failed, trace = log.partition("Traceback")
            # Whatever failed first; its message stands at the end of the trace.
            end = re.search(r"^[\w.]+(?:Error|Exception)\b.*$", trace, re.MULTILINE)
            assert not failed, (
                f"{name} failed: {end[0] if end else trace}\n{trace[:2000]}"
            )


@pytest.fixture
def open_as(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Open]:
    """Return a function that opens a browser and signs a member of the cast in."""
    complaints: list[list[str]] = []

    def open_page(member: cast.Member) -> Page:
        page = new_context().new_page()
        complaints.append(complaints_of(page))
        sign_in(page, site, member)
        return page

    yield open_page
    assert [one for found in complaints for one in found] == []


def test_from_consent_to_file_and_back(
    site: Site, open_as: Open, look: Look, tmp_path: Path
) -> None:
    ada = open_as(cast.ADA)
    ada_consents(ada, look)

    rosa = open_as(cast.ROSA)
    secret = rosa_registers_her_key(rosa, look, tmp_path)
    request = rosa_asks(rosa, look)

    ira_approves(open_as(cast.IRA), look, request)

    release = rosa_has_it_built(rosa, look, request)
    permitted = pilot.allowed(PURPOSE)
    content = opened(rosa_downloads(rosa), secret)
    assert_holds(content, sample_names(site, release), {*permitted, pilot.ada()})

    aud_verifies(open_as(cast.AUD), look, release)

    ada_sees_who_used_her_data(ada, look)
    ada_withdraws(ada, look)

    successor = rosa_is_refused(rosa, look, release)
    content = opened(rosa_downloads(rosa), secret)
    assert_holds(content, sample_names(site, successor), permitted)
    ada_sees_that_it_ended(ada, look)
    ada_checks_her_files(ada, look, site, tmp_path)


def ada_consents(page: Page, look: Look) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("My choices")
    look(page, "story-01-ada-undecided")
    page.get_by_role("link", name="Read and decide").click()
    look(page, "story-02-ada-key-information")
    page.get_by_role("button", name="Continue").click()

    # She gets one wrong, is told why, and picks again; nobody keeps a score.
    for answer in ("Yes, at any time", "They vanish", "Yes, that could happen"):
        page.get_by_role("radio", name=answer).check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Not quite.", exact=True)).to_be_visible()
    look(page, "story-03-ada-not-quite")
    page.get_by_role("radio", name="The researcher is asked to delete them").check()
    page.get_by_role("button", name="Continue").click()

    for number, (question, answer) in enumerate(
        (
            ("What may your data be used for?", "Any kind of research"),
            ("May companies use your data?", "Companies too"),
            ("Do you want to add rules?", ""),
            ("Where may your data be used and kept?", "In any country"),
            (
                "How long may one project use your data?",
                "As long as the review board allows",
            ),
            ("Do you want to keep some genes back?", "No, hand over all of it"),
            ("May we count you", "Yes, count me"),
        ),
        1,
    ):
        expect(page.get_by_role("heading", level=1)).to_contain_text(question)
        assert page.get_by_role("radio", checked=True).count() == 0, "nothing is ticked"
        if answer:
            page.get_by_role("radio", name=answer).check()
        look(page, f"story-04-ada-question-{number}")
        page.get_by_role("button", name="Continue").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    look(page, "story-05-ada-checks-her-answers")
    page.get_by_label("Your password").fill(cast.PASSWORD)
    page.get_by_role("button", name="Sign and give my consent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You gave your consent")
    # The page waits for the notary by itself.
    expect(page.get_by_text("own notary; no outside witness yet")).to_be_visible(
        timeout=_PATIENCE_MS
    )
    look(page, "story-06-ada-receipt")
    seal = page.get_by_role("group", name=re.compile("^Seal: entry"))
    seal.get_by_role("link", name="Verify").click()
    expect(seal.get_by_role("status")).to_contain_text("Verified just now")


def rosa_registers_her_key(page: Page, look: Look, folder: Path) -> Path:
    """Make a pair of keys as the command does; return where the secret half is."""
    secret, public = folder / "rosa.sec", folder / "rosa.pub"
    c4gh.generate(str(secret), str(public), None, None)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your research")
    look(page, "story-10-rosa-home-empty")
    page.get_by_role("link", name="Register your public key").click()
    page.get_by_role("link", name="Register a key").click()
    page.get_by_label("A name for the key").fill("cluster")
    page.get_by_label("The public key").fill(public.read_text())
    send_and_confirm(page, "Continue")
    look(page, "story-11-rosa-key-to-prove")
    with page.expect_download() as challenge:
        page.get_by_role("link", name="Download challenge.c4gh").click()
    inside = opened(challenge.value, secret).decode()
    page.get_by_label("The text that was inside").fill(inside)
    page.get_by_role("button", name="Prove the key").click()
    expect(page.get_by_role("status").first).to_contain_text("can receive files")
    look(page, "story-12-rosa-key-proven")
    return secret


def rosa_asks(page: Page, look: Look) -> str:
    """Start a project, state the purpose, watch the verdict; return the accession."""
    page.get_by_role("navigation", name="Main").get_by_role(
        "link", name="Research"
    ).click()
    page.get_by_role("link", name="Start a project").click()
    page.get_by_label("Title").fill("Inherited heart rhythm")
    page.get_by_label("Summary for donors").fill(
        "Some hearts beat out of time, and it runs in families. We look for changes "
        "in the DNA that guard the heartbeat."
    )
    look(page, "story-13-rosa-project")
    page.get_by_role("button", name="Start the project").click()
    look(page, "story-14-rosa-project-started")
    page.get_by_role("link", name="Request a dataset").click()
    page.get_by_label("Dataset").select_option(
        label=page.get_by_role("option", name=cohorts.PILOT.title).inner_text()
    )
    look(page, "story-15-rosa-dataset")
    page.get_by_role("button", name="Continue").click()

    verdict = page.get_by_role("complementary", name="Verdict")
    expect(verdict).to_contain_text("the number appears here")
    page.get_by_role("checkbox", name="Health, medical or biomedical").check()
    expect(verdict).to_contain_text("donors allow this")
    with_nothing_stated = permitted_shown(verdict.inner_text())
    page.get_by_role("radio", name="Only non-profit organisations").check()
    page.get_by_role("group", name="Is any use commercial?").get_by_role(
        "radio", name="No"
    ).check()
    page.get_by_role("textbox", name="Diseases").fill("brest cancer")
    page.get_by_label("Countries").fill("Sweden")
    expect(verdict).to_contain_text("“brest cancer” is not a known disease")
    look(page, "story-16-rosa-misspells")
    page.get_by_role("textbox", name="Diseases").fill("")
    page.get_by_label("Countries").focus()
    expect(verdict).not_to_contain_text("not a known disease")
    page.get_by_role("checkbox", name="publish the results").check()
    page.get_by_role("checkbox", name="return derived data").check()
    page.wait_for_function(
        "before => Number(document.querySelector('#verdict dd').innerText"
        ".replace(/\\D/g, '')) > before",
        arg=with_nothing_stated,
    )
    look(page, "story-16-rosa-purpose")
    page.get_by_label("Why do you need these data?").fill(
        "Rare changes show only in large groups of people."
    )
    page.get_by_role("button", name="Save and check").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    expect(page.get_by_role("main")).to_contain_text("Sweden")
    look(page, "story-17-rosa-checks-her-answers")
    page.get_by_role("button", name="Send to the review board").click()
    expect(page.get_by_role("status").first).to_contain_text("Sent to the review board")
    look(page, "story-18-rosa-sent")
    found = re.search(r"GMQ\w+", page.url)
    assert found is not None
    return found[0]


def ira_approves(page: Page, look: Look, request: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Requests to review")
    look(page, "story-20-ira-queue")
    page.get_by_role("link", name=request).click()
    look(page, "story-21-ira-request")
    page.get_by_role("link", name="Approve").click()

    # Without a reason and with a wrong password it is refused, and says so.
    page.get_by_role("button", name="Sign and approve").click()
    expect(page.get_by_role("alert")).to_contain_text("Reason")
    look(page, "story-22-ira-refused")
    page.get_by_label("Reason").fill("Sound aims, and the safeguards fit them.")
    page.get_by_label("Your password").fill("not her password")
    page.get_by_role("button", name="Sign and approve").click()
    expect(page.get_by_role("alert")).to_contain_text("not your password")
    expect(page.get_by_label("Reason")).to_have_value(re.compile("Sound aims"))

    until = datetime.now(UTC).date() + timedelta(days=180)
    page.get_by_label("Approved until").fill(until.isoformat())
    page.get_by_label("Your password").fill(cast.PASSWORD)
    look(page, "story-23-ira-signs")
    page.get_by_role("button", name="Sign and approve").click()
    expect(page.get_by_role("status").first).to_contain_text("Signed: approved")
    expect(page.get_by_role("main")).to_contain_text(f"until {until.day} ")
    look(page, "story-24-ira-approved")


def rosa_has_it_built(page: Page, look: Look, request: str) -> str:
    """Ask for the release and watch it; return its accession."""
    page.get_by_role("link", name="Inbox").click()
    expect(page.get_by_role("main")).to_contain_text(request)
    look(page, "story-30-rosa-inbox")
    page.get_by_role("navigation", name="Main").get_by_role(
        "link", name="Research"
    ).click()
    look(page, "story-31-rosa-home")
    page.get_by_role("link", name=cohorts.PILOT.title).click()
    look(page, "story-32-rosa-approved")
    page.get_by_role("button", name="Build a release").click()
    # The page asks for its own progress, once a second, until there is a file.
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_role("link", name="Download").first).to_be_visible(
        timeout=_PATIENCE_MS
    )
    page.reload()
    expect(page.get_by_role("group", name=re.compile("^Seal: entry"))).to_be_visible()
    look(page, "story-33-rosa-release")
    return accession_in(page.url)


def rosa_downloads(page: Page) -> Download:
    with page.expect_download() as variants:
        page.get_by_role(
            "link", name=re.compile(r"Download .*\.vcf\.gz\.c4gh$")
        ).click()
    return variants.value


def aud_verifies(page: Page, look: Look, release: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Releases")
    look(page, "story-40-aud-releases")
    page.get_by_role("searchbox", name="Search").fill(release)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=release).click()
    dossier = page.get_by_role("main")
    expect(dossier).to_contain_text("Inherited heart rhythm")
    expect(dossier).to_contain_text("Sound aims, and the safeguards fit them.")
    expect(dossier).to_contain_text(cast.ROSA.name)
    page.get_by_role("link", name="Verify", exact=True).click()
    expect(page.get_by_role("heading", name="Everything holds")).to_be_visible()
    assert dossier.get_by_text("No", exact=True).count() == 0
    look(page, "story-41-aud-dossier")


def ada_sees_who_used_her_data(page: Page, look: Look) -> None:
    page.get_by_role("link", name="My choices").first.click()
    expect(page.get_by_role("main")).to_contain_text("was in 1 file")
    look(page, "story-50-ada-home")
    page.get_by_role("link", name="See who, why and when").click()
    used = page.get_by_role("main")
    for words in (
        "Inherited heart rhythm",
        "it runs in families",
        cast.INSTITUTE,
        "A review board said yes",
        "Yes, once",
    ):
        expect(used).to_contain_text(words)
    assert cast.ROSA.name not in used.inner_text()
    look(page, "story-51-ada-uses")


def ada_withdraws(page: Page, look: Look) -> None:
    """From home to the acknowledgement in at most three clicks."""
    page.get_by_role("link", name="My choices").first.click()
    clicks = 0
    page.get_by_role("link", name="Take back my consent").click()
    clicks += 1
    expect(page.get_by_role("main")).to_contain_text(
        "1 file with your data was sent out before"
    )
    expect(page.get_by_role("main")).to_contain_text(f"We ask {cast.INSTITUTE}")
    look(page, "story-52-ada-stop")
    page.get_by_role("button", name="Stop now").click()
    clicks += 1
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "You took back your consent"
    )
    assert clicks <= 3
    look(page, "story-53-ada-stopped")


def rosa_is_refused(page: Page, look: Look, release: str) -> str:
    """See the release revoked and a download refused; return the next release."""
    # The page she had open still has its button: what she gets says why.
    page.get_by_role("link", name="Download").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "This release was revoked"
    )
    expect(page.get_by_role("main")).to_contain_text("A donor in it withdrew.")
    look(page, "story-60-rosa-download-refused")

    page.get_by_role("link", name="Inbox").click()
    look(page, "story-61-rosa-inbox")
    page.get_by_role("button", name=f"Release {release} was revoked").click()
    expect(
        page.get_by_role("heading", name="Please delete this release")
    ).to_be_visible()
    expect(page.get_by_role("link", name="Download")).to_have_count(0)
    look(page, "story-62-rosa-revoked")
    page.get_by_role("main").get_by_role(
        "link", name=re.compile(f"^(?!{release})GMR")
    ).click()
    expect(page.get_by_role("link", name="Download").first).to_be_visible(
        timeout=_PATIENCE_MS
    )
    look(page, "story-63-rosa-next-release")
    return accession_in(page.url)


def ada_sees_that_it_ended(page: Page, look: Look) -> None:
    page.get_by_role("link", name="My choices").first.click()
    expect(page.get_by_role("main")).to_contain_text("Nothing may be used")
    look(page, "story-54-ada-home-stopped")
    page.get_by_role("link", name="See who, why and when").click()
    expect(page.get_by_role("main")).to_contain_text("It was stopped on")
    page.get_by_role("navigation", name="Main").get_by_role(
        "link", name="My choices"
    ).click()
    page.get_by_role("link", name="All I have decided").click()
    expect(page.get_by_role("main")).to_contain_text("You took back your consent")
    expect(page.get_by_role("main")).to_contain_text("You gave your consent")
    look(page, "story-55-ada-history")


def permitted_shown(text: str) -> int:
    """Return the number that the verdict shows, rounded as it is."""
    found = re.search(r"about (\d+)", text)
    assert found is not None, text
    return int(found[1])


def accession_in(url: str) -> str:
    found = re.search(r"GMR\w+", url)
    assert found is not None, url
    return found[0]
