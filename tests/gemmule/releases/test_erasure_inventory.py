"""The page on erasing says of every table what it holds of a donor."""

import re
from pathlib import Path

from django.apps import apps

from gemmule.releases.models import ErasureStage

PAGE = Path(__file__).resolve().parents[3] / "docs" / "erasure.md"


def listed() -> list[str]:
    """Return the names in the first column of the page's inventory."""
    return re.findall(r"^\| `([a-z]+\.[A-Za-z_]+)` \|", PAGE.read_text(), re.MULTILINE)


def test_every_table_is_listed_once_and_no_other() -> None:
    tables = [one._meta.label for one in apps.get_models(include_auto_created=True)]
    assert len(tables) > 40
    assert sorted(listed()) == sorted(tables), "say in docs/erasure.md what it holds"


def test_every_stage_is_explained() -> None:
    told = re.findall(r"^\| `([a-z]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert told == [stage.value for stage in ErasureStage]
