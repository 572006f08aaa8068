"""Close a donor's history of decisions, and delete it.

From the mark on she can only withdraw: nothing new is recorded of who is being erased.
The mark also lets her decisions be deleted, which the database refuses for everybody
else. What else of her goes is left to `gemmule.releases.erasure`.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from consent import locks
from consent.errors import ErasureBegun
from consent.models import Act, Consent, Donor


def mark(*, donor: Donor, now: datetime) -> bool:
    """Mark the donor as being erased; return whether she was not before."""
    with transaction.atomic():
        locks.lock_exclusive(donor.pk)
        return bool(
            Donor.objects.filter(pk=donor.pk, erased_at=None).update(erased_at=now)
        )


def delete(donor_id: UUID) -> None:
    """Delete a marked donor with all her decisions; once she is gone, a no-op."""
    with transaction.atomic():
        locks.lock_exclusive(donor_id)
        Consent.objects.filter(donor_id=donor_id).delete()
        Donor.objects.filter(pk=donor_id).exclude(erased_at=None).delete()


def check_may_act(donor: Donor, act: Act) -> None:
    """Raise ErasureBegun unless the donor is there, and not being erased.

    Asked under the donor's lock, of the database and not of the instance. A withdrawal
    is the one act that an erasure itself begins with.
    """
    found = Donor.objects.filter(pk=donor.pk).values_list("erased_at", flat=True)
    if not found or (found[0] is not None and act is not Act.WITHDRAWN):
        raise ErasureBegun(
            "everything about this donor is being erased, so nothing new is recorded"
        )
