"""Give and take roles, and tell whom they are given to or taken from.

Who may is decided in `gemmule.accounts.roles`; a person learns of a power of theirs
in the same transaction in which it comes or goes.
"""

from datetime import datetime

from django.db import transaction
from django.urls import reverse

from gemmule.accounts import roles
from gemmule.accounts.models import Role, RoleGrant, User
from gemmule.notices import services


def confirm(
    *, administrator: User, proposal_id: int, password: str, now: datetime
) -> RoleGrant:
    """Give the proposed role, as the second of two administrators, by signature."""
    with transaction.atomic():
        grant = roles.confirm(
            administrator=administrator,
            proposal_id=proposal_id,
            password=password,
            now=now,
        )
        _tell_granted(grant, now)
    return grant


def grant_by_command(
    *, user: User, role: Role, confirmed_by: User | None, now: datetime
) -> RoleGrant:
    """Give a role from the command line of the machine itself."""
    with transaction.atomic():
        grant = roles.grant_by_command(
            user=user, role=role, confirmed_by=confirmed_by, now=now
        )
        _tell_granted(grant, now)
    return grant


def revoke(*, administrator: User, grant_id: int, now: datetime) -> RoleGrant:
    """Take a role away at once."""
    with transaction.atomic():
        grant = roles.revoke(administrator=administrator, grant_id=grant_id, now=now)
        services.notify(
            user=grant.user,
            kind="role.revoked",
            subject=f"You are no longer {grant.get_role_display()}",
            body=f"{administrator.name}, an administrator, took the role away. Ask "
            "them if this surprises you.",
            url=reverse("profile"),
            now=now,
        )
    return grant


def _tell_granted(grant: RoleGrant, now: datetime) -> None:
    services.notify(
        user=grant.user,
        kind="role.granted",
        subject=f"You are now {grant.get_role_display()}",
        body=f"{_by_whom(grant)} Tell an administrator if this surprises you.",
        url=reverse("profile"),
        now=now,
    )


def _by_whom(grant: RoleGrant) -> str:
    if grant.granted_by is not None and grant.confirmed_by is not None:
        return (
            f"{grant.granted_by.name} proposed it and {grant.confirmed_by.name} "
            "confirmed it."
        )
    said = "It was given from the command line of the machine itself"
    if grant.confirmed_by is not None:
        return f"{said}; {grant.confirmed_by.name} confirmed it."
    return f"{said}."
