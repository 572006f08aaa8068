"""Roles are what grants say now, and nothing else."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import AnonymousUser

from gemmule.accounts import permissions
from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import Role, RoleProposal, User
from tests import factories


def test_person_holds_the_roles_granted_and_no_other(ira: User) -> None:
    held = {role for role in Role if permissions.has_role(ira, role)}

    assert held == {Role.IRB_REVIEWER}


def test_one_of_several_roles_is_enough(ira: User) -> None:
    permissions.check_role(ira, Role.STEWARD, Role.IRB_REVIEWER)
    with pytest.raises(NotAllowed, match="Data steward or Auditor"):
        permissions.check_role(ira, Role.STEWARD, Role.AUDITOR)


def test_no_role_asked_for_is_no_role_held(ira: User) -> None:
    assert not permissions.has_role(ira)


def test_revoked_role_is_not_held(ira: User, now: datetime) -> None:
    ira.role_grants.update(revoked_at=now)

    assert not permissions.has_role(ira, Role.IRB_REVIEWER)


def test_closed_account_holds_nothing(ira: User) -> None:
    ira.is_active = False

    assert not permissions.has_role(ira, Role.IRB_REVIEWER)


def test_who_has_not_signed_in_holds_nothing() -> None:
    with pytest.raises(NotAllowed):
        permissions.check_role(AnonymousUser(), *Role)


@pytest.mark.parametrize(
    ("check", "allowed"),
    [
        (permissions.check_may_register_key, {"researcher"}),
        (
            permissions.check_may_use_api,
            {"researcher", "irb_reviewer", "irb_chair", "steward", "auditor"},
        ),
        (permissions.check_may_manage_people, {"administrator"}),
    ],
)
def test_each_check_lets_in_its_roles_alone(
    db: None, check: Callable[[User], None], allowed: set[str]
) -> None:
    for role in Role:
        user = factories.person(role)
        try:
            check(user)
        except NotAllowed:
            assert role not in allowed
        else:
            assert role in allowed


def test_proposal_is_confirmed_by_a_third_person(
    alma: User, rosa: User, now: datetime
) -> None:
    second = factories.person(Role.ADMINISTRATOR)
    proposal = RoleProposal(user=second, proposed_by=alma, role=Role.AUDITOR)

    assert not permissions.can_confirm(alma, proposal)
    assert not permissions.can_confirm(second, proposal)
    assert not permissions.can_confirm(rosa, proposal)
    assert permissions.can_confirm(factories.person(Role.ADMINISTRATOR), proposal)
