"""On another machine, as far as one machine can be another: the same bytes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings

from gemmule.releases.models import Release
from tests.gemmule.releases.dying import address

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def one_processor() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.umask(0o077)


def all_processors() -> None:
    os.umask(0o002)


# What a machine may be set to, and what a process does there first.
PLACES: dict[str, tuple[Callable[[], None], dict[str, str]]] = {
    "Turkish, one processor": (
        one_processor,
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1"},
    ),
    "C, all processors": (
        all_processors,
        {"LC_ALL": "C", "TZ": "America/St_Johns", "PYTHONHASHSEED": "4242"},
    ),
}


def test_language_time_zone_hash_seed_umask_and_processors_do_not_matter(
    built: Release, tmp_path: Path
) -> None:
    """How the engine shares longer cuts among processors is for its own tests."""
    home = tmp_path / "home"
    home.mkdir()
    places = {one.name: one for one in settings.DATA_DIR.iterdir()}
    places |= {"store": settings.STORE_DIR, "releases": settings.RELEASE_DIR}
    for name, place in places.items():
        (home / name).symlink_to(place)
    for enter, surroundings in PLACES.values():
        done = subprocess.run(
            [sys.executable, "-m", "django", "rebuild_release", built.accession],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "gemmule.settings",
                "GEMMULE_DATA_DIR": str(home),
                "PYTHONPATH": os.pathsep.join(sys.path),
                "DATABASE_URL": address("default"),
                "VAULT_DATABASE_URL": address("vault"),
                **surroundings,
            },
            preexec_fn=enter,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("\n") == 1
        found = json.loads(done.stdout)
        assert (found["same"], found["software"]) == (True, {})
