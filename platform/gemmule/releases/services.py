"""Open releases, and carry a donor's acts through to them.

A service changes rows and nudges a task after the commit; the work itself is in
`build`, and closing in `closing`.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

import consent.services
import gemmule.access.permissions
import gemmule.access.services
from consent.models import Channel, Consent, Donor, FormVersion
from gemmule.access.models import AccessRequest
from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import ResearcherKey, Role, User
from gemmule.accounts.permissions import has_role
from gemmule.accounts.selectors import donor_of
from gemmule.accounts.services import sign
from gemmule.catalog.accessions import new_accession
from gemmule.celery import nudge
from gemmule.releases import closing, erasure, tasks
from gemmule.releases.models import LIVE_STATES, Erasure, Release

_ERASE_ME = b"gemmule/erase-everything-about-me/v1"


def open_release(
    *, user: User, request: AccessRequest, key: ResearcherKey, now: datetime
) -> Release:
    """Ask for a release to the user's key; asking again returns the live one."""
    gemmule.access.permissions.check_is_member(user, request.project)
    with transaction.atomic():
        locked = (
            AccessRequest.objects.select_for_update(of=("self",))
            .select_related("project", "dataset")
            .get(pk=request.pk)
        )
        gemmule.access.services.check_open(locked, now=now)
        gemmule.access.services.check_key(user, key)
        if locked.expires_on is None:
            raise AssertionError("an approved request without an end date")
        live = Release.objects.filter(
            request=locked, key=key, state__in=LIVE_STATES
        ).first()
        if live is None:
            live = Release.objects.create(
                accession=new_accession("GMR"),
                request=locked,
                recipient=user,
                key=key,
                created_at=now,
                expires_on=locked.expires_on,
            )
        elif live.start_after is not None:
            live.start_after = None  # The researcher need not wait for the day.
            live.save(update_fields=["start_after"])
        _send(live)
    return live


def give_consent(*, donor: Donor, now: datetime, **fields: Any) -> Consent:
    """Give consent, first or again."""
    return _act(
        donor, now, partial(consent.services.give, donor=donor, now=now, **fields)
    )


def change_consent(*, donor: Donor, now: datetime, **fields: Any) -> Consent:
    """Change consent, and close the releases the new one does not cover."""
    return _act(
        donor, now, partial(consent.services.change, donor=donor, now=now, **fields)
    )


def refuse_consent(
    *, donor: Donor, form: FormVersion, channel: str, event: UUID, now: datetime
) -> Consent:
    """Record a refusal."""
    return _act(
        donor,
        now,
        partial(
            consent.services.refuse,
            donor=donor,
            form=form,
            channel=channel,
            event=event,
            now=now,
        ),
    )


def withdraw_consent(
    *, donor: Donor, channel: str, event: UUID, now: datetime
) -> Consent:
    """Withdraw; once this returns, no chunk of a release with the donor passes."""
    return _act(
        donor,
        now,
        partial(
            consent.services.withdraw,
            donor=donor,
            channel=channel,
            event=event,
            now=now,
        ),
    )


def pause_consent(*, donor: Donor, channel: str, event: UUID, now: datetime) -> Consent:
    """Pause: stops new use and suspends releases, asks nobody to delete."""
    return _act(
        donor,
        now,
        partial(
            consent.services.pause, donor=donor, channel=channel, event=event, now=now
        ),
    )


def resume_consent(
    *, donor: Donor, channel: str, event: UUID, now: datetime
) -> Consent:
    """End a pause and reopen what it suspended."""
    return _act(
        donor,
        now,
        partial(
            consent.services.resume, donor=donor, channel=channel, event=event, now=now
        ),
    )


def ask_for_erasure(*, user: User, password: str, now: datetime) -> Erasure:
    """Begin to erase the donor this person is, on her password.

    Raises NotAllowed for everybody else, SignatureRefused for a wrong password.
    """
    donor = donor_of(user) if has_role(user, Role.DONOR) else None
    if donor is None:
        raise NotAllowed("only a donor can have everything about herself erased")
    # Outside of the transaction, so that a wrong password is counted whatever follows.
    sign(user=user, password=password, statement=_ERASE_ME, now=now)
    return begin_erasure(donor=donor, user=user, channel=Channel.DONOR, now=now)


def begin_erasure(
    *, donor: Donor, user: User | None, channel: str, now: datetime
) -> Erasure:
    """Begin to erase a donor, and have a worker go on; `user` is her account."""
    with transaction.atomic():
        begun = erasure.begin(donor=donor, user=user, channel=channel, now=now)
        transaction.on_commit(
            partial(nudge, tasks.erase_donor, str(begun.pk)), robust=True
        )
    return begun


def _act(donor: Donor, now: datetime, act: Callable[[], Consent]) -> Consent:
    """Carry a donor's act out, and send what takes the place of what it closed."""
    with transaction.atomic():
        made, closed = closing.carry_out(donor=donor, act=act, now=now)
        for release in closed:
            successor = Release.objects.filter(supersedes=release).first()
            if successor is not None and successor.start_after is None:
                _send(successor)
    return made


def _send(release: Release) -> None:
    transaction.on_commit(partial(nudge, tasks.build_release, release.pk), robust=True)
