"""What the demo holds when it opens, made through the services everyone uses.

Run twice it changes nothing: what is there already is left as the cast made it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

import consent.services
import ledger.services
from consent.forms.shipped import content
from gemmule.accounts import roles, services
from gemmule.accounts.models import Institution, Role, User
from gemmule.accounts.selectors import donor_of
from gemmule.demo import cast, cohorts
from gemmule.demo.cohorts import EXOMES, PILOT, CallSet


def prepare(*, now: datetime, call_sets: Sequence[CallSet] = (PILOT, EXOMES)) -> None:
    """Bring the cast on stage, publish the form and the datasets.

    Ada has a sample in the first dataset and has decided nothing yet.
    """
    people = {member.key: enter(member, now=now) for member in cast.CAST}
    form = consent.services.publish_form(
        name="general", version="1.0", language="en", content=content(), now=now
    )
    ada = donor_of(people["ada"])
    if ada is None:
        raise AssertionError("Ada is a donor")
    members = [ada]
    for call_set in call_sets:
        cohorts.publish(
            call_set,
            form=form,
            first=people["sven"],
            second=people["signe"],
            members=members,
            now=now,
        )
        members = []
    ledger.services.settle(now=now)


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
