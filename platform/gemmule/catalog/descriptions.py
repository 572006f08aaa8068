"""What a steward says of a dataset, and what makes it acceptable."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gemmule.catalog.errors import DatasetInvalid
from gemmule.catalog.models import Build

_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a steward says of a dataset; countries are ISO 3166 codes of two letters."""

    title: str
    summary: str
    build: str
    barred_countries: Sequence[str] = ()
    filter_is_cohort_independent: bool = False


def checked(description: Description) -> dict[str, Any]:
    """Return the fields of a row, or raise DatasetInvalid for the first wrong one."""
    title = " ".join(description.title.split())
    summary = description.summary.strip()
    if not 5 <= len(title) <= 200:
        raise DatasetInvalid("give a title of 5 to 200 characters", field="title")
    if not 20 <= len(summary) <= 4000:
        raise DatasetInvalid(
            "say in 20 to 4,000 characters what the dataset holds", field="summary"
        )
    if description.build not in Build.values:
        raise DatasetInvalid(
            f"expected a genome build: {' or '.join(Build.values)}", field="build"
        )
    countries = sorted(set(description.barred_countries))
    for code in countries:
        if not (
            len(code) == 2 and code.isascii() and code.isalpha() and code.isupper()
        ):
            raise DatasetInvalid(
                "expected countries as ISO 3166 codes of two capital letters, "
                "such as SE",
                field="barred_countries",
            )
    return {
        "title": title,
        "summary": summary,
        "build": description.build,
        "barred_countries": countries,
        "filter_is_cohort_independent": description.filter_is_cohort_independent,
    }
