"""Check one uploaded file in a child process and keep the outcome.

Safe to run twice and to be killed anywhere: the row says who holds the file (its
newest attempt, while the lease runs), every attempt writes a store of its own, and
bytes are deleted only after the row says that they are not needed. What a sound VCF
is, `genomics` knows. Never imports services; a task calls it with an id.
"""

import contextlib
import dataclasses
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

import gemmule.notices.services
import genomics.child
from gemmule.catalog import leases, states, storage
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.objects.kept import StorageAway
from genomics.errors import GenomicsError, IntakeRefused
from genomics.job import IntakeJob, IntakeResult, Progress
from genomics.limits import Limits

logger = logging.getLogger(__name__)

# A file whose check broke off this often is set aside: it may be what breaks it.
MAX_ATTEMPTS = 3
LEASE = timedelta(seconds=60)
_CHILD_TIMEOUT_S = 6 * 60 * 60.0

Clock = Callable[[], datetime]


class _LeaseLost(Exception):
    """Another worker holds the file now, or it was removed."""


def check(file_id: UUID, *, clock: Clock) -> DataFileState | None:
    """Check one file; return its state afterwards, or None when it was not ours.

    A check that broke off puts the file back to `uploaded`: the caller sends it
    again. After three of them the file is refused, as set aside.
    """
    file = _take(file_id, clock())
    if file is None:
        return None
    try:
        with _lease_kept(file, clock) as check_lease:
            with storage.source_at_hand(file) as source:
                result = genomics.child.run(
                    IntakeJob(
                        source=source,
                        store=storage.store_path(file),
                        build=file.dataset.build,
                        limits=Limits(source_bytes=settings.UPLOAD_MAX_BYTES),
                    ),
                    on_progress=_reporter(file, check_lease),
                    timeout_s=_CHILD_TIMEOUT_S,
                    temp_root=storage.scratch(),
                )
            check_lease()
            storage.keep_store(file)
    except _LeaseLost:
        logger.warning("file %s: another check holds it, or it was removed", file_id)
        return None
    except IntakeRefused as refused:
        return _settle(file, refused, clock())
    except StorageAway as error:
        logger.warning("file %s: %s", file_id, error)
        _wait_for_storage(file, clock())
        return None
    except FileNotFoundError:
        logger.exception("file %s: its upload is gone from the storage", file_id)
        return _broken_off(file, "its upload is gone from the storage", clock())
    except GenomicsError as error:
        logger.exception("file %s: attempt %s broke off", file_id, file.attempts)
        return _broken_off(file, str(error), clock())
    return _settle(file, result, clock())


def _take(file_id: UUID, now: datetime) -> DataFile | None:
    """Hold the file for one more attempt, or return None."""
    with transaction.atomic():
        file = (
            DataFile.objects.select_for_update(of=("self",))
            .select_related("dataset")
            .filter(pk=file_id)
            .first()
        )
        if file is None or not is_waiting(file, now):
            return None
        if file.attempts >= MAX_ATTEMPTS:
            # Put-back files have tries left, so this one lost its worker.
            _refuse(file, _set_aside("its worker was lost"), now)
        else:
            file.state = states.next_file_state(file.state, "start")
            file.attempts += 1
            file.lease_until = now + LEASE
            file.progress = {}
            file.save()
    if file.state == DataFileState.REFUSED:
        _sweep(file)
        return None
    return file


def is_waiting(file: DataFile, now: datetime) -> bool:
    """Return whether the file waits for a check, or has lost the one it was in."""
    if file.state == DataFileState.CHECKING:
        return file.lease_until is None or file.lease_until < now
    return file.state == DataFileState.UPLOADED


def _lease_kept(
    file: DataFile, clock: Clock
) -> AbstractContextManager[Callable[[], None]]:
    def renew() -> bool:
        return bool(_held(file).update(lease_until=clock() + LEASE))

    return leases.kept(renew, lease=LEASE, lost=_LeaseLost)


def _reporter(
    file: DataFile, check_lease: Callable[[], None]
) -> Callable[[Progress], None]:
    def report(progress: Progress) -> None:
        check_lease()
        if not _held(file).update(progress=progress.to_json()):
            raise _LeaseLost

    return report


def _held(file: DataFile) -> Any:
    """Return the row as long as this attempt holds it."""
    return DataFile.objects.filter(
        pk=file.pk, state=DataFileState.CHECKING, attempts=file.attempts
    )


def _settle(
    file: DataFile, outcome: IntakeResult | IntakeRefused, now: datetime
) -> DataFileState | None:
    """Write the outcome into the row, if it is still ours, then tidy the folder."""
    with transaction.atomic():
        # Datasets are locked before their files everywhere: two files that finish
        # at once are compared with each other.
        dataset = Dataset.objects.select_for_update().filter(pk=file.dataset_id).first()
        held = _held(file).select_for_update().first()
        if dataset is None or held is None:
            with contextlib.suppress(OSError):
                storage.discard_attempt(file)
            return None
        if isinstance(outcome, IntakeRefused):
            _refuse(held, _refusal(outcome), now)
        elif difference := _sample_difference(dataset, outcome):
            _refuse(held, difference, now)
        else:
            _accept(dataset, held, outcome, now)
    _sweep(held)
    return DataFileState(held.state)


def _accept(
    dataset: Dataset, file: DataFile, result: IntakeResult, now: datetime
) -> None:
    if result.sha256_source != file.sha256_source:
        raise AssertionError(f"file {file.pk} changed on disk since its upload")
    file.state = states.next_file_state(file.state, "accept")
    file.lease_until = None
    file.progress = {}
    file.sha256_store = result.sha256_store
    file.sha256_columns = result.sha256_columns
    file.records = result.records
    file.contigs = [list(contig) for contig in result.contigs]
    file.megabases = [list(megabase) for megabase in result.megabases]
    file.sample_names = list(result.samples)
    file.warnings = list(result.warnings)
    file.checked_at = now
    file.save()
    # A word given for other files does not cover this one.
    dataset.build_statement = None
    dataset.save(update_fields=["build_statement"])
    _tell(file, "file.accepted", "was accepted", "It holds a sound VCF.", now)


def _refuse(file: DataFile, refusal: dict[str, Any], now: datetime) -> None:
    file.state = states.next_file_state(file.state, "refuse")
    file.lease_until = None
    file.progress = {}
    file.refusal = refusal
    file.checked_at = now
    file.save()
    _tell(file, "file.refused", "was refused", refusal["message"], now)


def _broken_off(file: DataFile, reason: str, now: datetime) -> DataFileState | None:
    """Put the file back for another attempt, or set it aside after the last one."""
    with transaction.atomic():
        held = _held(file).select_for_update().first()
        if held is None:
            return None
        if held.attempts >= MAX_ATTEMPTS:
            _refuse(held, _set_aside(reason), now)
        else:
            held.state = states.next_file_state(held.state, "put_back")
            # The task sends it again at once; the periodic one waits until then.
            held.lease_until = now + LEASE
            held.progress = {}
            held.save()
    _sweep(held)
    return DataFileState(held.state)


def _wait_for_storage(file: DataFile, now: datetime) -> None:
    """Put the file back until a lease has passed: no try of its own is used up.

    The periodic task sends it again then, and for as long as the storage is away.
    """
    with transaction.atomic():
        held = _held(file).select_for_update().first()
        if held is not None:
            held.state = states.next_file_state(held.state, "put_back")
            held.attempts -= 1
            held.lease_until = now + LEASE
            held.progress = {}
            held.save()


def _sweep(file: DataFile) -> None:
    # What cannot be deleted now, `upkeep.tidy` finds again.
    with contextlib.suppress(OSError):
        storage.sweep(file)


def _refusal(refused: IntakeRefused) -> dict[str, Any]:
    return {
        "code": refused.code,
        "message": refused.message,
        "line": refused.line,
        "column": refused.column,
        # All that was found, the one above among them.
        "faults": [dataclasses.asdict(fault) for fault in refused.faults],
    }


def _set_aside(reason: str) -> dict[str, Any]:
    return {
        "code": "set-aside",
        "message": (
            f"the check of this file broke off {MAX_ATTEMPTS} times "
            f"(the last time: {reason}), so it was set aside and its bytes deleted; "
            "split the file by chromosome and upload the parts, or tell the "
            "administrator, who finds the reason in the worker's log"
        ),
        "line": None,
        "column": None,
    }


def _sample_difference(dataset: Dataset, result: IntakeResult) -> dict[str, Any] | None:
    """Return why the samples do not fit those of the files accepted before."""
    other = dataset.files.filter(state=DataFileState.ACCEPTED).first()
    if other is None:
        return None
    there, here = set(other.sample_names), set(result.samples)
    if there == here:
        return None
    return {
        "code": "other-samples",
        "message": (
            f"every file of a dataset holds the same samples: expected the "
            f"{len(there)} of file {other.number}, got {len(here)}; "
            f"{len(there - here)} of them are missing here and "
            f"{len(here - there)} are not in file {other.number}"
        ),
        # The line of column names, which VCF has no number for of its own.
        "line": None,
        "column": None,
    }


def _tell(file: DataFile, kind: str, what: str, body: str, now: datetime) -> None:
    gemmule.notices.services.notify(
        user=file.uploaded_by,
        kind=kind,
        subject=f"File {file.number} of dataset {file.dataset.accession} {what}",
        body=body,
        url=f"/steward/datasets/{file.dataset.accession}/files/{file.number}/",
        now=now,
    )
