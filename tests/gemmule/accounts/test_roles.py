"""Two people grant a role, never to themselves, and the ledger knows."""

import threading
from datetime import datetime

import pytest
from django.db import IntegrityError, connections, transaction

import ledger.selectors
from gemmule.accounts import permissions, roles, selectors
from gemmule.accounts.errors import (
    NotAllowed,
    NotFound,
    RoleRefused,
    SignatureRefused,
)
from gemmule.accounts.models import Role, RoleGrant, RoleProposal, User
from gemmule.demo import cast
from tests import factories


@pytest.fixture
def proposal(alma: User, sam: User, now: datetime) -> RoleProposal:
    return roles.propose(administrator=alma, user=sam, role=Role.STEWARD, now=now)


def confirm(
    proposal: RoleProposal, by: User, now: datetime, password: str = cast.PASSWORD
) -> RoleGrant:
    return roles.confirm(
        administrator=by, proposal_id=proposal.pk, password=password, now=now
    )


def test_proposed_role_is_not_held_yet(proposal: RoleProposal, sam: User) -> None:
    assert selectors.roles_of(sam) == []
    assert list(selectors.open_proposals()) == [proposal]


def test_role_is_held_once_a_second_administrator_confirms(
    proposal: RoleProposal, alma: User, alan: User, sam: User, now: datetime
) -> None:
    grant = confirm(proposal, alan, now)

    assert selectors.roles_of(sam) == [Role.STEWARD]
    assert (grant.granted_by, grant.confirmed_by) == (alma, alan)
    assert not selectors.open_proposals().exists()


def test_grant_is_on_the_ledger_without_a_name_in_public(
    proposal: RoleProposal, alma: User, alan: User, sam: User, now: datetime
) -> None:
    grant = confirm(proposal, alan, now)

    assert grant.event is not None
    entry = ledger.selectors.entry(grant.event)
    assert entry.type == "role.granted"
    assert entry.pub == {"role": "steward"}
    body = ledger.selectors.open_body(grant.event)
    assert body is not None
    assert (body["user"], body["granted_by"], body["confirmed_by"]) == (
        sam.pk,
        alma.pk,
        alan.pk,
    )


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DONOR])
def test_every_role_but_donor_can_be_granted(
    alma: User, alan: User, sam: User, now: datetime, role: Role
) -> None:
    confirm(roles.propose(administrator=alma, user=sam, role=role, now=now), alan, now)

    assert permissions.has_role(sam, role)


def test_who_proposed_cannot_confirm(
    proposal: RoleProposal, alma: User, sam: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed, match="second administrator"):
        confirm(proposal, alma, now)

    assert selectors.roles_of(sam) == []


def test_nobody_proposes_or_confirms_a_role_for_themselves(
    alma: User, alan: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed, match="themselves"):
        roles.propose(administrator=alma, user=alma, role=Role.STEWARD, now=now)

    proposal = roles.propose(administrator=alma, user=alan, role=Role.STEWARD, now=now)
    with pytest.raises(NotAllowed, match="second administrator"):
        confirm(proposal, alan, now)


def test_wrong_password_confirms_nothing(
    proposal: RoleProposal, alan: User, sam: User, now: datetime
) -> None:
    with pytest.raises(SignatureRefused):
        confirm(proposal, alan, now, password="wrong")

    assert selectors.roles_of(sam) == []
    proposal.refresh_from_db()
    assert proposal.state == RoleProposal.State.OPEN


def test_only_administrators_manage_roles(
    proposal: RoleProposal, ada: User, rosa: User, ira: User, ingrid: User,
    sven: User, aud: User, sam: User, alma: User, now: datetime,
) -> None:  # fmt: skip
    grant = alma.role_grants.get()
    for user in (ada, rosa, ira, ingrid, sven, aud, sam):
        with pytest.raises(NotAllowed):
            roles.propose(administrator=user, user=alma, role=Role.AUDITOR, now=now)
        with pytest.raises(NotAllowed):
            confirm(proposal, user, now)
        with pytest.raises(NotAllowed):
            roles.decline(administrator=user, proposal_id=proposal.pk, now=now)
        with pytest.raises(NotAllowed):
            roles.revoke(administrator=user, grant_id=grant.pk, now=now)


def test_role_is_confirmed_once(
    proposal: RoleProposal, alan: User, now: datetime
) -> None:
    confirm(proposal, alan, now)

    with pytest.raises(RoleRefused, match="already confirmed"):
        confirm(proposal, alan, now)
    assert RoleGrant.objects.filter(role=Role.STEWARD).count() == 1


def test_declined_role_cannot_be_confirmed(
    proposal: RoleProposal, alma: User, alan: User, sam: User, now: datetime
) -> None:
    roles.decline(administrator=alma, proposal_id=proposal.pk, now=now)

    with pytest.raises(RoleRefused, match="already declined"):
        confirm(proposal, alan, now)
    assert selectors.roles_of(sam) == []


def test_proposal_dies_with_the_power_of_who_made_it(
    proposal: RoleProposal, alma: User, alan: User, now: datetime
) -> None:
    roles.revoke(administrator=alan, grant_id=alma.role_grants.get().pk, now=now)

    with pytest.raises(RoleRefused, match="administrator no more"):
        confirm(proposal, alan, now)


@pytest.mark.parametrize("again", ["open", "held"])
def test_role_is_proposed_once(
    proposal: RoleProposal, alma: User, alan: User, sam: User, now: datetime, again: str
) -> None:
    if again == "held":
        confirm(proposal, alan, now)

    with pytest.raises(RoleRefused, match="already"):
        roles.propose(administrator=alma, user=sam, role=Role.STEWARD, now=now)


def test_nobody_is_made_a_donor(alma: User, sam: User, now: datetime) -> None:
    with pytest.raises(RoleRefused, match="signs up"):
        roles.propose(administrator=alma, user=sam, role=Role.DONOR, now=now)


def test_closed_account_gets_no_role(alma: User, sam: User, now: datetime) -> None:
    sam.is_active = False

    with pytest.raises(RoleRefused, match="closed"):
        roles.propose(administrator=alma, user=sam, role=Role.STEWARD, now=now)


def test_revoked_role_is_gone_and_on_the_ledger(
    alma: User, rosa: User, now: datetime
) -> None:
    grant = roles.revoke(
        administrator=alma, grant_id=rosa.role_grants.get().pk, now=now
    )

    assert selectors.roles_of(rosa) == []
    assert grant.revoked_by == alma
    assert grant.revoked_event is not None
    assert ledger.selectors.entry(grant.revoked_event).type == "role.revoked"


def test_revoked_role_can_be_granted_anew(
    alma: User, alan: User, rosa: User, now: datetime
) -> None:
    roles.revoke(administrator=alma, grant_id=rosa.role_grants.get().pk, now=now)
    proposal = roles.propose(
        administrator=alan, user=rosa, role=Role.RESEARCHER, now=now
    )
    confirm(proposal, alma, now)

    assert selectors.roles_of(rosa) == [Role.RESEARCHER]
    assert rosa.role_grants.count() == 2


def test_role_is_revoked_once(alma: User, rosa: User, now: datetime) -> None:
    grant_id = rosa.role_grants.get().pk
    roles.revoke(administrator=alma, grant_id=grant_id, now=now)

    with pytest.raises(RoleRefused, match="already revoked"):
        roles.revoke(administrator=alma, grant_id=grant_id, now=now)


def test_nobody_revokes_a_role_of_their_own(alma: User, now: datetime) -> None:
    with pytest.raises(NotAllowed, match="their own"):
        roles.revoke(administrator=alma, grant_id=alma.role_grants.get().pk, now=now)


def test_being_a_donor_is_not_revoked(alma: User, ada: User, now: datetime) -> None:
    with pytest.raises(RoleRefused, match="withdrawing"):
        roles.revoke(administrator=alma, grant_id=ada.role_grants.get().pk, now=now)


def test_unknown_proposal_and_grant_are_not_found(alma: User, now: datetime) -> None:
    with pytest.raises(NotFound):
        roles.decline(administrator=alma, proposal_id=0, now=now)
    with pytest.raises(NotFound):
        roles.revoke(administrator=alma, grant_id=0, now=now)


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_revoke_each_other_at_once(now: datetime) -> None:
    pair = [factories.person(Role.ADMINISTRATOR) for _ in range(2)]
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def revoke(by: User, of: User) -> None:
        start.wait()
        try:
            roles.revoke(administrator=by, grant_id=of.role_grants.get().pk, now=now)
            outcomes.append("revoked")
        except NotAllowed:
            outcomes.append("refused")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=revoke, args=order) for order in (pair, pair[::-1])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert sorted(outcomes) == ["refused", "revoked"]
    assert selectors.holders_of(Role.ADMINISTRATOR).count() == 1


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"granted_by": "user"}, "accounts_role_never_granted_to_oneself"),
        ({"confirmed_by": "user"}, "accounts_role_never_granted_to_oneself"),
        ({"confirmed_by": "granter"}, "accounts_role_granted_by_two_people"),
        ({"confirmed_by": None}, "accounts_role_granted_through_a_channel"),
        ({"channel": "signup"}, "accounts_role_granted_through_a_channel"),
        ({"channel": "nowhere"}, "accounts_role_granted_through_a_channel"),
        ({"event": None}, "accounts_role_granted_through_a_channel"),
        ({"role": "researcher"}, "accounts_one_active_grant_per_role"),
    ],
)
def test_database_itself_refuses_a_crooked_grant(
    rosa: User, alma: User, alan: User, now: datetime, fields: dict[str, str | None],
    rule: str,
) -> None:  # fmt: skip
    people: dict[str | None, User | None] = {"user": rosa, "granter": alma, None: None}
    row = {
        "user": rosa,
        "role": "steward",
        "channel": "people",
        "granted_by": alma,
        "confirmed_by": alan,
        "event": "6f1c0c1e-3f0b-4d55-9d0c-0d6f1b1f7a11",
        "created_at": now,
    }
    row |= {
        name: people[value] if name.endswith("_by") else value
        for name, value in fields.items()
    }

    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        RoleGrant.objects.create(**row)


def test_staff_list_leaves_out_who_is_a_donor_and_nothing_else(
    alma: User, rosa: User, sam: User, now: datetime
) -> None:
    donor = factories.person(Role.DONOR)
    both = factories.person(Role.DONOR, Role.STEWARD)

    listed = set(selectors.staff())

    assert {alma, rosa, sam, both} <= listed
    assert donor not in listed


def test_donor_is_listed_while_a_role_is_open_or_held(
    alma: User, alan: User, now: datetime
) -> None:
    donor = factories.person(Role.DONOR)

    proposal = roles.propose(administrator=alma, user=donor, role=Role.AUDITOR, now=now)
    assert donor in selectors.staff()
    grant = confirm(proposal, alan, now)
    assert donor in selectors.staff()
    roles.revoke(administrator=alma, grant_id=grant.pk, now=now)
    assert donor not in selectors.staff()
