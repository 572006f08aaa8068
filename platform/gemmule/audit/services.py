"""What an auditor may do: have the whole ledger replayed, take a dossier away."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

import ledger.verifications
from gemmule.access.permissions import IRB_ROLES, READER_ROLES
from gemmule.accounts.models import User
from gemmule.accounts.permissions import check_role, has_role
from gemmule.audit import dossier, proof, tasks
from gemmule.celery import nudge
from gemmule.releases.models import Release


def verify_ledger(*, user: User, now: datetime) -> None:
    """Ask for a replay of the ledger by a worker; asking twice is asking once."""
    check_role(user, *READER_ROLES)
    with transaction.atomic():
        ledger.verifications.request(now=now)
        transaction.on_commit(partial(nudge, tasks.verify_ledger), robust=True)


def export_dossier(*, user: User, release: Release, now: datetime) -> dict[str, Any]:
    """Return a release's dossier as JSON values; for the IRB, with all that proves it.

    Raises NotAllowed, NotYetPublished.
    """
    check_role(user, *READER_ROLES)
    made = None
    if has_role(user, *IRB_ROLES) and release.account is not None:
        made = proof.take(user=user, release=release, now=now)
    return dossier.export(dossier.dossier(release), proof=made)
