"""Text of cells comes from each person's or from the rows of all, as is faster."""

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from genomics.columnar import cutting
from tests.genomics.children import job, make_room
from tests.genomics.release import cut, source, write_columns

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


@pytest.fixture(autouse=True, params=[0, 10**6], ids=["by person", "by row"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "_SECTION", request.param)


@pytest.mark.parametrize("count", [1, 2, 10, 19, 20])
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


@pytest.mark.parametrize("regions", [(("1", 0, 1),), (("1", 0, 2),), (("1", 1, 9),)])
def test_a_telomere_is_where_the_first_base_is(
    regions: tuple[tuple[str, int, int], ...],
) -> None:
    """POS 0 stands before it."""
    records = ("1 0 . N C . . . GT 0/1", "1 1 . A C . . . GT 0/1")
    release = cut(source(*records, names=["Ann"]), {"Ann": "S0"}, regions=regions)
    assert [record[1] for record in release.records] == (
        ["0", "1"] if regions[0][1] == 0 else []
    )


def test_a_cut_from_columns_loads_neither_numpy_nor_htslib(tmp_path: Path) -> None:
    """Each takes as long to load as some cuts take."""
    room = make_room(tmp_path)
    path = room / "source.vcf.gz"
    path.write_bytes(gzip.compress(made().encode()))
    asked = job(
        room, path, samples=((NAMES[0], "S0"),), columns_sha256=write_columns(path)
    )
    code = (
        "import json, sys; from genomics import pipeline; "
        "from genomics.job import SubsetJob; "
        "pipeline.run(SubsetJob.from_json(json.load(sys.stdin)), lambda _: None); "
        "print({'numpy', 'pysam'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(asked.to_json()),
        cwd=room / "temp",
        env={"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"
