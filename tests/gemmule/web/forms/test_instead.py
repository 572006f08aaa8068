"""Offers of a field's errors, taken by their buttons in a researcher's request."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.access.models import AccessRequest
from tests.gemmule.access.conftest import dataset, draft, project
from tests.gemmule.api.conftest import now
from tests.gemmule.web.test_researcher_requests import PURPOSE, client, page

__all__ = ["client", "dataset", "draft", "now", "project"]
pytestmark = pytest.mark.django_db


def test_a_name_of_genes_is_taken_by_the_button_of_the_one_that_was_meant(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    sent = {**PURPOSE, "regions": "sept2, FAM110C\nHER2 MYC BRAC2"}
    text = page(client.post(address, sent), 422)
    buttons = re.findall(r'name="put_instead" value="([^"]+)"', text)
    assert "Line 2, column 3: no gene BRAC2 in GRCh37; did you mean BRCA2" in text
    assert "BRAC2=BRCA2" in buttons
    assert buttons[:3] == ["sept2=SEPTIN2", "sept2=SEPTIN6", "HER2=ERBB2"]
    # Enter in a line of text presses the first button, which must not be an offer.
    first = re.search(r"<main.*?<button([^>]*)>", text, re.DOTALL)
    assert first is not None
    assert "instead" not in first[1]
    draft.refresh_from_db()
    assert "sept2" not in draft.regions_text

    text = page(client.post(address, {**sent, "put_instead": "sept2=SEPTIN6"}), 422)
    assert "SEPTIN6, FAM110C HER2 MYC BRAC2</textarea>" in text
    assert 'value="HER2=ERBB2"' in text


def test_an_offer_that_is_taken_is_saved_and_shown_in_the_form(
    client: Client, draft: AccessRequest
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    sent = {**PURPOSE, "regions": "FAM110C her2", "put_instead": "her2=ERBB2"}
    answer = client.post(address, sent)
    assert answer.headers["Location"] == f"{address}#id_regions"
    text = page(client.get(address))
    assert "ERBB2 now stands in place of her2." in text
    draft.refresh_from_db()
    assert draft.regions_text == "FAM110C ERBB2"
    assert [region[0] for region in draft.regions or []] == ["2", "17"]


@pytest.mark.parametrize("button", ["", "=", "HER2=", "=ERBB2", "HER2", "MLL=KMT2A"])
def test_an_offer_for_nothing_that_was_typed_changes_nothing(
    client: Client, draft: AccessRequest, button: str
) -> None:
    address = reverse("research_request_edit", args=[draft.accession])
    sent = {**PURPOSE, "regions": "100%s HER2", "put_instead": button}
    text = page(client.post(address, sent), 422)
    assert "> 100%s HER2</textarea>" in text
