"""Take donors who are being erased out of the stores, and out of the sample maps.

Safe to run twice and to be killed anywhere: a store is written anew beside the old one
and takes its place under the row's lock; whoever reads the old one reads it to the
end, or finds that it is gone and the row names another. Whose wish it is, and what
else of her goes, is left to `gemmule.releases.erasure`.
"""

from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

import genomics.child
from gemmule.catalog import samplemap, selectors, storage
from gemmule.catalog.errors import IntakeUnderway
from gemmule.catalog.models import DataFile, DataFileState, Dataset, Sample
from genomics.errors import GenomicsError
from genomics.removal_job import RemovalJob, RemovalResult

_CHILD_TIMEOUT_S = 6 * 60 * 60.0


def remove_donor(
    donor_id: UUID, *, work: str, attempt: int, check_lease: Callable[[], None]
) -> None:
    """Take a donor out of every store and map; `work` and `attempt` name a folder.

    Others who are being erased leave the same stores with her: fifty who ask at once
    cost one rewrite, not fifty. Raises IntakeUnderway while a file of a dataset of hers
    is being checked: it may hold her.
    """
    try:
        for dataset in Dataset.objects.filter(samples__donor_id=donor_id).distinct():
            while not _unmap(dataset, donor_id):
                _remove_from(dataset, f"{work}-{attempt}", check_lease)
    finally:
        # With those of attempts that died.
        for name in storage.rewrites():
            if name.startswith(work):
                storage.delete_rewrite(name)


def _remove_from(
    dataset: Dataset, folder: str, check_lease: Callable[[], None]
) -> None:
    """Write every file of the dataset anew that still holds who is being erased."""
    if not selectors.is_settled(dataset):
        raise IntakeUnderway(
            f"a file of dataset {dataset.accession} is being checked; it is rewritten "
            "when its check has ended"
        )
    leaving = set(
        dataset.samples.exclude(donor__erased_at=None).values_list(
            "source_name", flat=True
        )
    )
    for file in selectors.accepted_files(dataset):
        check_lease()
        there = leaving & set(file.sample_names)
        if there == set(file.sample_names):
            # Nobody would stay. The bytes go first: without the row none would ask
            # for them again.
            storage.delete(file.pk)
            DataFile.objects.filter(pk=file.pk).delete()
        elif there:
            _rewrite(file, sorted(there), folder, check_lease)


def _rewrite(
    file: DataFile, names: list[str], folder: str, check_lease: Callable[[], None]
) -> None:
    store = storage.rewrite_dir(folder) / "store"
    try:
        with storage.store_at_hand(file) as source:
            result = genomics.child.run(
                RemovalJob(
                    source=source,
                    store=store,
                    without=tuple(names),
                    build=file.dataset.build,
                    filter_is_cohort_independent=file.dataset.filter_is_cohort_independent,
                    source_sha256=file.sha256_store,
                    records_total=file.records,
                ),
                on_progress=lambda _: check_lease(),
                timeout_s=_CHILD_TIMEOUT_S,
                temp_root=storage.scratch(),
            )
    except (GenomicsError, FileNotFoundError):
        if not is_current(file):
            return  # Another erasure was faster; the caller looks again.
        raise
    with transaction.atomic():
        held = _current(file).select_for_update().first()
        if held is None:
            return
        # Under the row's lock: until the commit nobody is told of the new store, and
        # afterwards nobody of the old one.
        storage.put_in_place(store, held, held.attempts + 1)
        _describe(held, result, names)
    storage.sweep(held)


def _describe(file: DataFile, result: RemovalResult, names: list[str]) -> None:
    file.attempts += 1
    file.sha256_store = result.sha256_store
    file.sha256_columns = result.sha256_columns
    file.records = result.records
    file.contigs = [list(contig) for contig in result.contigs]
    file.megabases = [list(megabase) for megabase in result.megabases]
    file.sample_names = list(result.samples)
    # A warning that names a line may describe a record that only the donor carried.
    file.warnings = [text for text in file.warnings if not text.startswith("line ")]
    shown = file.original_name.casefold()
    if any(name.casefold() in shown for name in names):
        file.original_name = f"file {file.number}"
    file.save()


def is_current(file: DataFile) -> bool:
    """Tell whether the file's store is still the one that was read with the row."""
    return _current(file).exists()


def _current(file: DataFile) -> QuerySet[DataFile]:
    return DataFile.objects.filter(
        pk=file.pk, state=DataFileState.ACCEPTED, attempts=file.attempts
    )


def _unmap(dataset: Dataset, donor_id: UUID) -> bool:
    """Delete the donor's row of the map, once no file holds her; tell whether it is."""
    with transaction.atomic():
        # The lock of every change to files and map: none comes in between.
        locked = Dataset.objects.select_for_update().get(pk=dataset.pk)
        sample = Sample.objects.filter(dataset=locked, donor_id=donor_id).first()
        if sample is None:
            return True
        kept = list(selectors.accepted_files(locked))
        if not selectors.is_settled(locked) or any(
            sample.source_name in file.sample_names for file in kept
        ):
            return False
        for file in kept:
            # An attempt that died may have left the store from before its rewrite.
            storage.sweep(file)
        sample.delete()
        pairs = dict(selectors.map_rows(locked))
        # The digest said who was which sample, to whoever can guess one row of it.
        locked.map_sha256 = samplemap.digest(pairs) if locked.map_sha256 else ""
        locked.save(update_fields=["map_sha256"])
    return True
