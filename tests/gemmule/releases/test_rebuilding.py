"""A sealed release is built again to the same bytes, or the reason why not is told."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from pytest_django.fixtures import Settings

import ledger.selectors
from consent.models import Consent, Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.catalog.models import DataFile, Dataset, Sample
from gemmule.catalog.storage import store_path
from gemmule.releases import build, services, storage, upkeep
from gemmule.releases.cohort import sample_name
from gemmule.releases.models import Release, ReleaseDonor, ReleaseState
from genomics import child
from tests import cohorts
from tests.gemmule.audit.conftest import as_superuser
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.erasing import donors, erase, hers, wiped
from tests.gemmule.releases.test_closing import withdraw

pytestmark = pytest.mark.django_db
__all__ = ["as_superuser", "donors", "hers", "wiped"]


def rebuilt(release: Release) -> tuple[str, dict[str, Any]]:
    """Return what the command says in words (nothing when all is well) and in JSON."""
    out, told, status = StringIO(), "", 0
    try:
        call_command("rebuild_release", release.accession, stdout=out)
    except CommandError as error:
        told, status = str(error), error.returncode
    (line,) = out.getvalue().splitlines()
    found: dict[str, Any] = json.loads(line)
    assert found["release"] == release.accession
    assert status == (0 if found["same"] else 1)
    return told, found


def everything(release: Release) -> tuple[Any, ...]:
    """Return the release's rows, its stored bytes, and the length of the log."""
    rows = Release.objects.filter(pk=release.pk).values_list()
    stored = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (settings.RELEASE_DIR, settings.STORE_DIR)
        for path in folder.rglob("*")
        if path.is_file()
    }
    return (
        list(rows),
        list(ReleaseDonor.objects.filter(release=release).order_by("pk").values_list()),
        stored,
        ledger.selectors.tree_size(),
    )


def test_all_files_come_out_as_they_were_sealed(built: Release) -> None:
    before = everything(built)
    told, found = rebuilt(built)
    assert (told, found["same"], found["reason"]) == ("", True, None)
    sealed = {file.name: file.sha256_plain for file in built.files.all()}
    assert {
        one["name"]: one["rebuilt_sha256_plain"] for one in found["files"]
    } == sealed
    assert {one["role"] for one in found["files"]} == {"variants", "index"}
    assert found["software"] == {}
    assert everything(built) == before
    assert storage.is_scratch_empty()


def test_a_small_release_is_small_again_when_today_is_fast(
    rosa: User,
    approved: AccessRequest,
    keyring: Keyring,
    clock: Clock,
    settings: Settings,
) -> None:
    settings.RELEASE_BGZF_LEVEL = 6
    asked = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    assert build.run(asked.pk, clock=clock) == ReleaseState.SEALED
    settings.RELEASE_BGZF_LEVEL = 1
    asked.refresh_from_db()
    assert rebuilt(asked)[1]["same"] is True
    whole = json.loads(bytes(asked.manifest or b""))
    assert whole["manifest"]["software"].pop("bgzf_level") == "6"
    # As one that was sealed before the level was said: it was the fast one.
    Release.objects.filter(pk=asked.pk).update(manifest=json.dumps(whole).encode())
    found = rebuilt(Release.objects.get(pk=asked.pk))[1]
    assert (found["same"], found["reason"]) == (False, "software-differs")


def test_it_is_the_seal_that_counts_and_not_today(
    built: Release, donors: list[Donor], clock: Clock
) -> None:
    """Who changes her mind, is left out or comes later has no part in it."""
    clock.tick(days=1)
    cohorts.agree(donors[29], cohorts.GENERAL, clock())
    withdraw(donors[3], clock)
    upkeep.settle(now=clock())
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED
    assert rebuilt(built)[1]["same"] is True


def test_what_a_donor_keeps_back_is_kept_back_again(
    rosa: User,
    approved: AccessRequest,
    keyring: Keyring,
    donors: list[Donor],
    clock: Clock,
) -> None:
    wish = {"genes": [], "regions": [["2", 4000, 6000]], "build": "GRCh37"}
    cohorts.agree(donors[29], cohorts.GENERAL, clock(), withheld=wish)
    asked = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    assert build.run(asked.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    asked.refresh_from_db()
    _, found = rebuilt(asked)
    assert found["same"] is True
    assert found["genotypes_withheld"][0] == found["genotypes_withheld"][1] > 0


def test_a_release_that_is_not_sealed(release: Release) -> None:
    told, found = rebuilt(release)
    assert (found["same"], found["reason"]) == (None, "not-sealed")
    assert "not sealed" in told


def test_a_release_that_there_is_not() -> None:
    with pytest.raises(CommandError, match="no release"):
        call_command("rebuild_release", "GMR0000000", stdout=StringIO())


@pytest.mark.usefixtures("wiped")
def test_somebody_in_it_was_erased(ada: User, built: Release, clock: Clock) -> None:
    erase(ada, clock)
    built.refresh_from_db()
    told, found = rebuilt(built)
    assert found == {
        "release": built.accession,
        "same": None,
        "reason": "donor-erased",
    }
    assert "1 of 28 donors in the release were erased" in told


def leave_the_map(built: Release) -> None:
    row = ReleaseDonor.objects.filter(release=built).first()
    assert row is not None
    Sample.objects.filter(donor=row.donor).delete()


def rename_a_sample(built: Release) -> None:
    project = built.request.project
    project.pseudonym_key = bytes(32)
    project.save()


def edit_a_consent(built: Release) -> None:
    row = ReleaseDonor.objects.filter(release=built).first()
    assert row is not None
    Consent.objects.filter(pk=row.consent_id).update(withheld={"genes": ["TMEM18"]})


def put_another_in(built: Release) -> None:
    row = ReleaseDonor.objects.filter(release=built).first()
    assert row is not None
    spare = Donor.objects.exclude(
        pk__in=ReleaseDonor.objects.filter(release=built).values("donor")
    ).first()
    assert spare is not None
    ReleaseDonor.objects.filter(pk=row.pk).update(
        donor=spare,
        sample_name=sample_name(bytes(built.request.project.pseudonym_key), spare.pk),
    )


def ask_for_a_region(built: Release) -> None:
    AccessRequest.objects.filter(pk=built.request_id).update(regions=[["2", 0, 6000]])


def describe_anew(built: Release) -> None:
    Dataset.objects.filter(pk=built.request.dataset_id).update(
        filter_is_cohort_independent=True
    )


def rewrite_a_store(built: Release) -> None:
    DataFile.objects.update(sha256_store="0" * 64)


def lose_a_file(built: Release) -> None:
    DataFile.objects.update(state="removed")


def damage_a_store(built: Release) -> None:
    for path in store_path(DataFile.objects.get()).parent.iterdir():
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)


CHANGES: dict[Callable[[Release], None], str] = {
    leave_the_map: "samples-changed",
    rename_a_sample: "samples-changed",
    edit_a_consent: "consents-changed",
    put_another_in: "consents-changed",
    ask_for_a_region: "request-changed",
    describe_anew: "dataset-changed",
    rewrite_a_store: "store-rewritten",
    lose_a_file: "file-missing",
    damage_a_store: "cut-failed",  # The last: a rolled-back database mends no file.
}


@pytest.mark.usefixtures("as_superuser")
def test_what_has_changed_since_is_named(built: Release) -> None:
    found = {}
    for change in CHANGES:
        with transaction.atomic():
            change(built)
            told, answer = rebuilt(Release.objects.get(pk=built.pk))
            assert told and answer["same"] is None
            found[change] = answer["reason"]
            transaction.set_rollback(True)
    assert found == CHANGES
    assert storage.is_scratch_empty()


def test_an_erasure_in_the_midst_of_it_ends_it(
    built: Release, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = child.run

    def run_and_erase(job: Any, *, on_progress: Any, **options: Any) -> Any:
        row = ReleaseDonor.objects.filter(release=built).first()
        assert row is not None
        Donor.objects.filter(pk=row.donor_id).update(erased_at=now)
        return run(job, on_progress=on_progress, **options)

    monkeypatch.setattr(child, "run", run_and_erase)
    _, found = rebuilt(built)
    assert found["reason"] == "donor-erased"
    assert storage.is_scratch_empty()


def test_other_versions_are_named_whether_or_not_they_matter(
    built: Release,
) -> None:
    whole = json.loads(bytes(built.manifest or b""))
    said = whole["manifest"]
    said["software"] |= {"isal": "0.0.1"}
    said["software"].pop("zlib")
    Release.objects.filter(pk=built.pk).update(manifest=json.dumps(whole).encode())
    told, found = rebuilt(Release.objects.get(pk=built.pk))
    assert (told, found["same"]) == ("", True), found
    assert found["software"]["isal"][0] == "0.0.1"
    assert found["software"]["zlib"][0] is None
    said["files"][0]["sha256_plain"] = "0" * 64
    Release.objects.filter(pk=built.pk).update(manifest=json.dumps(whole).encode())
    told, found = rebuilt(Release.objects.get(pk=built.pk))
    assert (found["same"], found["reason"]) == (False, "software-differs")
    assert "isal, zlib" in told


def test_other_content_is_told(built: Release) -> None:
    whole = json.loads(bytes(built.manifest or b""))
    whole["manifest"]["files"][1]["sha256_plain"] = "0" * 64
    Release.objects.filter(pk=built.pk).update(manifest=json.dumps(whole).encode())
    told, found = rebuilt(Release.objects.get(pk=built.pk))
    assert (found["same"], found["reason"]) == (False, "content-differs")
    assert told == f"not the same: {whole['manifest']['files'][1]['name']}"
