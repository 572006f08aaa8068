"""What tests of the donor's pages read and look up."""

import re
import uuid
from typing import Any

from consent import selectors
from consent.models import Consent, Donor

# The event of the consent that the fixture `given` records.
EVENT = uuid.UUID("3b0d4a3e-54d1-4a0f-9e06-1a2b3c4d5e6f")


def standing(donor: Donor) -> Consent:
    found = selectors.current(donor)
    assert found is not None
    return found


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
