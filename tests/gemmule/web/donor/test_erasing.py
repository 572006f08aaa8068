"""Erasing everything about me: one page, one password, and out."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Donor
from gemmule.accounts.models import Role, User
from gemmule.accounts.selectors import donor_of
from gemmule.demo.cast import PASSWORD
from gemmule.releases.models import (
    Download,
    Erasure,
    ErasureStage,
    Release,
    ReleaseState,
)
from tests import factories
from tests.gemmule.web.donor import pages

pytestmark = pytest.mark.django_db
PAGE = reverse("donor_erase")


def test_the_page_says_what_goes_and_what_stays(
    client: Client, release: Release, fetched: Download
) -> None:
    said = pages.text(client.get(PAGE))
    assert "The 1 live file that holds your data is locked at once." in said
    assert "1 file with your data was sent out before. We can not call it back." in said
    assert f"We ask {release.request.project.institution.name} to delete" in said
    assert "Your consent ends now." in said
    assert "Your name, your e-mail address and your password are deleted." in said
    assert "Keep a copy of all you have decided" in said


def test_who_has_decided_nothing_is_not_told_of_decisions(
    client: Client, donor: Donor
) -> None:
    said = pages.text(client.get(PAGE))
    assert "You allow nothing now, and that stays so. No live file" in said
    assert "Your consent ends now" not in said
    assert "Keep a copy of all you have decided" not in said
    assert "We ask" not in said


def test_who_never_fetched_a_live_file_is_asked_to_be_sure(
    client: Client, release: Release
) -> None:
    assert "nothing to call back. To be sure, we ask" in pages.text(client.get(PAGE))


def test_it_is_one_click_from_her_choices_and_her_account(
    client: Client, donor: Donor
) -> None:
    for page in (reverse("donor_home"), reverse("profile")):
        assert f'href="{PAGE}"' in client.get(page).content.decode()


def test_who_is_no_donor_is_not_offered_it(
    rosa: User, client: Client, donor: Donor
) -> None:
    client.force_login(rosa)
    assert PAGE not in client.get(reverse("profile")).content.decode()


def test_the_password_ends_it_all_and_signs_her_out(
    client: Client, ada: User, given: Consent, release: Release
) -> None:
    answer = client.post(PAGE, {"password": PASSWORD})
    begun = Erasure.objects.get()
    assert answer.status_code == 302
    assert answer.headers["Location"] == reverse("erased", args=[begun.pk])
    ada.refresh_from_db()
    assert not ada.is_active
    assert client.get(reverse("donor_home")).status_code == 302, "signed out"
    release.refresh_from_db()
    assert release.state == ReleaseState.REVOKED
    said = pages.text(client.get(answer.headers["Location"]))
    assert "We are erasing everything about you" in said
    assert ada.email not in said


def test_another_browser_of_hers_is_signed_out_too(
    client: Client, ada: User, donor: Donor
) -> None:
    other = Client()
    other.force_login(ada)
    client.post(PAGE, {"password": PASSWORD})
    assert other.get(reverse("donor_home")).headers["Location"].startswith("/account/")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"password": "wrong"}, "This is not your password; nothing was changed."),
        ({"password": ""}, "Type your password to go on."),
        ({}, "Type your password to go on."),
    ],
)
def test_without_the_password_nothing_happens(
    client: Client, ada: User, donor: Donor, sent: dict[str, str], said: str
) -> None:
    answer = client.post(PAGE, {"x": "y", **sent})
    assert answer.status_code == 422
    assert said in pages.text(answer)
    assert not Erasure.objects.exists()
    assert donor_of(ada) == donor


def test_guessing_the_password_comes_to_a_halt(client: Client, donor: Donor) -> None:
    for _ in range(5):
        client.post(PAGE, {"password": "wrong"})
    answer = client.post(PAGE, {"password": PASSWORD})
    assert "wait 15 minutes" in pages.text(answer)
    assert not Erasure.objects.exists()


def test_a_colleague_is_told_that_her_account_stays(
    client: Client, ada: User, donor: Donor
) -> None:
    factories.grant(ada, Role.RESEARCHER)
    assert "You work here too, so your account stays" in pages.text(client.get(PAGE))
    client.post(PAGE, {"password": PASSWORD})
    ada.refresh_from_db()
    assert ada.is_active
    client.force_login(ada)
    assert client.get(reverse("donor_home")).status_code == 403


def test_the_page_behind_it_says_when_it_is_done(client: Client, db: None) -> None:
    now = timezone.now()
    done = Erasure.objects.create(stage=ErasureStage.DONE, asked_at=now, done_at=now)
    client.logout()
    answer = client.get(reverse("erased", args=[done.pk]))
    assert "Everything about you is erased" in pages.text(answer)
    assert "was asked to delete it. We can not see" in pages.text(answer)
    assert "no-store" in answer.headers["Cache-Control"]


def test_an_erasure_that_never_was_is_not_found(client: Client) -> None:
    assert client.get(reverse("erased", args=[uuid4()])).status_code == 404
