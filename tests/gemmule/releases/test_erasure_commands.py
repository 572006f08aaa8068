"""Erasing from the command line: for who cannot do it herself, and after a restore."""

import uuid

import pytest
from django.core.management import CommandError, call_command

import ledger.erasure
import ledger.selectors
from consent.models import Consent, Donor
from gemmule.accounts.models import User
from gemmule.catalog.models import DataFileState, Dataset, Sample
from gemmule.releases.models import Erasure, ErasureStage, Release, ReleaseState
from ledger import durable, vault
from ledger.models import ErasedKey, VaultKey
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.contents import builds
from tests.gemmule.releases.erasing import ask, donors, hers, wiped
from tests.gemmule.releases.racing import entries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wiped")]

__all__ = ["donors", "hers", "wiped"]


def test_staff_erase_who_asked_by_phone(
    ada: User, hers: Donor, dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("erase_donor", str(hers.pk), "--channel", "phone")
    assert not Donor.objects.filter(pk=hers.pk).exists()
    assert not User.objects.filter(pk=ada.pk).exists()
    said = capsys.readouterr().out
    assert said.endswith(": Done\n")
    assert str(hers.pk) not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--channel", "phone"], "no donor with this id"),
        ([], "how she asked"),
    ],
)
def test_without_a_donor_or_a_channel_nothing_begins(
    hers: Donor, arguments: list[str], message: str
) -> None:
    donor = hers.pk if not arguments else uuid.uuid4()
    with pytest.raises(CommandError, match=message):
        call_command("erase_donor", str(donor), *arguments)
    assert not Erasure.objects.exists()


def test_what_a_worker_left_is_carried_on(ada: User, clock: Clock) -> None:
    begun = ask(ada, clock)
    call_command("erase_donor")
    begun.refresh_from_db()
    assert begun.stage == ErasureStage.DONE


def test_what_cannot_go_on_is_said(ada: User, dataset: Dataset, clock: Clock) -> None:
    file = dataset.files.get()
    file.pk, file.number, file.state = uuid.uuid4(), 2, DataFileState.CHECKING
    file.save(force_insert=True)
    ask(ada, clock)
    with pytest.raises(CommandError, match="1 not done yet"):
        call_command("erase_donor")


def test_who_comes_back_with_a_backup_is_erased_again(
    ada: User,
    hers: Donor,
    built: Release,
    dataset: Dataset,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Both databases are from before: only the file of tombstones knows of her."""
    event = Consent.objects.get(donor=hers).event
    durable.append_line(ledger.erasure.tombstone_file(), vault.tombstone(hers.subject))
    assert ledger.selectors.open_body(event) is not None
    call_command("replay_erasures")
    assert "1 keys and 1 bodies were back" in capsys.readouterr().out
    assert ErasedKey.objects.count() == 1
    assert ledger.selectors.open_body(event) is None
    assert not VaultKey.objects.filter(id=hers.subject).exists()
    assert not Donor.objects.filter(pk=hers.pk).exists()
    assert not User.objects.filter(pk=ada.pk).exists()
    assert not Sample.objects.filter(donor_id=hers.pk).exists()
    built.refresh_from_db()
    assert (built.state, built.donors.count()) == (ReleaseState.REVOKED, 27)
    assert not builds()
    # Her key was gone: nothing more could be written of her.
    assert not entries("consent.withdrawn")


def test_a_replay_with_nothing_to_do_does_nothing(
    hers: Donor, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("replay_erasures")
    assert "0 keys and 0 bodies" in capsys.readouterr().out
    assert Donor.objects.filter(pk=hers.pk).exists()
