"""The demo's first call set, and whose wishes allow a purpose; no site is asked."""

import gzip
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from consent.policy import Verdict, decide
from consent.purpose import Purpose
from consent.terms import Terms
from gemmule.demo import cohorts, population
from tests.genomics.checker import samples_of

_DATA = Path(__file__).resolve().parents[1] / "platform/gemmule/demo/data"


@cache
def source() -> str:
    """Return the text of the call set of 629 people."""
    packed = (_DATA / cohorts.PILOT.filename).read_bytes()
    return gzip.decompress(packed).decode()


def ada() -> str:
    """Return the name of Ada's sample: the first one."""
    return samples_of(source())[0]


def allowed(purpose: Purpose) -> set[str]:
    """Return the samples beside Ada's whose donors allow the purpose today."""
    others = samples_of(source())[1:]
    today = datetime.now(UTC).date()
    wishes = population.wishes(seed=cohorts.PILOT.seed, count=len(others))
    found = set()
    for name, wish in zip(others, wishes, strict=True):
        if wish.terms is not None and not wish.withdraws:
            terms = Terms.from_json(dict(wish.terms))
            if decide(purpose, terms, today).verdict is Verdict.PERMIT:
                found.add(name)
    return found
