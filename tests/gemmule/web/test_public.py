"""The public pages: cards of datasets and nothing more."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

import consent.services
import gemmule.web.urls.public
import ledger.services
from gemmule.accounts.models import User
from gemmule.catalog import services
from gemmule.catalog.models import Dataset, DatasetState, Sample
from tests.gemmule.catalog.callsets import DESCRIPTION

pytestmark = pytest.mark.django_db

PAGES = ("landing", "how_it_works", "datasets")


def published(sven: User, signe: User, donors: int, now: datetime) -> Dataset:
    """Return a published dataset of so many donors; its files do not matter here."""
    dataset = services.register_dataset(user=sven, description=DESCRIPTION, now=now)
    found = consent.services.register_donors(count=donors, now=now)
    Sample.objects.bulk_create(
        Sample(dataset=dataset, source_name=f"SECRET{number}", donor=donor)
        for number, donor in enumerate(found)
    )
    dataset.map_uploaded_by, dataset.map_confirmed_by = sven, signe
    dataset.map_confirmed_at = dataset.published_at = now
    dataset.state = DatasetState.PUBLISHED
    dataset.event = uuid.uuid4()
    dataset.save()
    with transaction.atomic():
        ledger.services.append(
            type="data.registered",
            pub={"dataset": dataset.accession},
            body={},
            event=dataset.event,
            now=now,
        )
    return dataset


@pytest.mark.parametrize("name", PAGES)
def test_anyone_may_read(name: str, client: Client) -> None:
    assert client.get(reverse(name)).status_code == 200


def test_every_public_page_is_tried_here() -> None:
    names = {pattern.name for pattern in gemmule.web.urls.public.urlpatterns}
    # The page of an erasure is tried with the erasure.
    assert names == {*PAGES, "dataset", "erased"}


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("name", [*PAGES, "dataset"])
def test_pages_are_only_read(name: str, method: str, client: Client) -> None:
    args = ["GMD0000000"] if name == "dataset" else []
    answer = getattr(client, method)(reverse(name, args=args))
    assert answer.status_code == 405


def test_empty_catalogue_says_so(client: Client) -> None:
    assert "no datasets yet" in client.get(reverse("datasets")).content.decode()


def test_draft_is_as_unknown_as_what_never_was(
    client: Client, sven: User, now: datetime
) -> None:
    draft = services.register_dataset(user=sven, description=DESCRIPTION, now=now)
    page = client.get(reverse("dataset", args=[draft.accession]))
    nowhere = client.get(reverse("dataset", args=["GMD0000000"]))
    assert page.status_code == nowhere.status_code == 404
    assert page.content == nowhere.content
    for name in ("datasets", "landing"):
        assert draft.accession not in client.get(reverse(name)).content.decode()


@pytest.mark.parametrize(
    ("donors", "shown"), [(3, "fewer than 20"), (19, "fewer than 20"), (44, "about 40")]
)
def test_number_of_donors_is_rounded(
    donors: int, shown: str, client: Client, sven: User, signe: User, now: datetime
) -> None:
    dataset = published(sven, signe, donors, now)
    for page in (
        reverse("datasets"),
        reverse("landing"),
        reverse("dataset", args=[dataset.accession]),
    ):
        text = client.get(page).content.decode()
        assert shown in text
        assert f"{donors} donors" not in text


def test_card_says_nothing_of_samples_or_stewards(
    client: Client, sven: User, signe: User, now: datetime
) -> None:
    dataset = published(sven, signe, 25, now)
    text = client.get(reverse("dataset", args=[dataset.accession])).content.decode()
    assert dataset.title in text
    assert "GRCh37" in text
    assert "SECRET" not in text
    assert sven.name not in text
    assert signe.name not in text


def test_dataset_carries_the_seal_of_its_registration(
    client: Client, sven: User, signe: User, now: datetime
) -> None:
    dataset = published(sven, signe, 25, now)
    page = reverse("dataset", args=[dataset.accession])
    assert 'class="seal' in client.get(page).content.decode()
    ledger.services.settle(now=now + timedelta(seconds=1))
    assert 'class="seal' in client.get(page).content.decode()


def test_landing_tells_where_the_ledger_stands(
    client: Client, sven: User, signe: User, now: datetime
) -> None:
    published(sven, signe, 25, now)
    ledger.services.settle(now=now)
    checkpoint = client.get(reverse("landing")).context["checkpoint"]
    assert checkpoint is not None
    assert f"{checkpoint.size}" in client.get(reverse("landing")).content.decode()


@pytest.mark.parametrize("who", ["ada", "ira", "sven", "sam"])
def test_doors_of_the_landing_page_open_to_whoever_is_signed_in(
    who: str,
    request: pytest.FixtureRequest,
    signed_in: Callable[[User], Client],
) -> None:
    client = signed_in(request.getfixturevalue(who))
    page = client.get(reverse("landing")).content.decode()
    doors = re.findall(r'class="door" href="([^"]+)"', page)
    assert len(doors) == 3
    for door in doors:
        assert client.get(door, follow=True).status_code == 200
