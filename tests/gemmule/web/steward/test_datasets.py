"""The list of datasets, what is said of one, and its task list."""

import io
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.accounts.models import User
from gemmule.catalog import services
from gemmule.catalog.models import DataFileState, Dataset
from tests.gemmule.catalog.callsets import DESCRIPTION, vcf
from tests.gemmule.web.steward.pages import TYPED, SignIn, add, csv_of, url

pytestmark = pytest.mark.django_db


def test_empty_list_says_what_to_do_next(sven: User, signed_in: SignIn) -> None:
    page = signed_in(sven).get(reverse("steward")).content.decode()
    assert reverse("steward_register") in page
    assert "No datasets yet" in page


def test_list_shows_every_dataset(
    dataset: Dataset, signe: User, signed_in: SignIn
) -> None:
    page = signed_in(signe).get(reverse("steward")).content.decode()
    assert dataset.title in page
    assert reverse("steward_dataset", args=[dataset.accession]) in page


def test_registered_dataset_opens_as_a_task_list(sven: User, signed_in: SignIn) -> None:
    answer = signed_in(sven).post(reverse("steward_register"), TYPED, follow=True)
    dataset = Dataset.objects.get()
    assert answer.redirect_chain == [
        (reverse("steward_dataset", args=[dataset.accession]), 302)
    ]
    assert dataset.barred_countries == ["SE", "US"]
    assert dataset.steward == sven
    page = answer.content.decode()
    assert "Upload the files" in page
    assert "Cannot start yet" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("summary", "short"),
        ("build", "hg19"),
        ("barred_countries", "x1"),
    ],
)
def test_wrong_description_keeps_what_was_typed(
    field: str, value: str, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(reverse("steward_register"), TYPED | {field: value})
    assert field in answer.context["form"].errors
    kept = "summary" if field != "summary" else "title"
    assert TYPED[kept] in answer.content.decode()
    assert not Dataset.objects.exists()


def test_description_is_changed(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_describe", dataset)
    assert DESCRIPTION.title in client.get(page).content.decode()
    assert client.post(page, TYPED).status_code == 302
    dataset.refresh_from_db()
    assert dataset.title == TYPED["title"]
    answer = client.post(page, TYPED | {"build": "GRCh38"})
    assert "build" in answer.context["form"].errors


def test_task_list_follows_the_dataset(
    dataset: Dataset, sven: User, signe: User, now: datetime, signed_in: SignIn
) -> None:
    first, second = signed_in(sven), signed_in(signe)

    def statuses(client: Client) -> list[str]:
        page = client.get(url("steward_dataset", dataset))
        return [task.status for task in page.context["tasks"]]

    later = "Cannot start yet"
    assert statuses(first) == ["Done", "Done", "Done", "To do", later, later]
    data = csv_of(dataset, now)
    services.upload_sample_map(user=sven, dataset=dataset, data=data, now=now)
    waits = "Waits for another steward"
    assert statuses(first) == ["Done"] * 4 + [waits, later]
    assert statuses(second) == ["Done"] * 4 + ["Yours to do", later]
    dataset.refresh_from_db()
    services.confirm_sample_map(
        user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
    )
    assert statuses(first) == ["Done"] * 5 + ["To do"]
    services.publish_dataset(user=sven, dataset=dataset, now=now)
    assert statuses(first) == ["Done"] * 6


def test_task_list_tells_of_refused_and_running_checks(
    draft: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    client = signed_in(sven)

    def files() -> tuple[str, str]:
        task = client.get(url("steward_dataset", draft)).context["tasks"][1]
        return task.status, task.hint

    assert files() == ("To do", "")
    bad = add(draft, sven, b"no VCF", now)
    assert bad.state == DataFileState.REFUSED
    assert files() == ("Needs attention", "1 refused")
    services.upload_file(
        user=sven,
        dataset=draft,
        stream=io.BytesIO(vcf()),
        original_name="x",
        now=now,
    )
    assert files() == ("Being checked", "1 being checked, 1 refused")
