"""Bring a dataset in: describe it, upload its files, map samples, publish it.

Every service is a steward's; the sample map takes two of them. What happens inside
an uploaded file is `intake`'s business, and what donors allow `consent`'s.
"""

import contextlib
import unicodedata
import uuid
from datetime import datetime

from django.db import transaction

import consent.services
import gemmule.accounts.services
import ledger.services
from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.catalog import (
    descriptions,
    permissions,
    samplemap,
    selectors,
    statements,
    states,
    storage,
    tasks,
    upkeep,
)
from gemmule.catalog.accessions import new_accession
from gemmule.catalog.descriptions import Description
from gemmule.catalog.errors import (
    DatasetInvalid,
    DatasetStateError,
    SampleMapInvalid,
    UploadRefused,
)
from gemmule.catalog.models import (
    DataFile,
    DataFileState,
    Dataset,
    DatasetState,
    Sample,
)
from gemmule.catalog.selectors import BuildEvidence
from gemmule.catalog.storage import Readable
from gemmule.celery import nudge

MAX_FILES = 200
_BATCH = 1000


def register_dataset(*, user: User, description: Description, now: datetime) -> Dataset:
    """Open a draft that only stewards see."""
    permissions.check_is_steward(user)
    fields = descriptions.checked(description)
    return Dataset.objects.create(
        accession=new_accession("GMD"), steward=user, created_at=now, **fields
    )


def describe_dataset(
    *, user: User, dataset: Dataset, description: Description
) -> Dataset:
    """Change what is said of a draft; its build only while it holds no file."""
    permissions.check_is_steward(user)
    fields = descriptions.checked(description)
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "describe")
        if fields["build"] != dataset.build and dataset.files.exists():
            raise DatasetInvalid(
                f"the files were checked as {dataset.build}; remove them before "
                "you change the genome build",
                field="build",
            )
        for name, value in fields.items():
            setattr(dataset, name, value)
        dataset.save(update_fields=list(fields))
    return dataset


def upload_file(
    *,
    user: User,
    dataset: Dataset,
    stream: Readable,
    original_name: str,
    now: datetime,
) -> DataFile:
    """Take in a file byte by byte and have it checked; raises UploadRefused.

    The name is kept for people to recognise the file, and for nothing else.
    """
    permissions.check_is_steward(user)
    states.check(dataset, "upload_file")
    file_id = uuid.uuid4()
    received = storage.receive(file_id, stream)
    try:
        with transaction.atomic():
            dataset = _locked(dataset)
            states.check(dataset, "upload_file")
            _check_is_new(dataset, received.sha256)
            last = dataset.files.order_by("-number").first()
            file = DataFile.objects.create(
                pk=file_id,
                dataset=dataset,
                number=1 if last is None else last.number + 1,
                original_name=_displayable(original_name),
                size_bytes=received.size_bytes,
                sha256_source=received.sha256,
                uploaded_by=user,
                uploaded_at=now,
                lease_until=now + upkeep.RESEND_AFTER,
            )
            transaction.on_commit(
                lambda: nudge(tasks.check_file, str(file_id)), robust=True
            )
    except BaseException:
        # Without a row nobody would ever ask for these bytes.
        with contextlib.suppress(OSError):
            storage.delete(file_id)
        raise
    return file


def remove_file(*, user: User, dataset: Dataset, number: int) -> None:
    """Delete a file of a draft, its bytes and its report.

    With the last accepted file the sample map goes, for it maps nothing any more.
    """
    permissions.check_is_steward(user)
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "remove_file")
        file = selectors.file_for_steward(user, dataset, number)
        file_id = file.pk
        file.delete()
        dataset.build_statement = None
        if not selectors.accepted_files(dataset).exists():
            _drop_map(dataset)
        dataset.save()
        transaction.on_commit(lambda: storage.delete(file_id), robust=True)


def upload_sample_map(
    *, user: User, dataset: Dataset, data: bytes, now: datetime
) -> Dataset:
    """Replace the sample map by a CSV `sample,donor`; a second steward confirms it.

    Raises SampleMapInvalid with every mismatch, and then changes nothing. A row
    with an empty donor says on purpose that the sample is nobody's.
    """
    permissions.check_is_steward(user)
    states.check(dataset, "upload_map")
    rows = samplemap.read(data)
    wanted = {row.donor_id for row in rows if row.donor_id is not None}
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "upload_map")
        names = _settled_samples(dataset)
        known = frozenset(
            Donor.objects.filter(pk__in=wanted, erased_at=None).values_list(
                "pk", flat=True
            )
        )
        if problems := samplemap.compare(rows, names, known):
            raise SampleMapInvalid(problems)
        _store_map(dataset, {row.sample: row.donor_id for row in rows}, user, now)
    return dataset


def make_donors(*, user: User, dataset: Dataset, now: datetime) -> Dataset:
    """Register a new donor for every sample that has none, and map them.

    For people who gave samples before they had an account. A new donor has no
    consent, so nothing of hers is released until she, or staff for her, gives one.
    """
    permissions.check_is_steward(user)
    states.check(dataset, "make_donors")
    names = _settled_samples(dataset)
    mapped = dict(dataset.samples.values_list("source_name", "donor_id"))
    unmapped = [name for name in names if name not in mapped]
    if not unmapped:
        raise DatasetStateError("every sample has a donor already; nothing was made")
    # Their vault keys are committed before the map: a donor without one is harmless.
    donors = consent.services.register_donors(count=len(unmapped), now=now)
    made = {name: donor.pk for name, donor in zip(unmapped, donors, strict=True)}
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "make_donors")
        if dict(dataset.samples.values_list("source_name", "donor_id")) != mapped:
            raise DatasetStateError(
                "the sample map was changed by someone else meanwhile; look at it "
                "and try again"
            )
        _store_map(dataset, mapped | made, user, now)
    return dataset


def confirm_sample_map(
    *, user: User, dataset: Dataset, map_sha256: str, now: datetime
) -> Dataset:
    """Confirm as a second steward the very map that was shown, and lock it.

    `map_sha256` is `Dataset.map_sha256` as the steward saw it: a map that was
    replaced in between is not confirmed by accident.
    """
    permissions.check_is_steward(user)
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "confirm_map")
        names = _settled_samples(dataset)
        if not dataset.map_sha256:
            raise DatasetStateError("there is no sample map to confirm yet")
        permissions.check_may_confirm_map(user, dataset)
        if map_sha256 != dataset.map_sha256:
            raise DatasetStateError(
                "the sample map was replaced since you looked at it; "
                "look at the new one and confirm that"
            )
        mapped = set(dataset.samples.values_list("source_name", flat=True))
        if not mapped <= set(names):
            raise AssertionError("a stored map holds only samples of the files")
        dataset.map_confirmed_by = user
        dataset.map_confirmed_at = now
        dataset.save(update_fields=["map_confirmed_by", "map_confirmed_at"])
    return dataset


def reopen_dataset(*, user: User, dataset: Dataset) -> Dataset:
    """Take the confirmation back, so that files and map may change again."""
    permissions.check_is_steward(user)
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "reopen")
        dataset.map_confirmed_by = None
        dataset.map_confirmed_at = None
        dataset.save(update_fields=["map_confirmed_by", "map_confirmed_at"])
    return dataset


def state_build(
    *, user: User, dataset: Dataset, password: str, now: datetime
) -> Dataset:
    """Sign that the files' coordinates are on the dataset's build.

    For files without contig lengths, which would prove it. Any change of files
    voids the statement.
    """
    permissions.check_is_steward(user)
    states.check(dataset, "state_build")
    statement = statements.of_build(dataset)
    # Outside of the transaction, so that a wrong password is counted whatever follows.
    signature = gemmule.accounts.services.sign(
        user=user, password=password, statement=statement, now=now
    )
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "state_build")
        if not selectors.accepted_files(dataset).exists():
            raise DatasetStateError("there is no accepted file to speak for yet")
        if selectors.build_evidence(dataset) is BuildEvidence.LENGTHS:
            raise DatasetStateError(
                "the contig lengths in the files prove the build; nobody needs to sign"
            )
        if statements.of_build(dataset) != statement:
            raise DatasetStateError(
                "the files changed while you signed; look at them and sign again"
            )
        dataset.build_statement = {
            "user": user.pk,
            "method": signature.method,
            "signed_at": now.isoformat(),
            "statement_sha256": signature.statement_sha256,
        }
        dataset.save(update_fields=["build_statement"])
    return dataset


def publish_dataset(*, user: User, dataset: Dataset, now: datetime) -> Dataset:
    """Show the dataset to researchers and record it on the ledger, for good."""
    permissions.check_is_steward(user)
    with transaction.atomic():
        dataset = _locked(dataset)
        states.check(dataset, "publish")
        _settled_samples(dataset)
        evidence = selectors.build_evidence(dataset)
        if evidence is None:
            raise DatasetStateError(
                f"nothing in the files proves that they are on {dataset.build}, "
                "so a steward must sign that they are"
            )
        if not dataset.samples.exists():
            raise DatasetStateError("no sample of the dataset has a donor")
        dataset.state = DatasetState.PUBLISHED
        dataset.published_at = now
        dataset.event = uuid.uuid4()
        dataset.save(update_fields=["state", "published_at", "event"])
        ledger.services.append(
            type="data.registered",
            pub={"dataset": dataset.accession, "build": dataset.build},
            body=statements.of_registration(dataset, evidence, user),
            event=dataset.event,
            now=now,
        )
    return dataset


def _check_is_new(dataset: Dataset, sha256: str) -> None:
    files = dataset.files.exclude(state=DataFileState.REFUSED)
    same = files.filter(sha256_source=sha256).first()
    if same is not None:
        raise UploadRefused(
            f"this is file {same.number} of the dataset, byte for byte; "
            "it was not kept a second time"
        )
    if files.count() >= MAX_FILES:
        raise UploadRefused(f"a dataset holds at most {MAX_FILES} files")


def _settled_samples(dataset: Dataset) -> list[str]:
    """Return the files' samples once every check has ended, or refuse."""
    if not selectors.is_settled(dataset):
        raise DatasetStateError("wait until every file has been checked")
    names = selectors.sample_names(dataset)
    if not names:
        raise DatasetStateError("upload a file first; none has been accepted yet")
    return names


def _store_map(
    dataset: Dataset,
    pairs: dict[str, uuid.UUID | None] | dict[str, uuid.UUID],
    user: User,
    now: datetime,
) -> None:
    dataset.samples.all().delete()
    Sample.objects.bulk_create(
        [
            Sample(dataset=dataset, source_name=name, donor_id=donor_id)
            for name, donor_id in pairs.items()
            if donor_id is not None
        ],
        batch_size=_BATCH,
    )
    dataset.map_sha256 = samplemap.digest(pairs)
    dataset.map_uploaded_by = user
    dataset.map_uploaded_at = now
    dataset.save(update_fields=["map_sha256", "map_uploaded_by", "map_uploaded_at"])


def _drop_map(dataset: Dataset) -> None:
    dataset.samples.all().delete()
    dataset.map_sha256 = ""
    dataset.map_uploaded_by = None
    dataset.map_uploaded_at = None


def _displayable(name: str) -> str:
    """Return the last part of a file name without control characters, shortened."""
    last = name.replace("\\", "/").rpartition("/")[2]
    # Category C: control and format characters, such as those that turn text around.
    kept = "".join(sign for sign in last if unicodedata.category(sign)[0] != "C")
    return kept.strip()[:255] or "unnamed"


def _locked(dataset: Dataset) -> Dataset:
    return Dataset.objects.select_for_update().get(pk=dataset.pk)
