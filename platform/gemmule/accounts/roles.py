"""Grant and revoke roles: one administrator proposes, a second one confirms.

Nobody grants themselves anything, and every grant and revocation is an entry on
the ledger. Being a donor is no power over others: that role comes with one's own
sign-up and is not recorded there.
"""

import uuid
from datetime import datetime

from django.db import transaction

import ledger.services
from gemmule.accounts import permissions, services
from gemmule.accounts.errors import NotAllowed, NotFound, RoleRefused
from gemmule.accounts.models import Role, RoleGrant, RoleProposal, User
from gemmule.accounts.signatures import Signature

# A fresh installation grants roles by command until two people can do it.
BOOTSTRAP_ADMINISTRATORS = 2


def propose(
    *, administrator: User, user: User, role: Role, now: datetime
) -> RoleProposal:
    """Ask a second administrator to give `user` the role."""
    permissions.check_may_manage_people(administrator)
    if user.pk == administrator.pk:
        raise NotAllowed("nobody may propose a role for themselves")
    with transaction.atomic():
        # Two proposals at the same moment: the second waits and sees the first.
        User.objects.select_for_update().get(pk=user.pk)
        _check_is_grantable(user, role)
        if user.role_proposals.filter(role=role, state=RoleProposal.State.OPEN):
            raise RoleRefused(f"the role {role.label} is already proposed for them")
        return RoleProposal.objects.create(
            user=user, role=role, proposed_by=administrator, created_at=now
        )


def confirm(
    *, administrator: User, proposal_id: int, password: str, now: datetime
) -> RoleGrant:
    """Give the proposed role, as the second of two administrators, by signature."""
    with transaction.atomic():
        _lock_administrators()
        permissions.check_may_manage_people(administrator)
        proposal = _open_proposal(proposal_id)
        permissions.check_may_confirm(administrator, proposal)
        if not permissions.has_role(proposal.proposed_by, Role.ADMINISTRATOR):
            raise RoleRefused(
                "who proposed this is an administrator no more: decline it and "
                "propose it anew"
            )
        role = Role(proposal.role)
        _check_is_grantable(proposal.user, role)
        signature = services.sign(
            user=administrator,
            password=password,
            statement=f"grant {role.value} to user {proposal.user_id}".encode(),
            now=now,
        )
        _close(proposal, RoleProposal.State.CONFIRMED, administrator, now)
        return _grant(
            proposal.user,
            role,
            channel=RoleGrant.Channel.PEOPLE,
            granted_by=proposal.proposed_by,
            confirmed_by=administrator,
            signature=signature,
            now=now,
        )


def decline(*, administrator: User, proposal_id: int, now: datetime) -> None:
    """Close the proposal without granting; who made it may take it back so."""
    permissions.check_may_manage_people(administrator)
    with transaction.atomic():
        proposal = _open_proposal(proposal_id)
        _close(proposal, RoleProposal.State.DECLINED, administrator, now)


def revoke(*, administrator: User, grant_id: int, now: datetime) -> RoleGrant:
    """Take a role away at once; one administrator is enough, never oneself."""
    with transaction.atomic():
        # Two administrators who revoke each other at the same moment would leave
        # none: the second waits here and then is an administrator no more.
        _lock_administrators()
        permissions.check_may_manage_people(administrator)
        grant = (
            RoleGrant.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(pk=grant_id)
            .first()
        )
        if grant is None:
            raise NotFound("there is no such role")
        if grant.user_id == administrator.pk:
            raise NotAllowed("nobody may revoke a role of their own")
        if grant.role == Role.DONOR:
            raise RoleRefused("being a donor ends by withdrawing and erasure alone")
        if grant.revoked_at is not None:
            raise RoleRefused("this role is already revoked")
        grant.revoked_at = now
        grant.revoked_by = administrator
        grant.revoked_event = uuid.uuid4()
        grant.save()
        ledger.services.append(
            type="role.revoked",
            pub={"role": grant.role},
            body={
                "user": grant.user_id,
                "role": grant.role,
                "grant": str(grant.event),
                "revoked_by": administrator.pk,
            },
            event=grant.revoked_event,
            now=now,
        )
        return grant


def grant_by_command(
    *, user: User, role: Role, confirmed_by: User | None, now: datetime
) -> RoleGrant:
    """Give a role from the command line of the machine itself.

    Once two administrators can do it on the pages, one of them must be named as
    having confirmed it.
    """
    with transaction.atomic():
        administrators = _lock_administrators()
        if confirmed_by is None and administrators >= BOOTSTRAP_ADMINISTRATORS:
            raise RoleRefused(
                f"there are {administrators} administrators: grant roles on the "
                "people page, or name who confirmed this with --confirmed-by"
            )
        if confirmed_by is not None:
            permissions.check_may_manage_people(confirmed_by)
            if confirmed_by.pk == user.pk:
                raise NotAllowed("nobody may confirm a role of their own")
        _check_is_grantable(user, role)
        return _grant(
            user,
            role,
            channel=RoleGrant.Channel.BOOTSTRAP,
            granted_by=None,
            confirmed_by=confirmed_by,
            signature=None,
            now=now,
        )


def _grant(
    user: User,
    role: Role,
    *,
    channel: RoleGrant.Channel,
    granted_by: User | None,
    confirmed_by: User | None,
    signature: Signature | None,
    now: datetime,
) -> RoleGrant:
    grant = RoleGrant.objects.create(
        user=user,
        role=role,
        channel=channel,
        granted_by=granted_by,
        confirmed_by=confirmed_by,
        event=uuid.uuid4(),
        created_at=now,
    )
    assert grant.event is not None
    ledger.services.append(
        type="role.granted",
        pub={"role": role.value},
        body={
            "user": user.pk,
            "role": role.value,
            "channel": channel.value,
            "granted_by": granted_by.pk if granted_by else None,
            "confirmed_by": confirmed_by.pk if confirmed_by else None,
            "signature": signature.to_json() if signature else None,
        },
        event=grant.event,
        now=now,
    )
    return grant


def _lock_administrators() -> int:
    """Lock the grants of all administrators, in one order, and count them."""
    return len(
        RoleGrant.objects.active()
        .filter(role=Role.ADMINISTRATOR, user__is_active=True)
        .select_for_update(of=("self",))
        .order_by("pk")
    )


def _open_proposal(proposal_id: int) -> RoleProposal:
    proposal = (
        RoleProposal.objects.select_for_update(of=("self",))
        .select_related("user", "proposed_by")
        .filter(pk=proposal_id)
        .first()
    )
    if proposal is None:
        raise NotFound("there is no such proposal")
    if proposal.state != RoleProposal.State.OPEN:
        raise RoleRefused(f"this proposal is already {proposal.state}")
    return proposal


def _close(
    proposal: RoleProposal, state: RoleProposal.State, closed_by: User, now: datetime
) -> None:
    proposal.state = state
    proposal.closed_by = closed_by
    proposal.closed_at = now
    proposal.save()


def _check_is_grantable(user: User, role: Role) -> None:
    if role is Role.DONOR:
        raise RoleRefused("nobody is made a donor: a person signs up for that")
    if not user.is_active:
        raise RoleRefused("this account is closed")
    if permissions.has_role(user, role):
        raise RoleRefused(f"they already hold the role {role.label}")
