"""The regions of a request: read as people write them, shown where they lie."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.catalog.models import DataFile
from tests.gemmule.access.conftest import dataset, draft, project
from tests.gemmule.api.conftest import now
from tests.gemmule.web.test_researcher_requests import PURPOSE, client, page

__all__ = ["client", "dataset", "draft", "now", "project"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "typed", ["fam110C", "2:38,814-46505", "chr2 38813 46505", "CHR2:38814-46505"]
)
def test_regions_are_read_as_people_write_them(
    client: Client, draft: AccessRequest, typed: str
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    client.post(address, {**PURPOSE, "regions": typed})
    draft.refresh_from_db()
    assert draft.regions == [["2", 38813, 46505]]


def test_where_the_regions_lie_is_shown_before_they_are_asked_for(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    check = reverse("research_request_check", args=[draft.accession])
    # COX1 is a gene of the mitochondrion, and what many call PTGS1.
    client.post(address, {**PURPOSE, "regions": "FAM110C COX1"})
    text = page(client.get(check))
    for place in ("2:38,814-46,505", "MT:5,904-7,445"):
        assert f'<li class="mono soft">{place}</li>' in text
        client.post(address, {**PURPOSE, "regions": place})
        assert f'<li class="mono soft">{place}</li>' in page(client.get(check))
    many = "\n".join(f"2\t{start}\t{start + 9}" for start in range(0, 60_000, 20))
    client.post(address, {**PURPOSE, "regions": many})
    text = page(client.get(check))
    assert "Where they lie in GRCh37" in text
    assert "2:1-9" in text
    assert "The first 200 of 3000." in text
    assert text.count('<li class="mono">') == 200


def test_regions_in_which_the_dataset_holds_nothing_are_named_in_the_form(
    client: Client,
    draft: AccessRequest,
    signed_in: Callable[[User], Client],
    ira: User,
) -> None:
    dataset = draft.dataset
    DataFile.objects.create(
        dataset=dataset,
        number=1,
        state="accepted",
        sha256_store="1" * 64,
        size_bytes=1,
        records=4321,
        megabases=[["2", 0, 4321]],
        uploaded_by=dataset.steward,
        uploaded_at=dataset.created_at,
    )
    edit = reverse("research_request_edit", args=[draft.accession])
    check = reverse("research_request_check", args=[draft.accession])
    typed = {**PURPOSE, "regions": "2:38814-46505\n17:6-9"}
    # As it is typed, htmx asks for the panel alone.
    text = page(client.post(edit, typed, headers={"HX-Request": "true"}))
    assert "Some regions lie outside the dataset" in text
    assert '<li class="mono">17:6-9</li>' in text
    client.post(edit, {**PURPOSE, "regions": "17:6-9"})
    text = page(client.get(check))
    assert "A release would hold nothing" in text
    assert "4,321" not in text
    client.post(check)
    irb = page(signed_in(ira).get(reverse("irb_request", args=[draft.accession])))
    assert "A release would hold nothing" in irb
    assert "The dataset holds 0 records in the megabases that these regions" in irb
