"""A donor who asks is erased: at once for everybody else, then to the last row."""

import uuid

import pytest

import consent.services
import ledger.selectors
from consent.errors import ErasureBegun
from consent.models import Consent, Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.errors import NotAllowed, SignatureRefused
from gemmule.accounts.models import DonorAccount, ResearcherKey, Role, RoleGrant, User
from gemmule.accounts.selectors import donor_of
from gemmule.audit import reconciliation
from gemmule.audit.verification import verify
from gemmule.catalog.models import DataFile, DataFileState, Dataset, Sample
from gemmule.catalog.storage import store_path
from gemmule.demo import cast
from gemmule.releases import build, erasure, services, storage, upkeep
from gemmule.releases.models import (
    Erasure,
    ErasureStage,
    Release,
    ReleaseDonor,
    ReleaseState,
)
from ledger import inspection
from tests import cohorts, factories
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import lies_at, plaintext
from tests.gemmule.releases.erasing import ask, donors, erase, hers, stored, wiped
from tests.gemmule.releases.racing import entries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wiped")]

__all__ = ["donors", "hers", "wiped"]


# --- asking -----------------------------------------------------------------------


def test_asking_takes_effect_at_once(
    ada: User, hers: Donor, built: Release, clock: Clock
) -> None:
    begun = ask(ada, clock)
    ada.refresh_from_db()
    assert not ada.is_active
    assert donor_of(ada) is None
    assert Consent.objects.get(donor=hers, is_current=True).act == "withdrawn"
    built.refresh_from_db()
    assert built.state == ReleaseState.REVOKED
    assert begun.stage == ErasureStage.BUILDS


def test_a_wrong_password_changes_nothing(ada: User, hers: Donor, clock: Clock) -> None:
    with pytest.raises(SignatureRefused):
        services.ask_for_erasure(user=ada, password="wrong", now=clock())
    hers.refresh_from_db()
    assert (hers.erased_at, Erasure.objects.count()) == (None, 0)
    assert donor_of(ada) == hers


def test_nobody_but_a_donor_can_ask(rosa: User, sam: User, clock: Clock) -> None:
    for user in (rosa, sam):
        with pytest.raises(NotAllowed):
            ask(user, clock)
    assert not Erasure.objects.exists()


def test_nothing_new_is_recorded_of_who_is_being_erased(
    ada: User, hers: Donor, dataset: Dataset, clock: Clock
) -> None:
    ask(ada, clock)
    with pytest.raises(ErasureBegun):
        cohorts.agree(hers, cohorts.GENERAL, clock())
    with pytest.raises(ErasureBegun):
        consent.services.refuse(donor=hers, form=None, event=uuid.uuid4(), now=clock())
    assert Consent.objects.filter(donor=hers).latest("number").act == "withdrawn"


def test_whoever_asks_twice_is_erased_once(
    ada: User, hers: Donor, clock: Clock
) -> None:
    first = ask(ada, clock)
    again = erasure.begin(donor=hers, user=ada, now=clock())
    assert again == first
    with pytest.raises(NotAllowed):
        ask(ada, clock)
    assert erasure.run(first.pk, clock=clock) == ErasureStage.DONE
    assert erasure.run(first.pk, clock=clock) is None
    upkeep.settle(now=clock())
    assert len(entries("subject.erased")) == 1


# --- the end ----------------------------------------------------------------------


def test_she_is_gone_and_everything_else_is_there(
    ada: User,
    hers: Donor,
    built: Release,
    dataset: Dataset,
    donors: list[Donor],
    clock: Clock,
) -> None:
    acts = list(Consent.objects.filter(donor=hers).values_list("event", flat=True))
    done = erase(ada, clock)
    assert (done.donor, done.subject, done.user) == (None, None, None)
    assert not User.objects.filter(pk=ada.pk).exists()
    assert not Donor.objects.filter(pk=hers.pk).exists()
    assert Donor.objects.count() == len(donors) - 1
    assert Sample.objects.filter(dataset=dataset).count() == len(donors) - 1
    for event in acts:
        assert ledger.selectors.open_body(event) is None
        assert ledger.selectors.is_published(event)
    assert ledger.selectors.is_published(done.event)
    assert entries("subject.erased") == [{}]
    found = inspection.inspect()
    assert found.is_sound, found.findings


def test_her_genotypes_leave_the_store_and_nobody_elses_do(
    ada: User, built: Release, dataset: Dataset, clock: Clock
) -> None:
    report = ["line 12: 1 value(s) of FORMAT GP", "the file states no length"]
    dataset.files.update(warnings=report)
    (before,) = dataset.files.all()
    old = store_path(before)
    erase(ada, clock)
    (after,) = dataset.files.all()
    assert not old.exists()
    assert after.warnings == report[1:]
    assert after.attempts == before.attempts + 1
    assert after.state == DataFileState.ACCEPTED
    assert after.sha256_store != before.sha256_store
    assert after.sample_names == before.sample_names[1:]
    assert after.records == (before.records or 0) - 1
    text = stored(after)
    assert cohort_file.NAMES[0] not in text
    assert f"\t{cohort_file.private_position(0)}\t" not in text
    assert f"\t{cohort_file.private_position(1)}\t" in text
    folder = store_path(after).parent
    assert {path.name for path in folder.iterdir()} == {
        "store-2",
        "store-2.columns",
        "store-2.csi",
    }
    assert storage.scratch().parent.is_dir()


def test_the_files_of_releases_with_her_are_deleted_and_their_count_is_kept(
    ada: User, built: Release, clock: Clock
) -> None:
    paths = [lies_at(file) for file in built.files.all()]
    assert all(path.is_file() for path in paths)
    erase(ada, clock)
    built.refresh_from_db()
    assert not any(path.exists() for path in paths)
    assert set(built.files.values_list("path", flat=True)) == {""}
    assert (built.donors.count(), built.donors_erased) == (27, 1)
    assert built.manifest_sha256 in str(entries("data.released"))


def test_a_release_that_held_her_is_still_held_against_the_ledger(
    ada: User, built: Release, clock: Clock
) -> None:
    erase(ada, clock)
    built.refresh_from_db()
    checks = verify(built)
    assert [check.question for check in checks if not check.holds] == []
    said = " ".join(check.answer for check in checks)
    assert "27 samples open to the root on the ledger; 1 more was erased since." in said
    assert "The files are deleted, because a donor in them was erased." in said


def test_a_row_deleted_behind_her_back_is_no_erasure(
    ada: User, built: Release, clock: Clock
) -> None:
    erase(ada, clock)
    built.donors.first().delete()  # type: ignore[union-attr] # there are 27
    built.refresh_from_db()
    assert "release-donors" in {one.code for one in reconciliation.findings()}
    assert not all(check.holds for check in verify(built))
    # Counted as erased it opens, but the ledger knows of one erasure alone.
    Release.objects.filter(pk=built.pk).update(donors_erased=2)
    found = [one for one in reconciliation.findings() if one.code == "release-donors"]
    assert "counts 2 erased donors, the ledger 1" in found[0].message


def test_the_release_that_follows_holds_everybody_else(
    ada: User, built: Release, keyring: Keyring, clock: Clock
) -> None:
    erase(ada, clock)
    (successor,) = Release.objects.filter(supersedes=built)
    assert build.run(successor.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    successor.refresh_from_db()
    assert successor.state == ReleaseState.AVAILABLE
    variants = successor.files.get(role="variants")
    text = plaintext(variants, keyring)
    positions = {line.split("\t")[1] for line in text.splitlines() if line[0] != "#"}
    private = {str(cohort_file.private_position(index)) for index in range(1, 28)}
    assert positions == private | {str(one) for one in cohort_file.SHARED_POSITIONS}
    assert [check.question for check in verify(successor) if not check.holds] == []


def test_a_donor_who_withdrew_before_is_erased(
    ada: User, hers: Donor, built: Release, clock: Clock
) -> None:
    services.withdraw_consent(
        donor=hers, channel="donor", event=uuid.uuid4(), now=clock()
    )
    erase(ada, clock)
    assert len(entries("consent.withdrawn")) == 1
    assert not ReleaseDonor.objects.filter(donor_id=hers.pk).exists()


def test_a_donor_who_decided_nothing_is_erased(
    hers: Donor, ada: User, clock: Clock
) -> None:
    erase(ada, clock)
    assert not Donor.objects.exists()
    assert not entries("consent.withdrawn")


def test_a_donor_without_an_account_is_erased(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    begun = services.begin_erasure(
        donor=donors[5], user=None, channel="mail", now=clock()
    )
    assert erasure.run(begun.pk, clock=clock) == ErasureStage.DONE
    assert not Donor.objects.filter(pk=donors[5].pk).exists()


def test_a_colleague_who_is_a_donor_keeps_the_account_she_works_with(
    rosa: User, clock: Clock
) -> None:
    factories.grant(rosa, Role.DONOR)
    erase(rosa, clock)
    rosa.refresh_from_db()
    assert (rosa.is_active, rosa.name) == (True, cast.ROSA.name)
    assert donor_of(rosa) is None
    roles = set(RoleGrant.objects.filter(user=rosa).values_list("role", flat=True))
    assert roles == {Role.RESEARCHER}


def test_the_acts_of_a_former_colleague_stay_under_no_name(
    rosa: User, approved: AccessRequest, keyring: Keyring, clock: Clock
) -> None:
    factories.grant(rosa, Role.DONOR)
    rosa.role_grants.filter(role=Role.RESEARCHER).update(revoked_at=clock())
    email = rosa.email
    erase(rosa, clock)
    rosa.refresh_from_db()
    assert not rosa.is_active
    assert rosa.name == "Erased person"
    assert not User.objects.filter(email=email).exists()
    assert not rosa.has_usable_password()
    assert ResearcherKey.objects.filter(user=rosa).exists()
    assert not DonorAccount.objects.filter(user=rosa).exists()


def test_everybody_in_a_dataset_can_be_erased(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    begun = [
        services.begin_erasure(donor=one, user=None, channel="mail", now=clock())
        for one in donors
    ]
    stages = [erasure.run(one.pk, clock=clock) for one in begun]
    assert stages == [ErasureStage.DONE] * len(donors)
    assert not DataFile.objects.exists()
    assert not Sample.objects.exists()


def test_thirty_who_ask_at_once_cost_few_rewrites(
    dataset: Dataset, donors: list[Donor], clock: Clock
) -> None:
    begun = [
        services.begin_erasure(donor=one, user=None, channel="mail", now=clock())
        for one in donors[:20]
    ]
    for one in begun:
        assert erasure.run(one.pk, clock=clock) == ErasureStage.DONE
    (file,) = dataset.files.all()
    assert file.attempts == 2
    assert file.sample_names == list(cohort_file.NAMES[20:])
