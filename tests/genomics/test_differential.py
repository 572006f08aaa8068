"""Any sound upload, any job: by columns as by text, and as two others tell it."""

import os
import random

from hypothesis import HealthCheck, given, settings

from tests.genomics import rows
from tests.genomics.differential import check
from tests.genomics.generated import Case, cases


@settings(
    max_examples=150 * int(os.environ.get("TEST_ROUNDS") or 1),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=cases())
def test_any_upload_is_cut_as_the_oracles_tell_it(case: Case) -> None:
    check(case)


def test_ten_thousand_people_are_cut_as_the_oracles_tell_it() -> None:
    """Lines of far more than 64 KiB, in the header too."""
    rng = random.Random(1)
    names = [f"Person{number}" for number in range(10_000)]
    text = rows.call_set(rng, names, 5)
    assert sum(len(line) > 1 << 16 for line in text.splitlines()) > 3
    chosen = rng.sample(names, 200)
    job = {
        "samples": tuple((name, f"Q{n:03d}") for n, name in enumerate(chosen)),
        "build": "GRCh38",
        "regions": None,
        "withheld": {chosen[0]: (("1", 0, 1 << 20),), chosen[7]: (("X", 0, 1 << 21),)},
        "excluded_regions": (),
        "filter_is_cohort_independent": True,
    }
    case = Case(upload=text.encode(), text=text, job=job, block_sites=512)
    release = check(case)
    assert release.result.genotypes_withheld > 0
