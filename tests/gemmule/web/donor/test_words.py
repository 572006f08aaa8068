"""What donors read is plain: grade 8 at most, sentence by sentence and page by page."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gemmule.web.donor.words import ACTS
from tests.consent.forms.test_shipped import reading_grade

TEMPLATES = (
    Path(__file__).parents[4] / "platform" / "gemmule" / "web" / "templates" / "donor"
)
_MOST = 8.0
# A shorter text is a label or a piece of a sentence: its grade means nothing.
_WORDS = 12


def paragraphs(template: Path) -> Iterator[str]:
    """Yield the running text of a template; what it fills in reads as one word."""
    text = re.sub(r"{%.*?%}", "", template.read_text())
    text = re.sub(r"{{.*?}}", "it", text)
    # Links and emphasis stand within their sentence.
    text = re.sub(r"</?(a|b|strong|span|time)\b[^>]*>", "", text)
    for piece in re.split(r"<[^>]+>", text):
        said = html.unescape(" ".join(piece.split()))
        if len(said.split()) >= _WORDS:
            yield said


@pytest.mark.parametrize(
    "template", sorted(TEMPLATES.glob("*.html")), ids=lambda one: one.name
)
def test_a_page_reads_at_grade_8(template: Path) -> None:
    for said in paragraphs(template):
        assert reading_grade(said) <= _MOST, said


@pytest.mark.parametrize("act", ACTS)
def test_what_an_act_means_reads_at_grade_8(act: str) -> None:
    words = ACTS[act]
    assert reading_grade(f"{words.title}. {' '.join(words.now)}") <= _MOST


def test_pages_say_enough_to_be_measured() -> None:
    counted = {one.name: len(list(paragraphs(one))) for one in TEMPLATES.glob("*.html")}
    assert counted["receipt.html"] >= 3
    assert counted["history.html"] >= 3
