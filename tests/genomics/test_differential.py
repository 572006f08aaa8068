"""Any sound upload, any job: by columns as by text, and as two others tell it."""

import os

from hypothesis import HealthCheck, given, settings

from tests.genomics.differential import check
from tests.genomics.generated import Case, cases


@settings(
    max_examples=150 * int(os.environ.get("TEST_ROUNDS") or 1),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(case=cases())
def test_any_upload_is_cut_as_the_oracles_tell_it(case: Case) -> None:
    check(case)
