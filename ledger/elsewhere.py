"""Ask witnesses, mirrors and places with copies how far the log was signed.

Their answers are not checked here, but in `rollback`. A place that does not answer is
left out.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late

from django.conf import settings

from ledger import (
    bodies,
    copies,
    cosigning,
    derivation,
    errors,
    gathering,
    models,
    policies,
    sources,
)
from ledger.gathering import Answer
from ledger.tiles import TileStore
from ledger.tlog import note, proof
from ledger.tlog.policy import Policy, Witness
from ledger.tlog.tile import TileTree

logger = logging.getLogger(__name__)

# Of one question: the first download of a process may wait for it.
_TIMEOUT_S = 1.5


def signed_notes() -> Iterator[tuple[str, bytes | None]]:
    """Yield the notes of witnesses, mirrors and copies, without those that are away."""
    asked = {
        f"the witness {each.key.name}": (_of_witness, each.url)
        for each in _witnesses()
        if each.url is not None
    }
    asked |= {f"the mirror {url}": (_of_mirror, url) for url in settings.LEDGER_MIRRORS}
    if asked:
        pool = ThreadPoolExecutor(max_workers=len(asked))
        waiting = {name: pool.submit(ask, url) for name, (ask, url) in asked.items()}
        deadline = time.monotonic() + 2 * _TIMEOUT_S
        for name, answer in waiting.items():
            try:
                yield name, answer.result(max(0.0, deadline - time.monotonic()))
            except (errors.LedgerError, Late) as error:
                logger.info("%s does not answer: %s", name, error)
        pool.shutdown(wait=False, cancel_futures=True)
    for place in copies.others():
        try:
            yield "the copy of the checkpoint", place.read(bodies.CHECKPOINT)
        except OSError as error:
            logger.info("the copy of the checkpoint cannot be read: %s", error)


def _of_witness(url: str) -> bytes | None:
    return cosigning.last_note(url, origin=settings.LEDGER_ORIGIN, timeout_s=_TIMEOUT_S)


def _of_mirror(url: str) -> bytes | None:
    with sources.at(url, timeout_s=_TIMEOUT_S) as source:
        try:
            return source.fetch(sources.CHECKPOINT, limit=note.MAX_BYTES)
        except errors.FileNotServed:
            return None


def refusals() -> list[Answer]:
    """Return who refuses to cosign the last published checkpoint again.

    For witnesses of other software, which show no note. Their refusal is a claim.
    """
    policy = policy_of_file()
    row = models.Checkpoint.objects.order_by("-size").first()
    if policy is None or row is None or not policy.witnesses:
        return []
    reader = derivation.reader(TileStore(settings.LEDGER_PUBLIC_DIR))
    tree = TileTree(row.size, reader)
    answers = gathering.gather(
        policy,
        bytes(row.note),
        size=row.size,
        known={each.key.text: row.size for each in policy.witnesses},
        prove=lambda old: proof.consistency_proof(old, row.size, tree) if old else [],
        timeout_s=_TIMEOUT_S,
    )
    # A publication under way may have been cosigned, and its row is still to come.
    size = models.Head.objects.values_list("size", flat=True).first() or 0
    under_way = range(row.size + 1, size + 1)
    return [each for each in answers if each.contradicts and each.size not in under_way]


def policy_of_file() -> Policy | None:
    """Return the policy of the file; None without one, or where it cannot be read."""
    try:
        return policies.from_file()
    except errors.PolicyInvalid as error:
        logger.error("witnesses cannot be asked: %s", error)
        return None


def _witnesses() -> Iterable[Witness]:
    policy = policy_of_file()
    return () if policy is None else policy.witnesses
