"""The page of figures: plots that say their numbers, each beside its table."""

import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import dateformat
from pytest_django import DjangoAssertNumQueries

import consent.services
from gemmule.access import reviews
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.demo.cast import PASSWORD
from tests import cohorts
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.api.conftest import now

__all__ = ["dataset", "draft", "now", "project", "submitted"]
pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
FIGURES = "audit_figures"


@pytest.fixture
def client(signed_in: SignedIn, aud: User) -> Client:
    return signed_in(aud)


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def plots(text: str) -> list[ET.Element]:
    return [
        ET.fromstring(found)
        for found in re.findall(r'<svg[^>]*class="plot".*?</svg>', text)
    ]


def row(text: str, table: str, head: str) -> list[str]:
    """Return the cells of a table's row, found by what stands at its head."""
    _, _, rest = text.partition(f">{table}</caption>")
    (cells,) = re.findall(
        rf'<tr><th scope="row"[^>]*>{head}</th>(.*?)</tr>',
        rest.partition("</table>")[0],
    )
    return re.findall(r"<td[^>]*>([^<]*)</td>", cells)


def test_a_year_without_anything_renders(client: Client) -> None:
    text = page(client.get(reverse(FIGURES)))
    assert len(plots(text)) == 3
    assert row(text, "Days to a decision", "All") == ["0", "0 late"]


def test_what_happened_stands_in_plot_and_table(
    client: Client, ira: User, submitted: AccessRequest, now: datetime
) -> None:
    reviews.send_back(
        reviewer=ira, request=submitted, reason="Why?", password=PASSWORD, now=now
    )
    for donor in cohorts.donors([cohorts.GENERAL] * 2, now):
        consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=now)
    text = page(client.get(reverse(FIGURES)))
    this_month = dateformat.format(now, "M Y")
    assert row(text, "Decisions by month", this_month) == ["0", "1", "0"]
    assert row(text, "Withdrawals by month", this_month) == ["2", "0"]
    decisions, _, withdrawals = plots(text)
    for plot, says in (
        (decisions, "0 approved, 1 sent back, 0 denied"),
        (withdrawals, "2 in the last twelve months"),
    ):
        described = plot.find("{http://www.w3.org/2000/svg}desc")
        described = plot.find("desc") if described is None else described
        assert described is not None
        assert says in (described.text or "")


def test_the_way_there_is_from_queue_and_releases(
    signed_in: SignedIn, ira: User
) -> None:
    client = signed_in(ira)
    for name in ("irb_queue", "audit_releases"):
        assert f'href="{reverse(FIGURES)}"' in page(client.get(reverse(name)))
    page(client.get(reverse(FIGURES)))


def test_the_page_takes_the_same_queries_however_much_there_is(
    client: Client,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(2):
        (donor,) = cohorts.donors([cohorts.GENERAL], now)
        consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=now)
        # Four for the figures; role; session, person; and the frame's roles, unread
        # notices and checkpoint.
        with django_assert_num_queries(10):
            client.get(reverse(FIGURES))
