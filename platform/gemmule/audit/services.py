"""What an auditor may set going: the replay of the whole ledger."""

from datetime import datetime
from functools import partial

from django.db import transaction

import ledger.verifications
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.models import User
from gemmule.accounts.permissions import check_role
from gemmule.audit import tasks
from gemmule.celery import nudge


def verify_ledger(*, user: User, now: datetime) -> None:
    """Ask for a replay of the ledger by a worker; asking twice is asking once."""
    check_role(user, *READER_ROLES)
    with transaction.atomic():
        ledger.verifications.request(now=now)
        transaction.on_commit(partial(nudge, tasks.verify_ledger), robust=True)
