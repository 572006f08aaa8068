"""Read the inbox, and what is still to be mailed."""

from datetime import datetime

from django.db.models import QuerySet

from gemmule.accounts.models import User
from gemmule.notices.models import Notice


def inbox(user: User) -> QuerySet[Notice]:
    """Return the person's notices, the newest first."""
    return Notice.objects.filter(user=user)


def unread_count(user: User) -> int:
    """Return how many notices wait to be read; one query."""
    return Notice.objects.filter(user=user).unread().count()


def left_behind(*, since: datetime, until: datetime) -> list[int]:
    """Return up to 500 notices of that time whose mail nobody sent."""
    waiting = Notice.objects.unmailed().filter(
        created_at__gte=since, created_at__lt=until, user__is_active=True
    )
    return list(waiting.order_by("created_at").values_list("pk", flat=True)[:500])
