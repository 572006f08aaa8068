"""Who reaches the stewards' pages, when and how."""

import io
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse

import gemmule.web.urls.steward
from gemmule.accounts.models import Role, User
from gemmule.catalog.models import DataFile, Dataset
from gemmule.catalog.states import Stage
from tests import factories
from tests.gemmule.web.steward.pages import PAGES, TYPED, SignIn, url

pytestmark = pytest.mark.django_db


def page_stages() -> Iterator[tuple[str, Stage]]:
    for name, (_, _stages) in PAGES.items():
        yield from ((name, stage) for stage in Stage)


def test_every_page_of_the_stewards_is_tried_here() -> None:
    names = {pattern.name for pattern in gemmule.web.urls.steward.urlpatterns}
    assert names == set(PAGES)


@pytest.mark.parametrize(("name", "stage"), [*page_stages()])
def test_page_opens_at_its_stages_alone(
    name: str,
    stage: Stage,
    at_stage: Callable[[Stage], Dataset],
    sven: User,
    signed_in: SignIn,
) -> None:
    answer = signed_in(sven).get(url(name, at_stage(stage)))
    allowed = stage in PAGES[name][1]
    assert answer.status_code == (200 if allowed else 409)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", PAGES)
def test_stranger_is_asked_to_sign_in(
    name: str, method: str, draft: Dataset, client: Client
) -> None:
    answer = getattr(client, method)(url(name, draft))
    if method.upper() not in PAGES[name][0]:
        assert answer.status_code == 405
        return
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("role", [None, *(one for one in Role if one != Role.STEWARD)])
@pytest.mark.parametrize("name", PAGES)
def test_other_roles_are_refused_alike_whether_the_dataset_is_there_or_not(
    name: str, role: Role | None, draft: Dataset, signed_in: SignIn
) -> None:
    client = signed_in(factories.person(*([role] if role else [])))
    before = Dataset.objects.values().get()
    for method in PAGES[name][0]:
        there = getattr(client, method.lower())(url(name, draft))
        assert there.status_code == 403
        draft.accession = "GMD0000000"
        nowhere = getattr(client, method.lower())(url(name, draft))
        assert nowhere.status_code == 403
        draft.refresh_from_db()
    assert Dataset.objects.values().get() == before


@pytest.mark.parametrize(
    "name", [name for name in PAGES if name not in ("steward", "steward_register")]
)
def test_unknown_dataset_is_not_found(name: str, sven: User, signed_in: SignIn) -> None:
    missing = Dataset(accession="GMD0000000")
    assert signed_in(sven).get(url(name, missing)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_other_methods_are_refused(
    name: str, draft: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - PAGES[name][0]:
        answer = getattr(client, method.lower())(url(name, draft))
        assert answer.status_code == 405


@pytest.mark.parametrize(
    "name", [name for name, (methods, _) in PAGES.items() if "POST" in methods]
)
def test_post_without_the_token_of_the_form_changes_nothing(
    name: str, draft: Dataset, sven: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(sven)
    before = (Dataset.objects.count(), DataFile.objects.count())
    sent = {**TYPED, "vcf_files": io.BytesIO(b"x")}
    assert client.post(url(name, draft), sent).status_code == 403
    assert (Dataset.objects.count(), DataFile.objects.count()) == before
