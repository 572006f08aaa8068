"""A researcher starts a project and takes colleagues in."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.access.models import Project
from gemmule.accounts.models import Role, User
from tests import factories
from tests.gemmule.access.conftest import project

__all__ = ["project"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(signed_in: Callable[[User], Client], rosa: User) -> Client:
    return signed_in(rosa)


def page(answer: Any, status: int = 200) -> str:
    """Return the text of a page as it is read, and fail for another status."""
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_project_is_started_and_leads_to_a_request(
    client: Client, rosa: User
) -> None:
    assert str(rosa.institution) in page(client.get(reverse("research_project_new")))
    words = {"title": "Lungs", "lay_summary": "About lungs."}
    answer = client.post(reverse("research_project_new"), words)
    made = Project.objects.get()
    address = reverse("research_project", args=[made.accession])
    assert answer.headers["Location"] == address
    text = page(client.get(address))
    assert "About lungs." in text
    assert f"{reverse('research_request_new')}?project={made.accession}" in text


@pytest.mark.parametrize("missing", ["title", "lay_summary"])
def test_a_project_without_words_is_asked_for_them_and_keeps_the_rest(
    client: Client, missing: str
) -> None:
    words = {"title": "Kept title", "lay_summary": "Kept summary"} | {missing: " "}
    text = page(client.post(reverse("research_project_new"), words), 422)
    assert f'href="#id_{missing}"' in text
    assert "Kept" in text
    assert not Project.objects.exists()


def test_who_has_no_institution_is_told_whom_to_ask(
    signed_in: Callable[[User], Client],
) -> None:
    lone = signed_in(factories.person(Role.RESEARCHER))
    words = {"title": "Kept title", "lay_summary": "About lungs."}
    text = page(lone.post(reverse("research_project_new"), words), 422)
    assert "ask an administrator" in text
    assert "Kept title" in text


def test_the_lead_takes_a_colleague_in(
    client: Client, project: Project, signed_in: Callable[[User], Client]
) -> None:
    colleague = factories.person(Role.RESEARCHER, name="Cora Lin")
    address = reverse("research_project", args=[project.accession])
    assert signed_in(colleague).get(address).status_code == 404
    answer = client.post(address, {"email": colleague.email.upper()})
    assert answer.headers["Location"] == address
    assert "Cora Lin" in page(client.get(address))
    theirs = signed_in(colleague)
    assert "Take into the project" not in page(theirs.get(address))
    page(theirs.post(address, {"email": colleague.email}), 422)
    assert project.memberships.count() == 2


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("nobody@example.org", "nobody here has this"),
        ("ira@example.org", "needs the role Researcher"),
        ("no address", "valid email"),
    ],
)
def test_who_cannot_be_taken_in_is_told_by_the_field(
    client: Client, project: Project, ira: User, email: str, says: str
) -> None:
    address = reverse("research_project", args=[project.accession])
    text = page(client.post(address, {"email": email}), 422)
    assert says.lower() in text.lower()
    assert f'value="{email}"' in text
    assert project.memberships.count() == 1
