"""Text of cells comes from one place for few people and from another for most."""

import random

import pytest

from tests.genomics.release import cut, source

NAMES = [f"P{number:02d}" for number in range(20)]
RECORDS = 50  # more than the file keeps together


def made() -> str:
    """Return calls with likelihoods; some records have an ALT more, some GT alone."""
    drawn = random.Random(4)
    records = []
    for number in range(RECORDS):
        alts = ["C", "G"][: 1 + number % 2]
        form = "GT" if number % 7 == 3 else "GT:DP:PL"
        cells = []
        for _ in NAMES:
            genotype = "/".join(str(drawn.randint(0, len(alts))) for _ in "ab")
            likelihoods = [str(drawn.randint(0, 999)) for _ in range(3 * len(alts))]
            values = [genotype, str(drawn.randint(0, 40)), ",".join(likelihoods)]
            cells.append(":".join(values[: 1 + form.count(":")]))
        fixed = f"1 {1000 + number} . A {','.join(alts)} . . . {form}"
        records.append(" ".join([fixed, *cells]))
    return source(*records, names=NAMES)


@pytest.mark.parametrize("count", [1, 2, 10, 11, 19, 20])
def test_any_number_of_people_is_cut_as_from_text(count: int) -> None:
    kept = random.Random(count).sample(NAMES, count)
    release = cut(made(), {name: f"S{place}" for place, name in enumerate(kept)})
    assert len(release.records) > RECORDS // 3
    assert all(len(record) == 9 + count for record in release.records)


@pytest.mark.parametrize("count", [3, 15])
@pytest.mark.parametrize(
    ("start", "end"), [(1000, 1004), (1020, 1024), (1045, 1060), (1002, 1047), (0, 1)]
)
def test_a_region_is_cut_as_from_text(count: int, start: int, end: int) -> None:
    """At the start of what the file keeps together, amid it, at its end, nowhere."""
    names = {name: f"S{place:02d}" for place, name in enumerate(NAMES[:count])}
    release = cut(made(), names, regions=(("1", start, end),))
    found = [int(record[1]) for record in release.records]
    assert all(start < pos <= end for pos in found)
    assert bool(found) == (end > 1)
