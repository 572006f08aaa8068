"""A researcher's way from a draft to a request that is with the IRB."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from gemmule.access import reviews, services
from gemmule.access.models import AccessRequest, Project, RequestState
from gemmule.accounts.models import Role, User
from gemmule.catalog.models import Dataset, DatasetState
from gemmule.demo.cast import PASSWORD
from tests import cohorts, factories
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.api.conftest import now

__all__ = ["dataset", "draft", "now", "project", "submitted"]
pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
PURPOSE: dict[str, Any] = {
    "research_types": ["biomedical"],
    "diseases": "breast cancer\nMONDO:0005148",
    "organisation": "non-profit",
    "commercial": "no",
    "countries": "Sweden, de",
    "ethics_approval": "unverified",
    "collaboration_letter": "on",
    "agrees_to": ["PUB"],
    "sensitive": ["children"],
    "regions": "FAM110C",
    "justification": "We need many hearts.",
}


@pytest.fixture
def client(signed_in: Callable[[User], Client], rosa: User) -> Client:
    return signed_in(rosa)


def page(answer: Any, status: int = 200) -> str:
    """Return the text of a page as it is read, and fail for another status."""
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


# --- drafting -----------------------------------------------------------------


def test_a_request_starts_with_what_was_chosen_before(
    client: Client, project: Project, dataset: Dataset
) -> None:
    address = reverse("research_request_new")
    asked = {"project": project.accession, "dataset": dataset.accession}
    text = page(client.get(address, asked))
    assert re.search(rf'value="{dataset.pk}"[^>]*selected', text)
    answer = client.post(address, {"project": project.pk, "dataset": dataset.pk})
    made = AccessRequest.objects.get()
    assert answer.headers["Location"] == reverse(
        "research_request_edit", args=[made.accession]
    )


def test_without_a_project_or_a_dataset_the_way_on_is_told(
    client: Client, rosa: User, now: datetime
) -> None:
    assert "First, a project" in page(client.get(reverse("research_request_new")))
    services.create_project(user=rosa, title="Hearts", lay_summary="x", now=now)
    assert "No dataset is published" in page(
        client.get(reverse("research_request_new"))
    )


def test_only_own_projects_and_published_datasets_are_offered(
    client: Client, project: Project, dataset: Dataset, rosa: User, now: datetime
) -> None:
    rival = factories.person(Role.RESEARCHER)
    rival.institution = rosa.institution
    other = services.create_project(
        user=rival, title="Not mine", lay_summary="x", now=now
    )
    address = reverse("research_request_new")
    assert "Not mine" not in page(client.get(address))
    page(client.post(address, {"project": other.pk, "dataset": dataset.pk}), 422)
    Dataset.objects.update(state=DatasetState.DRAFT)
    client.post(address, {"project": project.pk, "dataset": dataset.pk})
    assert not AccessRequest.objects.exists()


def test_a_purpose_is_kept_as_consent_reads_it(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    answer = client.post(address, PURPOSE)
    assert answer.headers["Location"] == reverse(
        "research_request_check", args=[draft.accession]
    )
    draft.refresh_from_db()
    assert draft.purpose == {
        "research_types": ["biomedical"],
        "diseases": ["MONDO:0005148", "MONDO:0007254"],
        "organisation": "non-profit",
        "commercial": False,
        "countries": ["DE", "SE"],
        "ethics_approval": "unverified",
        "collaboration_letter": True,
        "agrees_to": ["PUB"],
        "sensitive": ["children"],
    }
    assert draft.regions == [["2", 38813, 46505]]
    # What was typed comes back in words.
    text = page(client.get(address))
    assert "breast cancer" in text
    assert "Germany, Sweden" in text
    assert "FAM110C" in text


def test_what_the_form_does_not_ask_stays_as_the_api_set_it(
    client: Client, draft: AccessRequest
) -> None:
    unasked = {"prohibited": ["insurance"], "uses_genetic_data": False}
    AccessRequest.objects.update(purpose={**draft.purpose, **unasked})
    client.post(reverse("research_request_edit", args=[draft.accession]), PURPOSE)
    draft.refresh_from_db()
    assert {name: draft.purpose[name] for name in unasked} == unasked


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"diseases": "brest cancer"}, "is not a known disease"),
        ({"diseases": "MONDO:9999999"}, "is not a known disease"),
        ({"countries": "Narnia"}, "is not a country"),
        ({"regions": "BRCA11"}, "BRCA1"),
        ({"regions": "2\t5\tx"}, "Line 1"),
        ({"research_types": ["fun"]}, "not one of the available choices"),
        ({"agrees_to": ["fun"]}, "not one of the available choices"),
        ({"justification": "x" * 10_001}, "at most 10000"),
    ],
)
def test_a_purpose_that_is_wrong_is_told_by_the_field_and_what_was_typed_stays(
    client: Client, draft: AccessRequest, change: dict[str, Any], says: str
) -> None:
    before = draft.purpose
    address = reverse("research_request_edit", args=[draft.accession])
    text = page(client.post(address, {**PURPOSE, **change}), 422)
    (field,) = change
    assert says in text
    assert re.search(rf'href="#id_{field}(_0)?"', text)
    if isinstance(change[field], str):
        assert change[field].split()[0] in text
    if field != "justification":
        assert "We need many hearts." in text
    draft.refresh_from_db()
    assert draft.purpose == before


def test_a_disease_misspelt_is_answered_with_what_is_alike(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    text = page(client.post(address, {**PURPOSE, "diseases": "breast cance"}), 422)
    assert re.search(r"Did you mean [^?]*breast", text)


# --- the verdict ----------------------------------------------------------------


def test_the_verdict_follows_the_typing_and_nothing_else_is_sent(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    assert f'hx-post="{address}"' in page(client.get(address))
    text = page(client.post(address, {"research_types": "biomedical"}, headers=HTMX))
    assert text.startswith('<div id="verdict"')
    assert "of 60 donors allow this" in text
    assert "about 40" in text
    text = page(client.post(address, {"regions": ""}, headers=HTMX))
    assert "Say what kind of research it is" in text
    draft.refresh_from_db()
    assert draft.purpose == {}


def test_a_verdict_is_not_changed_by_what_cannot_be_read(
    client: Client, draft: AccessRequest
) -> None:
    before = draft.purpose
    address = reverse("research_request_edit", args=[draft.accession])
    text = page(client.post(address, {"diseases": "nonsense"}, headers=HTMX))
    assert "about 40" in text
    draft.refresh_from_db()
    assert draft.purpose == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"diseases": "breast <cancr>"}, "“breast &lt;cancr&gt;” is not a known"),
        ({"countries": "Narnia"}, "“Narnia” is not a country"),
        ({"regions": "BRCA11"}, "did you mean BRCA1"),
        ({"regions": "HER2"}, "HER2 is an alias of ERBB2"),
        ({"research_types": ["fun"]}, "not one of the available choices"),
    ],
)
def test_a_mistake_is_told_in_the_live_verdict_by_its_field(
    client: Client, draft: AccessRequest, change: dict[str, Any], says: str
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    text = page(client.post(address, {**PURPOSE, **change}, headers=HTMX))
    (field,) = change
    assert text.startswith('<div id="verdict"')
    assert "Not counted yet" in text
    assert re.search(rf'<a href="#id_{field}(_0)?">[^<]+ \u2013 [^<]*{says}', text)
    assert "The number below is that of your last answers" in text
    # Put right, it is gone.
    text = page(client.post(address, PURPOSE, headers=HTMX))
    assert "Not counted yet" not in text


def test_a_saved_form_tells_a_mistake_in_its_summary_alone(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    text = page(client.post(address, {**PURPOSE, "diseases": "nonsense"}), 422)
    assert "There is a problem" in text
    assert "Not counted yet" not in text


def test_the_live_verdict_stands_in_a_region_that_is_read_out_and_stays(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    text = page(client.get(address))
    assert re.search(r'<aside[^>]* aria-live="polite"[^>]*>\s*<div id="verdict"', text)
    live = page(client.post(address, PURPOSE, headers=HTMX))
    assert "aria-live" not in live, "a region that is swapped is not read out"


@pytest.mark.parametrize(
    "name", ["research_request_edit", "research_request_check", "research_request"]
)
def test_no_exact_number_reaches_a_researcher(
    client: Client, draft: AccessRequest, now: datetime, name: str
) -> None:
    # 40 permit, 15 ask for a review, 5 deny; 43 would round to 40 as well.
    more = cohorts.donors([cohorts.GENERAL] * 3, now)
    for number, donor in enumerate(more):
        draft.dataset.samples.create(source_name=f"X{number}", donor=donor)
    text = page(client.get(reverse(name, args=[draft.accession])))
    shown = text.partition('id="verdict"')[2]
    assert "of 60 donors" in shown
    assert "about 40" in shown
    assert "&lt; 20 donors" in shown
    assert not re.search(r"\b(63|43|15|5)\b donors|about (63|43|15|5)\b", text)


def test_what_would_reach_more_donors_is_shown_only_if_they_are_many(
    client: Client, draft: AccessRequest, now: datetime
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    assert "the IRB had seen" not in page(client.get(address))
    more = cohorts.donors([cohorts.NEEDS_ETHICS] * 8, now)
    for number, donor in enumerate(more):
        draft.dataset.samples.create(source_name=f"X{number}", donor=donor)
    assert "the IRB had seen an ethics approval (about 20 more)" in page(
        client.get(address)
    )


# --- sending ------------------------------------------------------------------------


def test_the_answers_are_checked_and_sent(client: Client, draft: AccessRequest) -> None:
    address = reverse("research_request_check", args=[draft.accession])
    assert "We need many hearts." in page(client.get(address))
    answer = client.post(address)
    detail = reverse("research_request", args=[draft.accession])
    assert answer.headers["Location"] == detail
    text = page(client.get(detail))
    assert "Sent to the review board" in text
    assert "an answer is due by" in text
    assert 'class="seal' in text


@pytest.mark.parametrize(
    ("purpose", "field"),
    [({}, "research_types"), ({"research_types": ["general"]}, "countries")],
)
def test_an_incomplete_request_leads_back_to_the_field(
    client: Client, draft: AccessRequest, purpose: dict[str, Any], field: str
) -> None:
    AccessRequest.objects.update(purpose=purpose)
    address = reverse("research_request_check", args=[draft.accession])
    text = page(client.post(address), 422)
    edit = reverse("research_request_edit", args=[draft.accession])
    assert f'href="{edit}#id_{field}"' in text
    assert f'id="id_{field}' in page(client.get(edit))
    draft.refresh_from_db()
    assert draft.state == RequestState.DRAFT


def test_a_request_sent_back_shows_why_and_is_answered(
    client: Client, ira: User, submitted: AccessRequest, now: datetime
) -> None:
    reviews.send_back(
        reviewer=ira,
        request=submitted,
        reason="Which <hearts>?",
        password=PASSWORD,
        now=now,
    )
    text = page(client.get(reverse("research_request", args=[submitted.accession])))
    assert "Which &lt;hearts&gt;?" in text
    assert "Answer and send again" in text
    assert ira.name not in text
    client.post(reverse("research_request_check", args=[submitted.accession]))
    submitted.refresh_from_db()
    assert submitted.state == RequestState.SUBMITTED


def test_a_request_is_taken_back(client: Client, submitted: AccessRequest) -> None:
    detail = reverse("research_request", args=[submitted.accession])
    close = reverse("research_request_close", args=[submitted.accession])
    assert close in page(client.get(detail))
    assert client.post(close).headers["Location"] == detail
    text = page(client.get(detail))
    assert "The request is closed." in text
    assert close not in text
    assert client.post(close).status_code == 409


# --- lists --------------------------------------------------------------------------


def test_the_start_page_shows_what_there_is(
    client: Client, draft: AccessRequest
) -> None:
    text = page(client.get(reverse("research_home")))
    assert draft.accession in text
    assert draft.project.accession in text
    assert "You have no key yet" in text


def test_the_start_page_takes_the_same_queries_however_much_there_is(
    client: Client,
    rosa: User,
    project: Project,
    dataset: Dataset,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (1, 4):
        for _ in range(count):
            services.create_project(user=rosa, title="x", lay_summary="x", now=now)
            services.draft_request(user=rosa, project=project, dataset=dataset, now=now)
        # Requests, releases, projects, key; session, person, role; and the frame's
        # roles, unread notices and checkpoint.
        with django_assert_num_queries(10):
            client.get(reverse("research_home"))


@pytest.mark.parametrize("path", ["/research/projects/%00/", "/datasets/%00/"])
def test_an_address_with_a_nul_is_nothing(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_choice_with_a_nul_chooses_nothing(
    client: Client, project: Project, dataset: Dataset
) -> None:
    text = page(client.get(f"{reverse('research_request_new')}?project=%00"))
    assert project.title in text
