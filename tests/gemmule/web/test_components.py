"""The parts of the kit: each is shown, named in the docs, and wired for everyone."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.test import Client, override_settings

from gemmule.accounts.models import User
from tests.gemmule.web import kit

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]
PARTS = ROOT / "platform" / "gemmule" / "web" / "templates" / "cotton"
GUIDE = ROOT / "docs" / "ui-kit.md"


class Reader(HTMLParser):
    """Every element of a page, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str, **having: str) -> list[dict[str, str]]:
        """Return the attributes of the elements that have these."""
        return [
            attrs
            for name, attrs in self.elements
            if name == tag and having.items() <= attrs.items()
        ]


@pytest.fixture
def text(client: Client, rosa: User) -> str:
    """Return the page that shows every part, as Rosa sees it."""
    client.force_login(rosa)
    with override_settings(ROOT_URLCONF=kit.__name__):
        answer = client.get("/kit/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def page(text: str) -> Reader:
    """Return that page, read."""
    return Reader(text)


def part_names() -> set[str]:
    """Return the parts as templates call them: `summary.row`, `seal-line`."""
    names = set()
    for file in PARTS.rglob("*.html"):
        steps = file.relative_to(PARTS).with_suffix("").parts
        names.add(".".join(step for step in steps if step != "index").replace("_", "-"))
    return names


def test_every_part_is_on_the_page_and_in_the_guide() -> None:
    shown = set(re.findall(r"<c-([a-z.-]+)", kit.PAGE.read_text()))
    inside = {
        name
        for file in PARTS.rglob("*.html")
        for name in re.findall(r"<c-([a-z.-]+)", file.read_text())
    }
    assert part_names() <= shown | inside - {"vars", "slot"}
    told = set(re.findall(r"<c-([a-z.-]+)", GUIDE.read_text()))
    assert part_names() == told - {"slot"}


def test_no_tag_of_a_part_is_left_over(text: str) -> None:
    assert "<c-" not in text
    assert "{{" not in text
    assert "{%" not in text


def test_ids_are_unique(page: Reader) -> None:
    ids = [attrs["id"] for _tag, attrs in page.elements if "id" in attrs]
    # The form that is right and the form that is wrong have their own prefixes.
    assert sorted(ids) == sorted(set(ids))


def test_whatever_is_pointed_at_is_there(page: Reader) -> None:
    ids = {attrs["id"] for _tag, attrs in page.elements if "id" in attrs}
    for tag, attrs in page.elements:
        pointed = (
            f"{attrs.get('aria-describedby', '')} {attrs.get('aria-labelledby', '')}"
        )
        assert set(pointed.split()) <= ids, (tag, attrs)
        if tag == "label":
            assert attrs["for"] in ids
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in ids, attrs


def test_every_control_has_a_label(page: Reader) -> None:
    labelled = {attrs["for"] for attrs in page.all("label")}
    for tag in ("input", "select", "textarea"):
        for attrs in page.all(tag):
            if attrs.get("type") != "hidden":
                assert attrs["id"] in labelled


def test_nothing_is_ticked_for_anyone(page: Reader) -> None:
    choices = page.all("input", type="radio") + page.all("input", type="checkbox")
    assert len(choices) == 14
    assert not any("checked" in attrs for attrs in choices)


def test_a_wrong_field_is_told_beside_it_and_above(text: str, page: Reader) -> None:
    (field,) = page.all("input", id="id_title")
    assert field["aria-invalid"] == "true"
    assert field["aria-describedby"] == "id_title_helptext id_title_error"
    assert re.search(r'<a href="#id_title">Title . This field is required.</a>', text)
    # A group of choices has no control of its own name: the link leads to its first.
    assert 'href="#id_purpose_0"' in text


def test_what_was_typed_is_kept(page: Reader) -> None:
    (field,) = page.all("input", id="id_regions")
    assert field["value"] == "BRCA1"


def test_a_hint_of_the_template_describes_its_control(page: Reader) -> None:
    (build,) = page.all("select", id="id_new-build")
    assert build["aria-describedby"] == "id_new-build_helptext"


def test_the_signature_names_who_signs(text: str, rosa: User) -> None:
    assert f'<p class="signer"><b>{rosa}</b>' in text


@pytest.mark.parametrize(
    "said",
    [
        "<b>Entry 41,233</b>",
        "own notary; no outside witness yet",
        "Waits for the notary",
        "It waits for its place on the ledger",
        'datetime="2026-11-22T14:15:11+00:00"',
    ],
)
def test_the_seal_says_where_its_entry_stands(said: str, text: str) -> None:
    assert said in text


def test_the_seal_says_its_hash_shortly(text: str) -> None:
    digits = kit.entry(41233).leaf_hash
    assert digits is not None
    assert f"{digits.hex()[:4]}…{digits.hex()[-4:]}" in text


def test_tables_can_be_scrolled_by_keyboard(page: Reader) -> None:
    regions = page.all("div", role="region")
    assert len(regions) == len(page.all("table"))
    assert all(attrs["tabindex"] == "0" and attrs["aria-label"] for attrs in regions)


def test_links_that_read_alike_are_told_apart(text: str) -> None:
    assert 'Verify<span class="vh"> entry 41,233</span>' in text
    assert 'Change<span class="vh"> companies</span>' in text


@pytest.mark.parametrize("name", ["400", "403", "404", "500"])
def test_error_pages_say_what_to_do(name: str) -> None:
    source = (PARTS.parent / f"{name}.html").read_text()
    assert "<a href=" in source


def test_a_missing_page_looks_like_ours(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "<h1>There is nothing here</h1>" in answer.content.decode()
