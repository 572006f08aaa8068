"""The eyes of the stories see what they should: broken pages, and a working worker."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from playwright.sync_api import Page

from gemmule.demo import cast
from gemmule.notices import services
from tests import factories, waiting
from tests.e2e.conftest import SCREENSHOTS, WIDTHS, Look

pytestmark = pytest.mark.e2e

_SOUND = """<!doctype html><html lang="en"><head><title>Sound</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>Sound</h1>{}</main></body></html>"""


def test_sound_page_is_kept_as_two_pictures(page: Page, look: Look) -> None:
    page.set_content(_SOUND.format("<p>Nothing to find.</p>"))
    look(page, "harness-sound")
    for width in WIDTHS:
        picture = (SCREENSHOTS / f"harness-sound-{width}.png").read_bytes()
        # PNG: the width is the first field of IHDR, bytes 16 to 20.
        assert int.from_bytes(picture[16:20], "big") == width
    assert page.viewport_size == {"width": 1440, "height": 900}


def test_field_without_a_label_is_found(page: Page, look: Look) -> None:
    page.set_content(_SOUND.format('<input type="text">'))
    with pytest.raises(AssertionError, match=r"label \(critical\)"):
        look(page, "harness-label")


def test_page_wider_than_a_phone_is_found(page: Page, look: Look) -> None:
    page.set_content(_SOUND.format(f"<p>{'x' * 200}</p>"))
    with pytest.raises(AssertionError, match=r"px too wide at 390 px"):
        look(page, "harness-wide")


@pytest.mark.usefixtures("worker")
@pytest.mark.django_db(transaction=True)
def test_worker_does_what_a_request_has_committed() -> None:
    ira = factories.member(cast.IRA)
    with transaction.atomic():
        notice = services.notify(
            user=ira,
            kind="request.submitted",
            subject="A request waits for you",
            body="",
            url="/irb/",
            now=factories.EARLIER,
        )
    # The row is marked before the mail leaves, so that it leaves at most once.
    waiting.until(lambda: "A request waits for you" in _mails(), what="the mail")
    notice.refresh_from_db()
    assert notice.mailed_at is not None


def _mails() -> str:
    """Return all mails that left so far, one after the other."""
    found = Path(settings.DATA_DIR).glob("mail/*")
    return "".join(path.read_text() for path in found)
