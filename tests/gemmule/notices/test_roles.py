"""Whoever gets or loses a role learns of it, if and only if it happened."""

from datetime import datetime

import pytest
from django.core.management import call_command

from gemmule.accounts import roles as powers
from gemmule.accounts.errors import NotAllowed, RoleRefused, SignatureRefused
from gemmule.accounts.models import Role, RoleProposal, User
from gemmule.demo.cast import PASSWORD
from gemmule.notices import roles
from gemmule.notices.models import Notice


@pytest.fixture
def proposal(alma: User, sam: User, now: datetime) -> RoleProposal:
    return powers.propose(administrator=alma, user=sam, role=Role.STEWARD, now=now)


def test_who_gets_a_role_is_told_from_whom(
    proposal: RoleProposal, alan: User, sam: User, now: datetime
) -> None:
    assert not Notice.objects.exists(), "a proposal is no role"
    roles.confirm(
        administrator=alan, proposal_id=proposal.pk, password=PASSWORD, now=now
    )
    notice = Notice.objects.get()
    assert (notice.user, notice.kind) == (sam, "role.granted")
    assert notice.subject == "You are now Data steward"
    assert notice.body.startswith(
        "Alma Reyes proposed it and Alan Whitaker confirmed it."
    )
    assert notice.url == "/account/"


def test_nobody_is_told_of_a_role_that_was_not_given(
    proposal: RoleProposal, alma: User, alan: User, now: datetime
) -> None:
    with pytest.raises(SignatureRefused):
        roles.confirm(
            administrator=alan, proposal_id=proposal.pk, password="no", now=now
        )
    with pytest.raises(NotAllowed):
        roles.confirm(
            administrator=alma, proposal_id=proposal.pk, password=PASSWORD, now=now
        )
    assert not Notice.objects.exists()


def test_who_loses_a_role_is_told_by_whom(
    alma: User, rosa: User, now: datetime
) -> None:
    grant = rosa.role_grants.get()
    roles.revoke(administrator=alma, grant_id=grant.pk, now=now)
    notice = Notice.objects.get()
    assert (notice.user, notice.kind) == (rosa, "role.revoked")
    assert notice.subject == "You are no longer Researcher"
    assert "Alma Reyes" in notice.body
    with pytest.raises(RoleRefused):
        roles.revoke(administrator=alma, grant_id=grant.pk, now=now)
    assert Notice.objects.count() == 1


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_a_role_from_the_command_line_is_told_too(
    alma: User, sam: User, is_confirmed: bool
) -> None:
    confirmed = ("--confirmed-by", alma.email) if is_confirmed else ()
    call_command("grant_role", sam.email, "auditor", *confirmed)
    notice = Notice.objects.get()
    assert (notice.user, notice.subject) == (sam, "You are now Auditor")
    assert "from the command line" in notice.body
    assert ("Alma Reyes confirmed it." in notice.body) == is_confirmed
