"""Who may do what: the roles a person holds, and rules about people themselves.

Rules about projects, releases and the like live in their own rooms and call
`check_role` first.
"""

from django.contrib.auth.models import AnonymousUser

from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import Role, RoleProposal, User

KEY_ROLES = (Role.RESEARCHER,)
TOKEN_ROLES = (
    Role.RESEARCHER,
    Role.IRB_REVIEWER,
    Role.IRB_CHAIR,
    Role.STEWARD,
    Role.AUDITOR,
)


def has_role(user: User | AnonymousUser, *roles: Role) -> bool:
    """Return whether the person is active and holds at least one of `roles` now."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.role_grants.active().filter(role__in=roles).exists()


def check_role(user: User | AnonymousUser, *roles: Role) -> None:
    """Refuse whoever holds none of `roles`."""
    if not has_role(user, *roles):
        wanted = " or ".join(role.label for role in roles)
        raise NotAllowed(f"this needs the role {wanted}, which your account lacks")


def check_may_register_key(user: User) -> None:
    """Let researchers register the keys their files are encrypted to."""
    check_role(user, *KEY_ROLES)


def check_may_use_api(user: User) -> None:
    """Let those whom the API serves make tokens for themselves."""
    check_role(user, *TOKEN_ROLES)


def check_may_manage_people(user: User) -> None:
    """Let administrators see accounts and propose and confirm roles."""
    check_role(user, Role.ADMINISTRATOR)


def check_may_confirm(user: User, proposal: RoleProposal) -> None:
    """Let a second administrator confirm, neither who proposed nor who profits."""
    check_may_manage_people(user)
    if user.pk in (proposal.proposed_by_id, proposal.user_id):
        raise NotAllowed(
            "a role is confirmed by a second administrator, "
            "neither who proposed it nor who gets it"
        )


def can_confirm(user: User, proposal: RoleProposal) -> bool:
    """Return `check_may_confirm` as a boolean, for templates."""
    try:
        check_may_confirm(user, proposal)
    except NotAllowed:
        return False
    return True
