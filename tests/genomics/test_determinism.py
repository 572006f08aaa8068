"""The same job gives the same bytes, whatever machine and shell it runs in."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genomics import by_columns
from genomics.job import IntakeJob, SubsetJob
from tests.genomics import rows
from tests.genomics.release import PUBLIC, cut_upload

NAMES = [f"S{number}" for number in range(12)]
HERE: Mapping[str, str] = {
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
}
ELSEWHERE: tuple[Mapping[str, str], ...] = (
    {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "1"},
    {"LANG": "de_DE", "TZ": "America/St_Johns", "PYTHONHASHSEED": "4294967295"},
    {
        "LC_ALL": "POSIX",
        "TZ": "Pacific/Kiritimati",
        "HOME": "/nowhere",
        "USER": "mallory",
    },
)


def run(
    job: IntakeJob | SubsetJob, environment: Mapping[str, str], cwd: Path, umask: int
) -> dict[str, Any]:
    """Do a job as `python -m genomics` does it; return its result."""
    done = subprocess.run(
        [sys.executable, "-m", "genomics"],
        input=json.dumps(job.to_json()).encode("ascii"),
        env={**environment, "PYTHONPATH": str(Path.cwd())},
        cwd=cwd,
        umask=umask,
        capture_output=True,
        check=False,
    )
    last: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert "result" in last, last
    result: dict[str, Any] = last["result"]
    return result


def released(
    folder: Path, environment: Mapping[str, str], umask: int
) -> tuple[object, ...]:
    """Take an upload in and release it both ways, in folders of their own."""
    for name in ("here", "out"):
        (folder / name).mkdir(parents=True)
    upload = folder / "upload.vcf"
    upload.write_text(rows.call_set(random.Random(5), NAMES, 24))
    intake = IntakeJob(source=upload, store=folder / "store.vcf.gz")
    taken = run(intake, environment, folder / "here", umask)
    told: list[object] = [taken["sha256_store"], taken["sha256_columns"]]
    for columns in (None, taken["sha256_columns"]):
        job = SubsetJob(
            source=intake.store,
            columns_sha256=columns,
            samples=tuple((name, f"Q{n}") for n, name in enumerate(NAMES[::2])),
            recipient_public_key=PUBLIC,
            output_dir=folder / "out",
            name=f"GMR00000{int(columns is None)}",
        )
        result = run(job, environment, folder / "here", umask)
        told += [(file["sha256_plain"], file["size_plain"]) for file in result["files"]]
        told += [result["records_out"], result["software"]]
    return tuple(told)


def test_locale_time_zone_hash_seed_umask_and_directory_change_nothing(
    tmp_path: Path,
) -> None:
    expected = released(tmp_path / "0", HERE, 0o077)
    by_text, by_columns = expected[2:6], expected[6:]
    assert by_text == by_columns
    for number, environment in enumerate(ELSEWHERE, start=1):
        folder = tmp_path / f"a much longer name {number}" / "x"
        assert released(folder, environment, 0) == expected


@pytest.mark.parametrize("level", [1, 6])
def test_the_number_of_workers_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: int
) -> None:
    monkeypatch.setattr(by_columns, "_WORTHWHILE", 0)
    upload = rows.call_set(random.Random(6), NAMES, 40).encode()
    samples = tuple((name, f"Q{n}") for n, name in enumerate(NAMES[1:6]))
    found = set()
    for workers in (1, 2, 3):
        folder = tmp_path / str(workers)
        folder.mkdir()
        machine = frozenset(range(workers))
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, m=machine: m)
        release = cut_upload(folder, upload, samples=samples, bgzf_level=level)
        found.add((release.variants, release.index))
    assert len(found) == 1
