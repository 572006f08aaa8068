"""A worker killed between any two steps of an erasure: the next one goes on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from consent.models import Consent, Donor
from gemmule.accounts.models import User
from gemmule.audit import reconciliation
from gemmule.audit.verification import verify
from gemmule.catalog import storage as catalog_storage
from gemmule.catalog.models import Dataset, Sample
from gemmule.releases import erasure, upkeep
from gemmule.releases.models import Erasure, ErasureStage, Release
from ledger.models import Body, VaultKey
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.dying import address
from tests.gemmule.releases.erasing import ask, donors, hers, stored
from tests.gemmule.releases.racing import entries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

__all__ = ["donors", "hers"]

ERASERS = Path(__file__).parent / "dying_erasers.py"
# In the order in which an erasure comes past them, and the stage it is found at then.
POINTS = [
    ("sequence", "builds"),
    ("key", "sequence"),
    ("buried", "key"),
    ("bodies", "key"),
    ("nameless", "bodies"),
    ("files", "bodies"),
    ("deleted", "files"),
    ("stores", "files"),
    ("placed", "stores"),
    ("named", "stores"),
    ("rows", "stores"),
    ("wipe", "rows"),  # Inside the transaction, which is rolled back as a whole.
    ("done", "wipe"),
]


def erase_and_die(begun: Erasure, clock: Clock, points: list[str]) -> list[Any]:
    """Let a worker die at each point, one after the other; return what was seen."""
    done = subprocess.run(
        [
            *(sys.executable, str(ERASERS), str(begun.pk), clock().isoformat()),
            *(str(settings.STORE_DIR), str(settings.RELEASE_DIR), *points),
        ],
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "gemmule.settings",
            "GEMMULE_DATA_DIR": str(settings.DATA_DIR),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATABASE_URL": address("default"),
            "VAULT_DATABASE_URL": address("vault"),
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences() -> list[str]:
    """Return what rows say otherwise than the ledger; the form of cohorts has none."""
    found = reconciliation.findings()
    return [one.message for one in found if not one.code.startswith("form-")]


def test_an_erasure_killed_at_every_point_comes_to_its_end(
    ada: User,
    hers: Donor,
    built: Release,
    dataset: Dataset,
    clock: Clock,
) -> None:
    subject = hers.subject
    begun = ask(ada, clock)
    assert erase_and_die(begun, clock, [point for point, _ in POINTS]) == [
        {
            "point": point,
            "was_killed": True,
            "stage": stage,
            # Nobody takes it over before its lease has run out.
            "is_free": False,
            # The ledger, and what the others have, is whole at any moment.
            "findings": [],
        }
        for point, stage in POINTS
    ]
    clock.tick(seconds=(settings.RELEASE_LEASE_SECONDS + 1) * len(POINTS))
    assert erasure.left_behind(now=clock()) == [begun.pk]
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    upkeep.settle(now=clock())
    begun.refresh_from_db()
    assert (begun.donor, begun.subject, begun.user) == (None, None, None)
    assert begun.fencing_token == len(POINTS) + 1
    assert not User.objects.filter(pk=ada.pk).exists()
    assert not Consent.objects.filter(donor_id=hers.pk).exists()
    assert not Sample.objects.filter(donor_id=hers.pk).exists()
    assert not VaultKey.objects.filter(id=subject).exists()
    assert not Body.objects.filter(key_id=subject).exists()
    assert len(entries("subject.erased")) == 1
    (file,) = dataset.files.all()
    assert cohort_file.NAMES[0] not in stored(file)
    kept = {path.name for path in catalog_storage.store_path(file).parent.iterdir()}
    assert kept == {"store-2", "store-2.columns", "store-2.csi"}
    assert catalog_storage.rewrites() == []
    built.refresh_from_db()
    assert (built.donors.count(), built.donors_erased) == (27, 1)
    assert [check.question for check in verify(built) if not check.holds] == []
    assert differences() == []
