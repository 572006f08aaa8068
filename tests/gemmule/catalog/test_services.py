"""What stewards can do with a dataset, and what they cannot."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

import consent.services
import gemmule.accounts.services
import ledger.selectors
from consent.models import Donor
from gemmule.accounts.errors import NotAllowed, NotFound, SignatureRefused
from gemmule.accounts.models import Role, User
from gemmule.catalog import selectors, services, states, storage
from gemmule.catalog.errors import (
    CatalogError,
    DatasetInvalid,
    DatasetStateError,
    SampleMapInvalid,
    UploadRefused,
)
from gemmule.catalog.models import DataFile, DataFileState, Dataset, DatasetState
from gemmule.catalog.selectors import BuildEvidence
from gemmule.catalog.states import Stage
from gemmule.demo import cast
from tests import factories
from tests.gemmule.catalog.callsets import DESCRIPTION, NAMES, Upload, vcf

pytestmark = pytest.mark.django_db

Check = Callable[[DataFile], DataFile]

# Each act as any person would try it; the state is right for none of them, but who
# may act is asked before that.
ACTS: dict[str, Callable[[User, Dataset, datetime], Any]] = {
    "register": lambda user, dataset, now: services.register_dataset(
        user=user, description=DESCRIPTION, now=now
    ),
    "describe": lambda user, dataset, now: services.describe_dataset(
        user=user, dataset=dataset, description=DESCRIPTION
    ),
    "upload_file": lambda user, dataset, now: services.upload_file(
        user=user, dataset=dataset, stream=io.BytesIO(b"x"), original_name="x", now=now
    ),
    "remove_file": lambda user, dataset, now: services.remove_file(
        user=user, dataset=dataset, number=1
    ),
    "upload_map": lambda user, dataset, now: services.upload_sample_map(
        user=user, dataset=dataset, data=b"", now=now
    ),
    "make_donors": lambda user, dataset, now: services.make_donors(
        user=user, dataset=dataset, now=now
    ),
    "confirm_map": lambda user, dataset, now: services.confirm_sample_map(
        user=user, dataset=dataset, map_sha256="", now=now
    ),
    "reopen": lambda user, dataset, now: services.reopen_dataset(
        user=user, dataset=dataset
    ),
    "state_build": lambda user, dataset, now: services.state_build(
        user=user, dataset=dataset, password=cast.PASSWORD, now=now
    ),
    "publish": lambda user, dataset, now: services.publish_dataset(
        user=user, dataset=dataset, now=now
    ),
}


# --- who ---------------------------------------------------------------------


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", [role for role in Role if role != Role.STEWARD])
def test_only_stewards_work_on_datasets(
    act: str, role: Role, dataset: Dataset, now: datetime
) -> None:
    before = Dataset.objects.count()
    with pytest.raises(NotAllowed, match="Data steward"):
        ACTS[act](factories.person(role), dataset, now)
    assert Dataset.objects.count() == before


@pytest.mark.parametrize("act", ACTS)
def test_stranger_is_refused(
    act: str, sam: User, dataset: Dataset, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        ACTS[act](sam, dataset, now)


def test_every_act_of_the_state_table_is_tried_above() -> None:
    assert set().union(*states.ACTS.values()) == set(ACTS) - {"register"}


def test_first_steward_cannot_confirm_her_own_map(
    sven: User, mapped: Dataset, now: datetime
) -> None:
    with pytest.raises(NotAllowed, match="another steward"):
        services.confirm_sample_map(
            user=sven, dataset=mapped, map_sha256=mapped.map_sha256, now=now
        )
    mapped.refresh_from_db()
    assert states.stage(mapped) is Stage.OPEN


@pytest.mark.parametrize("changed", ["map_uploaded_by", "map_confirmed_by"])
def test_database_holds_the_second_pair_of_eyes(
    changed: str, sven: User, signe: User, confirmed: Dataset
) -> None:
    same = {"map_uploaded_by": signe, "map_confirmed_by": sven}[changed]
    row = Dataset.objects.filter(pk=confirmed.pk)
    rule = "catalog_map_confirmed_by_another"
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        row.update(**{changed: same})
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        row.update(map_uploaded_by=None)


# --- register and describe ---------------------------------------------------


def test_registered_dataset_is_a_draft_that_only_stewards_see(
    sven: User, dataset: Dataset
) -> None:
    assert dataset.state == DatasetState.DRAFT
    assert dataset.accession.startswith("GMD")
    assert dataset not in selectors.published()
    with pytest.raises(NotFound):
        selectors.published_dataset(dataset.accession)
    assert selectors.dataset_for_steward(sven, dataset.accession) == dataset
    with pytest.raises(NotFound):
        selectors.dataset_for_steward(sven, "GMD0000000")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": "   abc  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"summary": "short"}, "summary"),
        ({"build": "hg19"}, "build"),
        ({"build": ""}, "build"),
        ({"barred_countries": ["Sweden"]}, "barred_countries"),
        ({"barred_countries": ["SE", "x1"]}, "barred_countries"),
    ],
)
def test_wrong_description_names_its_field(
    sven: User, now: datetime, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(DatasetInvalid) as refused:
        services.register_dataset(
            user=sven, description=replace(DESCRIPTION, **change), now=now
        )
    assert refused.value.field == field
    assert not Dataset.objects.exists()


def test_description_changes_and_is_tidied(sven: User, dataset: Dataset) -> None:
    changed = services.describe_dataset(
        user=sven,
        dataset=dataset,
        description=replace(
            DESCRIPTION,
            title="  Another   title ",
            build="GRCh38",
            barred_countries=["US", "SE", "US"],
        ),
    )
    assert changed.title == "Another title"
    assert changed.build == "GRCh38"
    assert changed.barred_countries == ["SE", "US"]


def test_build_stays_once_a_file_was_checked_against_it(
    sven: User, accepted: DataFile
) -> None:
    with pytest.raises(DatasetInvalid, match="remove them before") as refused:
        services.describe_dataset(
            user=sven,
            dataset=accepted.dataset,
            description=replace(DESCRIPTION, build="GRCh38"),
        )
    assert refused.value.field == "build"


# --- upload ------------------------------------------------------------------


def test_upload_lies_under_its_id_alone(
    upload: Upload, dataset: Dataset, store: Path
) -> None:
    file = upload(vcf(), "../../etc/Ada Brandt\u202e.vcf")
    path = storage.source_path(file)
    assert path.relative_to(store).parts == (str(file.pk), "source")
    assert path.read_bytes() == vcf()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert file.original_name == "Ada Brandt.vcf"
    assert (file.number, file.size_bytes) == (1, len(vcf()))


def test_upload_has_itself_checked_after_the_commit(
    upload: Upload,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        services, "nudge", lambda task, *args: sent.append((task.name, args))
    )
    with django_capture_on_commit_callbacks(execute=True):
        file = upload(vcf())
        assert sent == []
    assert sent == [("catalog.check_file", (str(file.pk),))]


@pytest.mark.parametrize(
    ("data", "message"), [(b"", "empty"), (b"x" * 101, "longer than 100 bytes")]
)
def test_upload_of_a_wrong_length_leaves_nothing(
    data: bytes, message: str, upload: Upload, store: Path, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 100
    with pytest.raises(UploadRefused, match=message):
        upload(data)
    assert not DataFile.objects.exists()
    assert list(store.iterdir()) == []


def test_upload_that_breaks_off_leaves_nothing(
    sven: User, dataset: Dataset, store: Path, now: datetime
) -> None:
    class Dropped(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell():
                raise ConnectionResetError
            return super().read(3)

    with pytest.raises(ConnectionResetError):
        services.upload_file(
            user=sven,
            dataset=dataset,
            stream=Dropped(vcf()),
            original_name="calls.vcf",
            now=now,
        )
    assert not DataFile.objects.exists()
    assert list(store.iterdir()) == []


def test_full_disk_is_told_as_such(
    upload: Upload, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(UploadRefused, match="no room left"):
        upload(vcf())
    assert list(store.iterdir()) == []


def test_same_bytes_are_taken_in_once(upload: Upload, store: Path) -> None:
    file = upload(vcf())
    with pytest.raises(UploadRefused, match="file 1 of the dataset"):
        upload(vcf(), "again.vcf")
    assert [path.name for path in store.iterdir()] == [str(file.pk)]


def test_same_bytes_may_come_again_after_a_refusal(
    upload: Upload, check: Check
) -> None:
    refused = check(upload(b"no VCF at all\n"))
    assert refused.state == DataFileState.REFUSED
    assert upload(b"no VCF at all\n").number == 2


def test_dataset_holds_a_limited_number_of_files(
    upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MAX_FILES", 1)
    upload(b"one")
    with pytest.raises(UploadRefused, match="at most 1 files"):
        upload(b"two")


def test_removed_file_takes_its_bytes_along(
    sven: User,
    upload: Upload,
    dataset: Dataset,
    store: Path,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kept, gone = upload(b"one"), upload(b"two")
    with django_capture_on_commit_callbacks(execute=True):
        services.remove_file(user=sven, dataset=dataset, number=gone.number)
    assert list(dataset.files.all()) == [kept]
    assert [path.name for path in store.iterdir()] == [str(kept.pk)]
    with pytest.raises(NotFound):
        services.remove_file(user=sven, dataset=dataset, number=gone.number)


def test_numbers_of_files_go_on_after_a_removal(
    sven: User, upload: Upload, dataset: Dataset
) -> None:
    upload(b"one")
    upload(b"two")
    services.remove_file(user=sven, dataset=dataset, number=1)
    assert upload(b"three").number == 3


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


# --- genome build ------------------------------------------------------------


def test_contig_lengths_prove_the_build(accepted: DataFile) -> None:
    assert selectors.build_evidence(accepted.dataset) is BuildEvidence.LENGTHS


def test_without_lengths_a_signature_stands_in(
    sven: User, dataset: Dataset, upload: Upload, check: Check, now: datetime
) -> None:
    assert selectors.build_evidence(dataset) is None
    check(upload(vcf(length=None)))
    assert selectors.build_evidence(dataset) is None
    stated = services.state_build(
        user=sven, dataset=dataset, password=cast.PASSWORD, now=now
    )
    assert selectors.build_evidence(stated) is BuildEvidence.STATEMENT
    assert stated.build_statement is not None
    assert stated.build_statement["user"] == sven.pk


def test_wrong_password_signs_nothing(
    sven: User, dataset: Dataset, upload: Upload, check: Check, now: datetime
) -> None:
    check(upload(vcf(length=None)))
    with pytest.raises(SignatureRefused):
        services.state_build(user=sven, dataset=dataset, password="wrong", now=now)
    dataset.refresh_from_db()
    assert dataset.build_statement is None


def test_signature_for_files_that_changed_meanwhile_is_refused(
    sven: User,
    dataset: Dataset,
    upload: Upload,
    check: Check,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(upload(vcf(length=None)))
    sign = gemmule.accounts.services.sign

    def meanwhile(**signed: Any) -> Any:
        check(upload(vcf(length=None).replace(b"rs1", b"rs2")))
        return sign(**signed)

    monkeypatch.setattr(gemmule.accounts.services, "sign", meanwhile)
    with pytest.raises(DatasetStateError, match="files changed while you signed"):
        services.state_build(
            user=sven, dataset=dataset, password=cast.PASSWORD, now=now
        )
    dataset.refresh_from_db()
    assert dataset.build_statement is None


def test_nobody_signs_for_what_lengths_prove(
    sven: User, accepted: DataFile, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="nobody needs to sign"):
        services.state_build(
            user=sven, dataset=accepted.dataset, password=cast.PASSWORD, now=now
        )


def test_statement_needs_a_file(sven: User, dataset: Dataset, now: datetime) -> None:
    with pytest.raises(DatasetStateError, match="no accepted file"):
        services.state_build(
            user=sven, dataset=dataset, password=cast.PASSWORD, now=now
        )


def test_change_of_files_voids_the_statement(
    sven: User, dataset: Dataset, upload: Upload, check: Check, now: datetime
) -> None:
    check(upload(vcf(length=None)))
    services.state_build(user=sven, dataset=dataset, password=cast.PASSWORD, now=now)
    check(upload(vcf(length=None).replace(b"rs1", b"rs2")))
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is None
    services.state_build(user=sven, dataset=dataset, password=cast.PASSWORD, now=now)
    services.remove_file(user=sven, dataset=dataset, number=2)
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is None


# --- publication -------------------------------------------------------------


def test_published_dataset_is_on_the_ledger(
    sven: User, confirmed: Dataset, accepted: DataFile, now: datetime
) -> None:
    published = services.publish_dataset(user=sven, dataset=confirmed, now=now)
    assert published in selectors.published()
    assert selectors.published_dataset(published.accession) == published
    assert published.event is not None
    entry = ledger.selectors.entry(published.event)
    assert entry.type == "data.registered"
    assert entry.pub == {"dataset": published.accession, "build": "GRCh37"}
    body = ledger.selectors.open_body(published.event)
    assert body is not None
    assert body["files"][0]["sha256_source"] == accepted.sha256_source
    assert body["map_sha256"] == published.map_sha256
    assert body["build_evidence"] == "lengths"


def test_published_dataset_does_not_change(
    sven: User, confirmed: Dataset, now: datetime
) -> None:
    published = services.publish_dataset(user=sven, dataset=confirmed, now=now)
    for act in states.ACTS[Stage.OPEN] | states.ACTS[Stage.CONFIRMED]:
        with pytest.raises(DatasetStateError, match="it is published"):
            ACTS[act](sven, published, now)


def test_unconfirmed_dataset_is_not_published(
    sven: User, mapped: Dataset, now: datetime
) -> None:
    with pytest.raises(DatasetStateError, match="not confirmed yet"):
        services.publish_dataset(user=sven, dataset=mapped, now=now)
    assert not selectors.published().exists()


def test_unproved_build_is_not_published(
    sven: User,
    signe: User,
    dataset: Dataset,
    upload: Upload,
    check: Check,
    sample_map: bytes,
    now: datetime,
) -> None:
    check(upload(vcf(length=None)))
    services.upload_sample_map(user=sven, dataset=dataset, data=sample_map, now=now)
    dataset.refresh_from_db()
    services.confirm_sample_map(
        user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
    )
    with pytest.raises(DatasetStateError, match="a steward must sign"):
        services.publish_dataset(user=sven, dataset=dataset, now=now)
    services.state_build(user=signe, dataset=dataset, password=cast.PASSWORD, now=now)
    published = services.publish_dataset(user=sven, dataset=dataset, now=now)
    assert published.event is not None
    body = ledger.selectors.open_body(published.event)
    assert body is not None
    assert body["build_evidence"] == "statement"
    assert body["build_statement"]["user"] == signe.pk


def test_dataset_of_nobody_is_not_published(
    sven: User, signe: User, accepted: DataFile, now: datetime
) -> None:
    text = "sample,donor\n" + "".join(f"{name},\n" for name in NAMES)
    dataset = services.upload_sample_map(
        user=sven, dataset=accepted.dataset, data=text.encode(), now=now
    )
    services.confirm_sample_map(
        user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
    )
    with pytest.raises(DatasetStateError, match="no sample of the dataset has a donor"):
        services.publish_dataset(user=sven, dataset=dataset, now=now)


def test_steward_reads_no_genotype_back() -> None:
    returned = {
        name
        for name in vars(selectors)
        if any(word in name for word in ("genotype", "record", "variant"))
    }
    assert returned == set()


def test_errors_are_those_of_the_room() -> None:
    for error in (DatasetInvalid, DatasetStateError, SampleMapInvalid, UploadRefused):
        assert issubclass(error, CatalogError)
