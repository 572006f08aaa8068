"""A donor's acts: give, change, refuse, pause, resume, withdraw; and forms.

Each adds one decision and its pending ledger entry in one transaction, under the
donor's exclusive lock. What a withdrawal does to releases is done above, by
`gemmule.releases.services`, in the same transaction.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

import ledger.services
from consent import diseases, events, locks
from consent.errors import (
    ConsentNotFound,
    EventReused,
    FormNotCurrent,
    StateRefused,
    TermsInvalid,
)
from consent.models import Act, Channel, Consent, Donor, FormState, FormVersion
from consent.terms import Terms

# Acts that may follow the state a donor's consent is in; None: nothing decided yet.
_MAY_FOLLOW: Mapping[str | None, frozenset[str]] = {
    None: frozenset({"given", "refused"}),
    "active": frozenset({"changed", "paused", "withdrawn", "expired"}),
    "paused": frozenset({"changed", "resumed", "withdrawn", "expired"}),
    "refused": frozenset({"given"}),
    "withdrawn": frozenset({"given"}),
    "expired": frozenset({"given", "refused", "withdrawn"}),
}


def register_donor(*, now: datetime) -> Donor:
    """Make a donor who has decided nothing yet."""
    return register_donors(count=1, now=now)[0]


def register_donors(*, count: int, now: datetime) -> list[Donor]:
    """Make donors in bulk, their vault keys committed first."""
    subjects = ledger.services.new_subjects(count=count, now=now)
    return Donor.objects.bulk_create(
        Donor(subject=subject, created_at=now) for subject in subjects
    )


def give(
    *,
    donor: Donor,
    form: FormVersion,
    terms: Terms,
    withheld: Mapping[str, Any],
    discovery: bool,
    language: str,
    evidence: Mapping[str, Any],
    event: UUID,
    now: datetime,
    channel: str = Channel.DONOR,
    valid_until: date | None = None,
) -> Consent:
    """Record a first consent, or one after a refusal, withdrawal or expiry."""
    return _decide(
        Act.GIVEN,
        donor=donor,
        form=form,
        terms=terms,
        withheld=withheld,
        discovery=discovery,
        language=language,
        evidence=evidence,
        event=event,
        now=now,
        channel=channel,
        valid_until=valid_until,
    )


def change(
    *,
    donor: Donor,
    form: FormVersion,
    terms: Terms,
    withheld: Mapping[str, Any],
    discovery: bool,
    language: str,
    evidence: Mapping[str, Any],
    event: UUID,
    now: datetime,
    channel: str = Channel.DONOR,
    valid_until: date | None = None,
) -> Consent:
    """Replace the standing consent; a change also ends a pause."""
    return _decide(
        Act.CHANGED,
        donor=donor,
        form=form,
        terms=terms,
        withheld=withheld,
        discovery=discovery,
        language=language,
        evidence=evidence,
        event=event,
        now=now,
        channel=channel,
        valid_until=valid_until,
    )


def refuse(
    *,
    donor: Donor,
    form: FormVersion,
    event: UUID,
    now: datetime,
    channel: str = Channel.DONOR,
) -> Consent:
    """Record that the donor wants no research; a state of its own, not absence."""
    return _decide(
        Act.REFUSED,
        donor=donor,
        form=form,
        terms=None,
        withheld={},
        discovery=False,
        language=form.language,
        evidence={},
        event=event,
        now=now,
        channel=channel,
        valid_until=None,
    )


def withdraw(
    *, donor: Donor, event: UUID, now: datetime, channel: str = Channel.DONOR
) -> Consent:
    """End the consent; nothing else is asked, and the terms are kept as history."""
    return _repeat(Act.WITHDRAWN, donor=donor, event=event, now=now, channel=channel)


def pause(
    *, donor: Donor, event: UUID, now: datetime, channel: str = Channel.DONOR
) -> Consent:
    """Stop new use until the donor resumes."""
    return _repeat(Act.PAUSED, donor=donor, event=event, now=now, channel=channel)


def resume(
    *, donor: Donor, event: UUID, now: datetime, channel: str = Channel.DONOR
) -> Consent:
    """End a pause; the terms from before it stand again."""
    return _repeat(Act.RESUMED, donor=donor, event=event, now=now, channel=channel)


def expire(*, donor: Donor, event: UUID, now: datetime) -> Consent:
    """Record that the consent's last day has passed."""
    return _repeat(
        Act.EXPIRED, donor=donor, event=event, now=now, channel=Channel.DONOR
    )


def _repeat(
    act: Act, *, donor: Donor, event: UUID, now: datetime, channel: str
) -> Consent:
    """Add an act that leaves the terms as they were."""
    with transaction.atomic():
        locks.lock_exclusive(donor.pk)
        before = _current(donor)
        if before is None:
            raise ConsentNotFound("there is no consent yet that could change")
        if _is_same_act(before, event, act):
            return before
        return _add(
            donor,
            act,
            before=before,
            form=before.form,
            terms=before.terms,
            withheld=before.withheld,
            discovery=before.discovery,
            language=before.language,
            evidence={},
            event=event,
            now=now,
            channel=channel,
            valid_until=before.valid_until,
        )


def _decide(
    act: Act,
    *,
    donor: Donor,
    form: FormVersion,
    terms: Terms | None,
    withheld: Mapping[str, Any],
    discovery: bool,
    language: str,
    evidence: Mapping[str, Any],
    event: UUID,
    now: datetime,
    channel: str,
    valid_until: date | None,
) -> Consent:
    """Add an act made on a form; `terms` None allows nothing."""
    stored: dict[str, Any] = {"permission": None}
    if terms is not None:
        stored = _checked(terms)
    if form.state != FormState.PUBLISHED:
        raise FormNotCurrent("this form is a draft and cannot be signed")
    with transaction.atomic():
        locks.lock_exclusive(donor.pk)
        before = _current(donor)
        if before is not None and _is_same_act(before, event, act):
            return before
        return _add(
            donor,
            act,
            before=before,
            form=form,
            terms=stored,
            withheld=dict(withheld),
            discovery=discovery,
            language=language,
            evidence=dict(evidence),
            event=event,
            now=now,
            channel=channel,
            valid_until=valid_until,
        )


def _add(
    donor: Donor,
    act: Act,
    *,
    before: Consent | None,
    form: FormVersion | None,
    terms: dict[str, Any],
    withheld: dict[str, Any],
    discovery: bool,
    language: str,
    evidence: dict[str, Any],
    event: UUID,
    now: datetime,
    channel: str,
    valid_until: date | None,
) -> Consent:
    state = before.state if before else None
    if act not in _MAY_FOLLOW[state]:
        raise StateRefused(
            f"the consent is {state or 'not decided yet'}: it cannot be {act} now"
        )
    if before is not None:
        Consent.objects.filter(pk=before.pk).update(is_current=False)
    made = Consent.objects.create(
        donor=donor,
        number=before.number + 1 if before else 1,
        act=act,
        terms=terms,
        withheld=withheld,
        discovery=discovery,
        form=form,
        language=language,
        channel=channel,
        valid_until=valid_until,
        event=event,
        created_at=now,
    )
    ledger.services.append(
        type=events.TYPES[act],
        pub=events.public_part(form.sha256 if form else None),
        body=events.body(
            number=made.number,
            act=act,
            terms=terms,
            withheld=withheld,
            discovery=discovery,
            language=language,
            channel=channel,
            valid_until=valid_until,
            evidence=evidence,
        ),
        event=event,
        subject=donor.subject,
        now=now,
    )
    return made


def _current(donor: Donor) -> Consent | None:
    return (
        Consent.objects.select_related("form")
        .filter(donor=donor, is_current=True)
        .first()
    )


def _is_same_act(before: Consent, event: UUID, act: Act) -> bool:
    """Return whether this very act was recorded already: a repeated click."""
    if before.event == event and before.act == act:
        return True
    if Consent.objects.filter(event=event).exists():
        raise EventReused(f"event {event} stands for another act")
    return False


def _checked(terms: Terms) -> dict[str, Any]:
    stored = terms.to_json()
    stored.pop("state", None)
    Terms.from_json(stored)
    known = diseases.graph()
    for disease in terms.diseases:
        if known.resolve(disease) != disease:
            raise TermsInvalid(f"{disease} is not a current MONDO disease")
    return stored
