"""What the demo holds when it opens, made through the services everyone uses.

Run twice it changes nothing: what is there already is left as the cast made it.
"""

from datetime import datetime

from django.db import transaction

from gemmule.accounts import roles, services
from gemmule.accounts.models import Institution, Role, User
from gemmule.demo import cast


def prepare(*, now: datetime) -> None:
    """Bring the cast on stage."""
    for member in cast.CAST:
        enter(member, now=now)


def enter(member: cast.Member, *, now: datetime) -> User:
    """Return the member's account, opened with her roles if it was not there."""
    known = User.objects.filter(email=member.email).first()
    if known is not None:
        return known
    with transaction.atomic():
        user = services.open_account_by_command(
            email=member.email, name=member.name, password=cast.PASSWORD
        )
        if member.institution:
            user.institution, _ = Institution.objects.get_or_create(
                name=member.institution, defaults={"country": "SE"}
            )
            user.save(update_fields=["institution"])
        for role in map(Role, member.roles):
            if role is Role.DONOR:
                services.open_donor_account(user=user, now=now)
            else:
                roles.grant_by_command(user=user, role=role, confirmed_by=None, now=now)
    return user
