"""A map is confirmed, a build signed, a dataset published and reopened."""

from datetime import datetime

import pytest

from gemmule.accounts.models import User
from gemmule.catalog import selectors, services, states
from gemmule.catalog.models import Dataset
from gemmule.catalog.states import Stage
from gemmule.demo import cast
from tests.gemmule.catalog.callsets import NAMES, vcf
from tests.gemmule.web.steward.pages import SignIn, add, url

pytestmark = pytest.mark.django_db


def test_second_steward_confirms_what_she_was_shown(
    mapped: Dataset, signe: User, signed_in: SignIn
) -> None:
    client = signed_in(signe)
    page = url("steward_confirm", mapped)
    shown = client.get(page)
    assert NAMES[2] in shown.content.decode()
    sent = {"map_sha256": shown.context["form"].initial["map_sha256"]}
    assert "has_compared" in client.post(page, sent).context["form"].errors
    assert client.post(page, sent | {"has_compared": "on"}).status_code == 302
    mapped.refresh_from_db()
    assert mapped.map_confirmed_by == signe


def test_first_steward_cannot_confirm(
    mapped: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_confirm", mapped)
    assert "has_compared" not in client.get(page).content.decode()
    sent = {"map_sha256": mapped.map_sha256, "has_compared": "on"}
    assert client.post(page, sent).status_code == 403
    mapped.refresh_from_db()
    assert states.stage(mapped) is Stage.OPEN


def test_replaced_map_is_not_confirmed(
    mapped: Dataset, signe: User, signed_in: SignIn
) -> None:
    sent = {"map_sha256": "0" * 64, "has_compared": "on"}
    answer = signed_in(signe).post(url("steward_confirm", mapped), sent)
    assert "replaced since you looked" in answer.content.decode()
    mapped.refresh_from_db()
    assert states.stage(mapped) is Stage.OPEN


def test_build_is_signed_by_password(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    services.remove_file(user=sven, dataset=dataset, number=1)
    add(dataset, sven, vcf(length=None), now)
    client = signed_in(sven)
    page = url("steward_build", dataset)
    wrong = client.post(page, {"password": "wrong"})
    assert "password" in wrong.context["form"].errors
    assert 'value="wrong"' not in wrong.content.decode()
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is None
    assert client.post(page, {"password": cast.PASSWORD}).status_code == 302
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is selectors.BuildEvidence.STATEMENT


def test_published_dataset_is_in_the_catalogue(
    confirmed: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_publish", confirmed)
    assert client.get(page).status_code == 200
    assert not selectors.published().exists()
    assert client.post(page).status_code == 302
    assert selectors.published().get() == confirmed
    assert client.post(page).status_code == 409


def test_reopened_dataset_can_change(
    confirmed: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_reopen", confirmed)
    assert client.get(page).status_code == 200
    assert client.post(page).status_code == 302
    confirmed.refresh_from_db()
    assert states.stage(confirmed) is Stage.OPEN
