"""Read people, keys, tokens and roles."""

import uuid

from django.db.models import Prefetch, QuerySet

from consent.models import Donor
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import (
    DonorAccount,
    ResearcherKey,
    Role,
    RoleGrant,
    RoleProposal,
    TokenLabel,
    User,
)


def donor_of(user: User) -> Donor | None:
    """Return the donor this person is, if any."""
    account = DonorAccount.objects.select_related("donor").filter(user=user).first()
    return account.donor if account else None


def account_of(donor: Donor) -> User | None:
    """Return the login of the donor; None without one or after erasure."""
    account = DonorAccount.objects.select_related("user").filter(donor=donor).first()
    return account.user if account else None


def roles_of(user: User) -> list[Role]:
    """Return the roles a person holds now, in the order of `Role`."""
    held = set(user.role_grants.active().values_list("role", flat=True))
    return [role for role in Role if role in held]


def irb_members() -> QuerySet[User]:
    """Return the active people who review requests."""
    return holders_of(Role.IRB_REVIEWER, Role.IRB_CHAIR)


def holders_of(*roles: Role) -> QuerySet[User]:
    """Return the active people who hold at least one of `roles`."""
    grants = RoleGrant.objects.active().filter(role__in=roles)
    return User.objects.filter(
        is_active=True, pk__in=grants.values("user_id")
    ).order_by("pk")


def user_by_email(email: str) -> User:
    """Return the active person with this address; raises NotFound."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise NotFound("nobody here has this e-mail address")
    return user


def active_keys(user: User) -> QuerySet[ResearcherKey]:
    """Return the keys that files can be encrypted to."""
    return user.researcher_keys.filter(state=ResearcherKey.State.ACTIVE)


def key_of(user: User, key_id: uuid.UUID) -> ResearcherKey:
    """Return one key of the person's own; raises NotFound."""
    key = user.researcher_keys.filter(pk=key_id).first()
    if key is None:
        raise NotFound("there is no such key of yours")
    return key


def tokens_of(user: User) -> QuerySet[TokenLabel]:
    """Return the person's API tokens, the newest first."""
    return (
        TokenLabel.objects.filter(token__user=user)
        .select_related("token")
        .order_by("-token__created")
    )


def token_of(user: User, token_id: uuid.UUID) -> TokenLabel:
    """Return one API token of the person's own; raises NotFound."""
    label = tokens_of(user).filter(pk=token_id).first()
    if label is None:
        raise NotFound("there is no such token of yours")
    return label


def staff() -> QuerySet[User]:
    """Return everyone but those who are donors and nothing else; two queries.

    An administrator has no business with a list of the donors.
    """
    grants = RoleGrant.objects.active().order_by("pk")
    powers = grants.exclude(role=Role.DONOR)
    donors_alone = (
        grants.filter(role=Role.DONOR)
        .exclude(user__in=powers.values("user_id"))
        .exclude(user__in=open_proposals().values("user_id"))
        .values("user_id")
    )
    return (
        User.objects.exclude(pk__in=donors_alone)
        .select_related("institution")
        .prefetch_related(Prefetch("role_grants", queryset=powers, to_attr="powers"))
        .order_by("name", "email")
    )


def open_proposals() -> QuerySet[RoleProposal]:
    """Return what waits for a second administrator, the oldest first."""
    return RoleProposal.objects.filter(state=RoleProposal.State.OPEN).select_related(
        "user", "proposed_by"
    )


def open_proposal(proposal_id: int) -> RoleProposal:
    """Return one proposal that is still open; raises NotFound."""
    proposal = open_proposals().filter(pk=proposal_id).first()
    if proposal is None:
        raise NotFound("there is no such open proposal")
    return proposal


def active_grant(grant_id: int) -> RoleGrant:
    """Return one role that somebody holds now; raises NotFound."""
    grant = (
        RoleGrant.objects.active().select_related("user").filter(pk=grant_id).first()
    )
    if grant is None:
        raise NotFound("there is no such role")
    return grant
