"""A donor's acts: give, change, refuse, pause, resume, withdraw, expire.

Each adds one decision and its pending ledger entry in one transaction, under the
donor's exclusive lock; the same event twice is one act. An act that keeps the last
decision copies it from the ledger, not from the row. What an act does to releases
is done above, in the same transaction. Publishing a form stands at the end.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

import rfc8785
from django.db import transaction

import ledger.selectors
import ledger.services
from consent import diseases, erasure, events, locks, selectors, states
from consent import withheld as kept_back
from consent.errors import (
    AnswersInvalid,
    EventReused,
    FormInvalid,
    FormNotCurrent,
    FormNotFound,
    TermsInvalid,
)
from consent.forms import checking, definition
from consent.forms.answers import Answers, Choices, choices_from_answers
from consent.models import Act, Channel, Consent, Donor, FormState, FormVersion
from consent.terms import Terms
from ledger.errors import LedgerError

_NOTHING: Mapping[str, Any] = {"permission": None, "diseases": [], "modifiers": {}}


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
    event: UUID,
    now: datetime,
    answers: Answers | None = None,
    terms: Terms | None = None,
    withheld: Mapping[str, Any] | None = None,
    discovery: bool | None = None,
    language: str | None = None,
    evidence: Mapping[str, Any] | None = None,
    channel: str = Channel.DONOR,
    valid_until: date | None = None,
) -> Consent:
    """Record a first consent, or one after a refusal, withdrawal or expiry.

    Either `answers` to the form, or `terms` with `withheld` and `discovery`, as staff
    take them from paper. `evidence` says how it was signed and goes into the committed
    body. Raises AnswersInvalid, TermsInvalid, WithheldInvalid, FormNotCurrent,
    StateRefused, EventReused.
    """
    choices = _choices(form, answers, terms, withheld, discovery)
    return _act(
        Act.GIVEN,
        donor,
        _signed(form, choices, language, answers, evidence, valid_until, now),
        event=event,
        channel=channel,
        now=now,
    )


def change(
    *,
    donor: Donor,
    form: FormVersion,
    event: UUID,
    now: datetime,
    answers: Answers | None = None,
    terms: Terms | None = None,
    withheld: Mapping[str, Any] | None = None,
    discovery: bool | None = None,
    language: str | None = None,
    evidence: Mapping[str, Any] | None = None,
    channel: str = Channel.DONOR,
    valid_until: date | None = None,
) -> Consent:
    """Replace the standing consent by a new one, as `give`; it also ends a pause."""
    choices = _choices(form, answers, terms, withheld, discovery)
    return _act(
        Act.CHANGED,
        donor,
        _signed(form, choices, language, answers, evidence, valid_until, now),
        event=event,
        channel=channel,
        now=now,
    )


def refuse(
    *,
    donor: Donor,
    form: FormVersion | None,
    event: UUID,
    now: datetime,
    channel: str = Channel.DONOR,
) -> Consent:
    """Record that the donor wants no research; a state of its own, not absence."""
    decided = _Decided(
        terms=dict(_NOTHING),
        form=form,
        language=form.language if form else "",
    )
    return _act(Act.REFUSED, donor, decided, event=event, channel=channel, now=now)


def withdraw(
    *, donor: Donor, event: UUID, now: datetime, channel: str = Channel.DONOR
) -> Consent:
    """End the consent; nothing else is asked, and the terms are kept as history."""
    return _act(Act.WITHDRAWN, donor, None, event=event, channel=channel, now=now)


def pause(
    *, donor: Donor, event: UUID, now: datetime, channel: str = Channel.DONOR
) -> Consent:
    """Stop new use until the donor resumes."""
    return _act(Act.PAUSED, donor, None, event=event, channel=channel, now=now)


def resume(
    *, donor: Donor, event: UUID, now: datetime, channel: str = Channel.DONOR
) -> Consent:
    """End a pause; the terms from before it stand again."""
    return _act(Act.RESUMED, donor, None, event=event, channel=channel, now=now)


def expire(*, donor: Donor, now: datetime, event: UUID | None = None) -> Consent:
    """Record that the consent's last day has passed; raises StateRefused before it.

    Without an `event` the one that follows from the consent is used, so that two tasks
    that find the same consent record its end once.
    """
    if event is None:
        standing = selectors.current(donor)
        is_recorded = standing is None or standing.act == Act.EXPIRED
        if standing is not None and is_recorded:
            return standing
        event = events.expiry_event(standing.event if standing else donor.pk)
    return _act(Act.EXPIRED, donor, None, event=event, channel=Channel.DONOR, now=now)


def publish_form(
    *,
    name: str,
    version: str,
    language: str,
    content: Mapping[str, Any],
    now: datetime,
) -> FormVersion:
    """Publish a form version for good; publishing the same content again is a no-op.

    Every combination of answers that the form allows is turned into terms and must be
    understood by the policy. Raises FormInvalid.
    """
    form = definition.read(content)
    if form.language != language:
        raise FormInvalid(f"the content is in {form.language!r}, not in {language!r}")
    number = definition.version_number(version)
    checking.check(form)
    try:
        digest = hashlib.sha256(rfc8785.dumps(dict(content))).hexdigest()
    except rfc8785.CanonicalizationError as error:
        raise FormInvalid(f"the content is not plain JSON: {error}") from error
    with transaction.atomic():
        locks.lock_forms()
        same = FormVersion.objects.filter(
            name=name, version=version, language=language
        ).first()
        if same is not None:
            if same.sha256 != digest or same.state != FormState.PUBLISHED:
                raise FormInvalid(
                    f"{name} {version} ({language}) is there already and differs; "
                    "a published version never changes: give this one a new number"
                )
            return same
        try:
            newest = selectors.published_form(language, name=name)
        except FormNotFound:
            newest = None
        if newest and definition.version_number(newest.version) > number:
            raise FormInvalid(f"{version} is older than the published {newest.version}")
        made = FormVersion.objects.create(
            name=name,
            version=version,
            language=language,
            title=form.title,
            content=dict(content),
            sha256=digest,
            state=FormState.PUBLISHED,
            published_at=now,
            event=events.form_event(name, version, language, digest),
        )
        ledger.services.append(
            type=events.FORM_PUBLISHED,
            pub={"form_sha256": digest, "language": language, "version": version},
            body={"name": name, "title": form.title},
            event=events.form_event(name, version, language, digest),
            now=now,
        )
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What an act decides anew; acts without one repeat what stood before."""

    terms: dict[str, Any]
    withheld: dict[str, Any] = field(default_factory=dict)
    discovery: bool = False
    form: FormVersion | None
    language: str
    valid_until: date | None = None
    mondo_version: str = diseases.VERSION
    evidence: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] | None = None


def _choices(
    form: FormVersion,
    answers: Answers | None,
    terms: Terms | None,
    withheld: Mapping[str, Any] | None,
    discovery: bool | None,
) -> Choices:
    if answers is not None:
        if terms is not None or withheld is not None or discovery is not None:
            raise AssertionError("answers say all; terms beside them could differ")
        return choices_from_answers(form.to_form(), answers)
    if terms is None:
        raise AnswersInvalid("neither answers nor terms came")
    terms.check()
    graph = diseases.graph()
    for disease in terms.diseases:
        if disease not in graph:
            raise TermsInvalid(f"{disease} is not a current MONDO disease")
    return Choices(
        terms=terms,
        withheld=kept_back.read(dict(withheld or {})),
        discovery=discovery is True,
    )


def _signed(
    form: FormVersion,
    choices: Choices,
    language: str | None,
    answers: Answers | None,
    evidence: Mapping[str, Any] | None,
    valid_until: date | None,
    now: datetime,
) -> _Decided:
    if form.state != FormState.PUBLISHED:
        raise FormNotCurrent("this form is a draft and cannot be signed")
    newest = selectors.published_form(form.language, name=form.name)
    if newest.major != form.major:
        raise FormNotCurrent(
            f"version {newest.version} of this form has been published since; "
            f"read it before you decide (this was {form.version})"
        )
    if valid_until is not None and valid_until < now.date():
        raise TermsInvalid("a consent cannot end before it begins")
    terms = choices.terms.to_json()
    # The state is that of the row, and changes without the terms.
    del terms["state"]
    return _Decided(
        terms=terms,
        withheld=dict(choices.withheld),
        discovery=choices.discovery,
        form=form,
        language=language or form.language,
        valid_until=valid_until,
        evidence=dict(evidence or {}),
        answers=None if answers is None else dict(answers),
    )


def _act(
    act: Act,
    donor: Donor,
    decided: _Decided | None,
    *,
    event: UUID,
    channel: str,
    now: datetime,
) -> Consent:
    with transaction.atomic():
        locks.lock_exclusive(donor.pk)
        before = selectors.current(donor)
        if (same := Consent.objects.filter(event=event).first()) is not None:
            return _checked_same(same, act, donor, decided)
        erasure.check_may_act(donor, act)
        states.check(act, before.state_on(now.date()) if before else None)
        if decided is None:
            assert before is not None, "only giving and refusing may come first"
            decided = _as_before(before)
        if before is not None:
            Consent.objects.filter(pk=before.pk).update(is_current=False)
        made = Consent.objects.create(
            donor=donor,
            number=before.number + 1 if before else 1,
            act=act,
            terms=decided.terms,
            withheld=decided.withheld,
            discovery=decided.discovery,
            form=decided.form,
            language=decided.language,
            channel=Channel(channel),
            valid_until=decided.valid_until,
            mondo_version=decided.mondo_version,
            event=event,
            created_at=now,
        )
        ledger.services.append(
            type=events.consent_type(act.value),
            pub=events.public_part(decided.form.sha256 if decided.form else None),
            body=events.body(
                made.to_event(), evidence=decided.evidence, answers=decided.answers
            ),
            event=event,
            subject=donor.subject,
            now=now,
        )
    return made


def _as_before(before: Consent) -> _Decided:
    """Return the decision before, as the ledger holds it.

    A row that was edited must not be signed again with the next act: if its entry does
    not open or is of another act, nothing is permitted until the donor decides again.
    """
    try:
        body = ledger.selectors.open_body(before.event)
    except LedgerError:
        body = None
    if body is None or body["act"] != before.act:
        return _Decided(
            terms=dict(_NOTHING), form=before.form, language=before.language
        )
    form = before.form
    if (form.sha256 if form else None) != body["form"]:
        form = FormVersion.objects.filter(sha256=body["form"]).first()
    until = body["valid_until"]
    return _Decided(
        terms=body["terms"],
        withheld=body["withheld"],
        discovery=body["discovery"],
        form=form,
        language=body["language"],
        valid_until=None if until is None else date.fromisoformat(until),
        mondo_version=body["mondo"],
    )


def _checked_same(
    same: Consent, act: Act, donor: Donor, decided: _Decided | None
) -> Consent:
    """Return the row of a repeated call; raise EventReused for any other act."""
    is_same = (same.donor_id, same.act) == (donor.pk, act.value) and (
        decided is None
        or (same.terms, same.withheld, same.discovery)
        == (decided.terms, decided.withheld, decided.discovery)
    )
    if not is_same:
        raise EventReused(f"event {same.event} stands for another act already")
    return same
