"""Who may see the donor's pages: a stranger, each other role, another donor."""

import uuid
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

import gemmule.web.urls.donor
from consent.forms import shipped
from consent.models import Consent, Donor, FormVersion
from gemmule.accounts.models import Role, User
from tests import factories
from tests.gemmule.web.donor.pages import EVENT, text

pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]

# Each address, and the methods that it answers.
PAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "donor_home": ("/donor/", ("get",)),
    "donor_consent": ("/donor/consent/", ("get", "post")),
    "donor_consent_check": ("/donor/consent/check/", ("get", "post")),
    "donor_consent_question": (
        "/donor/consent/questions/research/",
        ("get", "post"),
    ),
    "donor_consent_review": ("/donor/consent/review/", ("get", "post")),
    "donor_refuse": ("/donor/refuse/", ("get", "post")),
    "donor_withdraw": ("/donor/withdraw/", ("get", "post")),
    "donor_pause": ("/donor/pause/", ("post",)),
    "donor_resume": ("/donor/resume/", ("post",)),
    "donor_erase": ("/donor/erase/", ("get", "post")),
    "donor_history": ("/donor/history/", ("get",)),
    "donor_uses": ("/donor/uses/", ("get",)),
    "donor_receipt": (f"/donor/receipts/{EVENT}/", ("get",)),
    "donor_record": ("/donor/record.json", ("get",)),
}
CALLS = [(path, method) for path, methods in PAGES.values() for method in methods]


def test_every_address_is_tried_here() -> None:
    assert {one.name for one in gemmule.web.urls.donor.urlpatterns} == set(PAGES)


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_stranger_is_sent_to_sign_in(path: str, method: str) -> None:
    answer = getattr(Client(), method)(path)
    assert answer.headers["Location"].startswith("/account/login/")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DONOR])
def test_every_other_role_is_told_that_it_is_not_theirs(
    role: Role, signed_in: SignedIn
) -> None:
    client = signed_in(factories.person(role))
    for path, method in CALLS:
        answer = getattr(client, method)(path)
        assert answer.status_code == 403, path
        assert "people who gave a sample" in answer.content.decode()


def test_role_without_a_sample_is_not_enough(ada: User, signed_in: SignedIn) -> None:
    ada.donor_account.delete()
    assert signed_in(ada).get("/donor/").status_code == 403


def test_donor_whose_role_was_taken_is_refused(
    ada: User, donor: Donor, signed_in: SignedIn, now: datetime
) -> None:
    ada.role_grants.update(revoked_at=now)
    assert signed_in(ada).get("/donor/").status_code == 403


@pytest.mark.parametrize("path", [path for path, _ in PAGES.values()])
def test_other_methods_are_refused(path: str, client: Client, given: Consent) -> None:
    answered = dict(PAGES.values())[path]
    for method in {"get", "post", "put", "patch", "delete"} - set(answered):
        assert getattr(client, method)(path).status_code == 405, method


@pytest.mark.parametrize(
    "path", ["/donor/", "/donor/history/", "/donor/uses/", f"/donor/receipts/{EVENT}/"]
)
def test_donor_reads_her_pages_and_no_browser_keeps_them(
    path: str, client: Client, given: Consent
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    for sentence in shipped.content()["must_stand"].values():
        assert sentence in text(answer)


def test_receipt_of_another_donor_looks_like_none(
    given: Consent, version: FormVersion, signed_in: SignedIn
) -> None:
    other = signed_in(factories.person(Role.DONOR))
    theirs = other.get(f"/donor/receipts/{EVENT}/")
    nobodys = other.get(f"/donor/receipts/{uuid.uuid4()}/")
    assert theirs.status_code == nobodys.status_code == 404
    assert text(theirs) == text(nobodys)
