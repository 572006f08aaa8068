"""A steward sends a sample map, reads its mismatches and has donors made."""

import io
from datetime import datetime

import pytest

from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from tests.gemmule.catalog.callsets import NAMES
from tests.gemmule.web.steward.pages import SignIn, csv_of, url

pytestmark = pytest.mark.django_db


def test_sent_map_is_kept(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(
        url("steward_map", dataset),
        {"sample_map": io.BytesIO(csv_of(dataset, now))},
    )
    assert answer.status_code == 302
    assert dataset.samples.count() == 3


def test_mismatches_stand_first_and_nothing_is_kept(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    data = f"sample,donor\n{NAMES[0]},\n=cmd|x,\n".encode()
    answer = signed_in(sven).post(
        url("steward_map", dataset), {"sample_map": io.BytesIO(data)}
    )
    page = answer.content.decode()
    assert "sample_map" in answer.context["form"].errors
    assert NAMES[1] in page
    assert "No file of the dataset holds this" in page
    dataset.refresh_from_db()
    assert dataset.map_sha256 == ""


def test_many_mismatches_are_counted(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    rows = "".join(f"X{number},\n" for number in range(300))
    answer = signed_in(sven).post(
        url("steward_map", dataset),
        {"sample_map": io.BytesIO(f"sample,donor\n{rows}".encode())},
    )
    assert len(answer.context["problems"]) == 200
    assert answer.context["more_problems"] == 103


def test_map_before_its_files_is_refused(
    draft: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    assert "Upload the files" in client.get(url("steward_map", draft)).content.decode()
    answer = client.post(
        url("steward_map", draft), {"sample_map": io.BytesIO(b"sample,donor\n")}
    )
    (error,) = answer.context["form"].non_field_errors()
    assert error.startswith("upload a file first")


def test_downloaded_map_is_a_map(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).get(url("steward_map_csv", dataset))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer.content == b"sample,donor\n" + b"".join(
        f"{name},\n".encode() for name in NAMES
    )


def test_donors_are_made_on_request(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_donors", dataset)
    assert client.get(page).status_code == 200
    assert dataset.samples.count() == 0
    assert client.post(page).status_code == 302
    assert dataset.samples.count() == 3
