"""Forget what the API has kept long enough."""

from datetime import datetime

from gemmule.api.models import KEPT_FOR, IdempotentAnswer


def forget_answers(*, now: datetime) -> int:
    """Delete the answers whose promised life is over; return how many."""
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=now - KEPT_FOR).delete()
    return deleted
