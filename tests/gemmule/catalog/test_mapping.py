"""A sample map fits its files, and a second steward confirms what she was shown."""

from datetime import datetime
from uuid import UUID

import pytest

import consent.services
from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.catalog import selectors, services, states
from gemmule.catalog.errors import DatasetStateError, SampleMapInvalid
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.catalog.states import Stage
from tests.gemmule.catalog.acts import ACTS
from tests.gemmule.catalog.callsets import NAMES, Check, Upload, vcf

pytestmark = pytest.mark.django_db

# --- sample map --------------------------------------------------------------


def test_map_is_kept_with_who_sent_it(
    sven: User, mapped: Dataset, donor_ids: list[UUID], now: datetime
) -> None:
    found = [(one.source_name, one.donor_id) for one in selectors.samples_of(mapped)]
    assert found == list(zip(NAMES, donor_ids, strict=True))
    assert selectors.donors_of(mapped) == donor_ids
    assert (mapped.map_uploaded_by, mapped.map_uploaded_at) == (sven, now)
    assert len(mapped.map_sha256) == 64
    assert mapped.map_confirmed_at is None


def test_sample_of_nobody_is_no_sample_of_a_donor(
    sven: User, accepted: DataFile, donor_ids: list[UUID], now: datetime
) -> None:
    text = f"sample,donor\n{NAMES[0]},{donor_ids[0]}\n{NAMES[1]},\n{NAMES[2]},\n"
    dataset = services.upload_sample_map(
        user=sven, dataset=accepted.dataset, data=text.encode(), now=now
    )
    assert selectors.donors_of(dataset) == [donor_ids[0]]
    assert selectors.samples_without_donor(dataset) == list(NAMES[1:])
    assert selectors.map_rows(dataset) == [
        (NAMES[1], None),
        (NAMES[2], None),
        (NAMES[0], donor_ids[0]),
    ]


def test_map_that_does_not_fit_changes_nothing(
    sven: User, mapped: Dataset, donor_ids: list[UUID], now: datetime
) -> None:
    before = mapped.map_sha256
    text = f"sample,donor\n{NAMES[0]},{donor_ids[0]}\nNA9,{donor_ids[1]}\n"
    with pytest.raises(SampleMapInvalid) as refused:
        services.upload_sample_map(
            user=sven, dataset=mapped, data=text.encode(), now=now
        )
    codes = [problem.code for problem in refused.value.problems]
    assert codes == ["sample-without-row"] * 2 + ["sample-not-in-files"]
    mapped.refresh_from_db()
    assert mapped.map_sha256 == before
    assert selectors.donors_of(mapped) == donor_ids


def test_donor_nobody_knows_is_refused(
    sven: User, accepted: DataFile, sample_map: bytes, now: datetime
) -> None:
    Donor.objects.all().delete()
    with pytest.raises(SampleMapInvalid) as refused:
        services.upload_sample_map(
            user=sven, dataset=accepted.dataset, data=sample_map, now=now
        )
    assert {problem.code for problem in refused.value.problems} == {"donor-unknown"}


def test_new_map_replaces_one_that_is_not_confirmed(
    signe: User, mapped: Dataset, donor_ids: list[UUID], now: datetime
) -> None:
    rows = zip(NAMES, reversed(donor_ids), strict=True)
    text = "sample,donor\n" + "".join(f"{name},{donor}\n" for name, donor in rows)
    replaced = services.upload_sample_map(
        user=signe, dataset=mapped, data=text.encode(), now=now
    )
    assert replaced.map_uploaded_by == signe
    assert replaced.map_sha256 != mapped.map_sha256
    assert selectors.donors_of(replaced) == donor_ids[::-1]


def test_map_waits_for_files_and_their_checks(
    sven: User, dataset: Dataset, upload: Upload, sample_map: bytes, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="upload a file first"):
        services.upload_sample_map(user=sven, dataset=dataset, data=sample_map, now=now)
    upload(vcf())
    with pytest.raises(DatasetStateError, match="wait until every file"):
        services.upload_sample_map(user=sven, dataset=dataset, data=sample_map, now=now)


def test_map_goes_with_the_last_accepted_file(sven: User, mapped: Dataset) -> None:
    services.remove_file(user=sven, dataset=mapped, number=1)
    mapped.refresh_from_db()
    assert mapped.map_sha256 == ""
    assert mapped.map_uploaded_by is None
    assert not mapped.samples.exists()


def test_map_stays_while_another_file_holds_the_samples(
    sven: User, mapped: Dataset, upload: Upload, check: Check
) -> None:
    assert check(upload(vcf().replace(b"rs1", b"rs2"))).state == DataFileState.ACCEPTED
    services.remove_file(user=sven, dataset=mapped, number=1)
    mapped.refresh_from_db()
    assert mapped.map_sha256 != ""
    assert mapped.samples.count() == 3


def test_donors_are_made_for_samples_without_one(
    sven: User, accepted: DataFile, donor_ids: list[UUID], now: datetime
) -> None:
    text = f"sample,donor\n{NAMES[0]},{donor_ids[0]}\n{NAMES[1]},\n{NAMES[2]},\n"
    services.upload_sample_map(
        user=sven, dataset=accepted.dataset, data=text.encode(), now=now
    )
    made = services.make_donors(user=sven, dataset=accepted.dataset, now=now)
    found = dict(selectors.map_rows(made))
    assert found[NAMES[0]] == donor_ids[0]
    assert None not in found.values()
    assert len(set(found.values())) == 3
    with pytest.raises(DatasetStateError, match="nothing was made"):
        services.make_donors(user=sven, dataset=accepted.dataset, now=now)


def test_map_changed_while_donors_were_made_is_not_overwritten(
    sven: User,
    accepted: DataFile,
    sample_map: bytes,
    donor_ids: list[UUID],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register = consent.services.register_donors

    def meanwhile(*, count: int, now: datetime) -> list[Donor]:
        services.upload_sample_map(
            user=sven, dataset=accepted.dataset, data=sample_map, now=now
        )
        return register(count=count, now=now)

    monkeypatch.setattr(consent.services, "register_donors", meanwhile)
    with pytest.raises(DatasetStateError, match="by someone else meanwhile"):
        services.make_donors(user=sven, dataset=accepted.dataset, now=now)
    assert selectors.donors_of(accepted.dataset) == donor_ids


# --- confirmation ------------------------------------------------------------


def test_second_steward_confirms_and_locks(
    sven: User, signe: User, confirmed: Dataset, sample_map: bytes, now: datetime
) -> None:
    assert confirmed.map_confirmed_by == signe
    assert states.stage(confirmed) is Stage.CONFIRMED
    for act in ("describe", "upload_file", "remove_file", "upload_map", "make_donors"):
        with pytest.raises(DatasetStateError, match="reopen it first"):
            ACTS[act](sven, confirmed, now)
    confirmed.refresh_from_db()
    assert confirmed.files.count() == 1


def test_only_the_map_that_was_shown_is_confirmed(
    signe: User, mapped: Dataset, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="replaced since you looked"):
        services.confirm_sample_map(
            user=signe, dataset=mapped, map_sha256="0" * 64, now=now
        )


def test_nothing_to_confirm_without_a_map(
    signe: User, accepted: DataFile, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="no sample map to confirm"):
        services.confirm_sample_map(
            user=signe, dataset=accepted.dataset, map_sha256="", now=now
        )


def test_change_after_confirmation_needs_a_new_one(
    sven: User,
    signe: User,
    confirmed: Dataset,
    upload: Upload,
    check: Check,
    now: datetime,
) -> None:
    reopened = services.reopen_dataset(user=sven, dataset=confirmed)
    assert states.stage(reopened) is Stage.OPEN
    check(upload(vcf().replace(b"rs1", b"rs2")))
    with pytest.raises(DatasetStateError, match="not confirmed yet"):
        services.publish_dataset(user=sven, dataset=confirmed, now=now)
    again = services.confirm_sample_map(
        user=signe, dataset=confirmed, map_sha256=confirmed.map_sha256, now=now
    )
    assert services.publish_dataset(user=sven, dataset=again, now=now).published_at
