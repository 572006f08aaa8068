"""A steward uploads files, reads what their checks found, and removes them."""

import io
from datetime import datetime

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from tests.gemmule.catalog.callsets import vcf
from tests.gemmule.web.steward.pages import SignIn, add, url

pytestmark = pytest.mark.django_db


def test_uploaded_files_are_taken_in(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    first, second = io.BytesIO(b"one"), io.BytesIO(b"two")
    first.name, second.name = "chr1.vcf", "<b>chr2</b>.vcf"
    answer = client.post(
        url("steward_files", dataset), {"vcf_files": [first, second]}, follow=True
    )
    page = answer.content.decode()
    assert "chr1.vcf" in page
    assert "&lt;b&gt;chr2" not in page  # A path's last part is kept alone.
    assert "<b>chr2" not in page
    assert dataset.files.count() == 3
    # While a check is to come, the list asks for itself anew.
    assert "hx-trigger" in page


def test_settled_list_asks_for_nothing(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    page = signed_in(sven).get(url("steward_files", dataset)).content.decode()
    assert "hx-trigger" not in page
    assert "Accepted" in page


def test_refused_upload_says_why_and_keeps_the_rest(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    again, new = io.BytesIO(vcf()), io.BytesIO(b"new")
    again.name, new.name = "again.vcf", "new.vcf"
    answer = signed_in(sven).post(
        url("steward_files", dataset), {"vcf_files": [again, new]}
    )
    (error,) = answer.context["form"].errors["vcf_files"]
    assert error.startswith("again.vcf: this is file 1")
    assert dataset.files.count() == 2


@pytest.mark.parametrize("sent", [{}, {"vcf_files": ""}, {"other": "x"}])
def test_upload_without_a_file_is_refused(
    sent: dict[str, str], dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(url("steward_files", dataset), sent)
    assert "vcf_files" in answer.context["form"].errors


def test_too_long_upload_is_refused_before_it_is_read(
    dataset: Dataset, sven: User, signed_in: SignIn, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 50
    settings.FILE_UPLOAD_HANDLERS = ["tests.no.such.handler"]  # Reading would fail.
    answer = signed_in(sven).post(
        url("steward_files", dataset), {"vcf_files": io.BytesIO(b"x" * 100)}
    )
    assert answer.status_code == 400
    assert "longer than 50 bytes" in answer.content.decode()


def test_upload_to_a_locked_dataset_is_refused(
    confirmed: Dataset, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(
        url("steward_files", confirmed), {"vcf_files": io.BytesIO(b"x")}
    )
    assert answer.status_code == 409
    assert confirmed.files.count() == 1


def test_report_of_an_accepted_file_shows_what_was_found(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    page = signed_in(sven).get(url("steward_file", dataset)).content.decode()
    assert "Accepted" in page
    assert dataset.files.get().sha256_source in page
    assert "0/1" not in page


def test_report_of_a_refused_file_names_line_and_column(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    file = add(dataset, sven, vcf().replace(b"\t0/0\n", b"\n"), now)
    assert file.refusal is not None
    answer = signed_in(sven).get(
        reverse("steward_file", args=[dataset.accession, file.number])
    )
    page = " ".join(answer.content.decode().split())
    assert "Refused" in page
    assert f"Line {file.refusal['line']}" in page
    assert f"column {file.refusal['column']}" in page


def test_report_of_a_refused_file_lists_all_its_faults(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    broken = vcf().replace(b"\t0/0\n", b"\n").replace(b"\tGT\t", b"\tGT:GT\t", 1)
    file = add(dataset, sven, broken, now)
    assert file.refusal is not None
    faults = file.refusal["faults"]
    assert len(faults) > 1
    assert faults[0]["line"] == file.refusal["line"]
    answer = signed_in(sven).get(
        reverse("steward_file", args=[dataset.accession, file.number])
    )
    page = " ".join(answer.content.decode().split())
    assert f"All {len(faults)} faults" in page
    assert all(f"Line {fault['line']}, column {fault['column']}" in page
               for fault in faults)  # fmt: skip


def test_unknown_file_is_not_found(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    page = reverse("steward_file", args=[dataset.accession, 9])
    assert signed_in(sven).get(page).status_code == 404


def test_removed_file_is_gone(dataset: Dataset, sven: User, signed_in: SignIn) -> None:
    client = signed_in(sven)
    page = url("steward_file_remove", dataset)
    assert client.get(page).status_code == 200
    assert dataset.files.count() == 1
    assert client.post(page).status_code == 302
    assert dataset.files.count() == 0
    assert client.post(page).status_code == 404
