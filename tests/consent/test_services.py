"""A donor's acts: what they record, what they refuse, and that each counts once."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

import consent.events
import consent.selectors
import consent.services
import ledger.errors
import ledger.selectors
from consent.errors import (
    AnswersInvalid,
    ConsentNotFound,
    EventReused,
    FormInvalid,
    FormNotCurrent,
    StateRefused,
    TermsInvalid,
    WithheldInvalid,
)
from consent.forms import shipped
from consent.models import Act, Consent, Donor, FormState, FormVersion
from consent.terms import Terms

pytestmark = pytest.mark.django_db

Given = Callable[..., Consent]
HEALTH = Terms(permission="HMB", modifiers={"NPUNCU": True})
ANSWERS: dict[str, Any] = {
    "research": "diseases",
    "diseases": ["MONDO:0007254"],
    "companies": "no",
    "conditions": ["publish"],
    "place": "anywhere",
    "time": "one-year",
    "keep-back": "some",
    "presets": ["brca"],
    "genes": ["PSEN1"],
    "instead": "missing",
    "discovery": "yes",
}


def test_a_new_donor_has_decided_nothing_and_has_a_subject(donor: Donor) -> None:
    other = consent.services.register_donor(now=donor.created_at)
    assert consent.selectors.current(donor) is None
    assert donor.subject != other.subject
    assert "donor" in str(donor)


def test_giving_stores_what_the_answers_mean(
    form: FormVersion, donor: Donor, now: datetime
) -> None:
    made = consent.services.give(
        donor=donor, form=form, answers=ANSWERS, event=uuid4(), now=now
    )
    assert (made.number, made.act, made.state) == (1, "given", "active")
    assert made.terms == {
        "permission": "DS",
        "diseases": ["MONDO:0007254"],
        "modifiers": {"NPUNCU": True, "PUB": True, "TS": 12},
    }
    assert made.withheld == {
        "genes": ["BRCA1", "BRCA2", "PSEN1"],
        "regions": [],
        "flank": 50_000,
        "mode": "missing",
    }
    assert made.discovery is True
    assert made.language == "en"
    assert made.to_terms() == Terms(
        permission="DS",
        diseases=("MONDO:0007254",),
        modifiers={"NPUNCU": True, "PUB": True, "TS": 12},
    )
    assert "decision 1" in str(made)


def test_the_ledger_holds_the_act_and_shows_only_the_form(
    form: FormVersion, donor: Donor, now: datetime
) -> None:
    made = consent.services.give(
        donor=donor,
        form=form,
        answers=ANSWERS,
        evidence={"method": "password", "statement_sha256": "ab" * 32},
        event=uuid4(),
        now=now,
    )
    entry = ledger.selectors.entry(made.event)
    assert entry.type == "consent.given"
    assert entry.pub == {"form_sha256": form.sha256}
    body = ledger.selectors.open_body(made.event)
    assert body is not None
    assert {key: body[key] for key in made.to_event()} == made.to_event()
    assert body["answers"] == ANSWERS
    assert body["evidence"]["method"] == "password"
    assert body["subject_seq"] == 1


def test_the_same_event_twice_is_one_act(given: Given, donor: Donor) -> None:
    event = uuid4()
    first = given(event=event)
    assert given(event=event) == first
    assert consent.selectors.history(donor).count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"terms": HEALTH},
        {"discovery": True},
        {"withheld": {"genes": ["APOE"]}},
    ],
)
def test_an_event_that_stands_for_another_act_is_refused(
    given: Given, other: dict[str, Any]
) -> None:
    event = uuid4()
    given(event=event)
    with pytest.raises(EventReused):
        given(event=event, **other)


def test_an_event_of_another_donor_is_refused(given: Given, now: datetime) -> None:
    event = uuid4()
    given(event=event)
    stranger = consent.services.register_donor(now=now)
    with pytest.raises(EventReused):
        given(event=event, donor=stranger)


def test_a_withdrawal_repeated_after_other_acts_is_still_that_withdrawal(
    given: Given, donor: Donor, now: datetime
) -> None:
    given()
    event = uuid4()
    first = consent.services.withdraw(donor=donor, event=event, now=now)
    given()
    assert consent.services.withdraw(donor=donor, event=event, now=now) == first
    assert consent.selectors.current(donor) != first


def test_a_life_of_a_consent(
    given: Given, form: FormVersion, donor: Donor, now: datetime
) -> None:
    def state() -> str:
        found = consent.selectors.current(donor)
        assert found is not None
        return found.state

    consent.services.refuse(donor=donor, form=form, event=uuid4(), now=now)
    assert state() == "refused"
    given(terms=HEALTH)
    assert state() == "active"
    consent.services.pause(donor=donor, event=uuid4(), now=now)
    assert state() == "paused"
    resumed = consent.services.resume(donor=donor, event=uuid4(), now=now)
    assert state() == "active"
    assert resumed.to_terms() == HEALTH
    consent.services.change(
        donor=donor, form=form, terms=Terms(permission="POA"), event=uuid4(), now=now
    )
    assert state() == "active"
    consent.services.pause(donor=donor, event=uuid4(), now=now)
    consent.services.change(
        donor=donor, form=form, terms=HEALTH, event=uuid4(), now=now
    )
    assert state() == "active"
    gone = consent.services.withdraw(
        donor=donor, event=uuid4(), now=now, channel="phone"
    )
    assert state() == "withdrawn"
    assert (gone.channel, gone.form) == ("phone", form)
    given()
    acts = [row.act for row in consent.selectors.history(donor)]
    assert acts == [
        "given", "withdrawn", "changed", "paused", "changed", "resumed", "paused",
        "given", "refused",
    ]  # fmt: skip
    rows = list(consent.selectors.history(donor))
    assert [row.number for row in rows] == list(range(9, 0, -1))
    assert [row.state for row in rows[1:]] == ["superseded"] * 8
    bodies = [ledger.selectors.open_body(row.event) for row in reversed(rows)]
    assert [body and body["subject_seq"] for body in bodies] == list(range(1, 10))


def test_what_the_state_does_not_allow_is_refused_and_changes_nothing(
    given: Given, form: FormVersion, donor: Donor, now: datetime
) -> None:
    def act(name: str) -> None:
        service = getattr(consent.services, name)
        fields: dict[str, Any] = {"donor": donor, "event": uuid4(), "now": now}
        if name in ("give", "change"):
            fields |= {"form": form, "terms": HEALTH}
        if name == "refuse":
            fields |= {"form": None}
        service(**fields)

    for name in ("change", "withdraw", "pause", "resume"):
        with pytest.raises(ConsentNotFound):
            act(name)
    refused_in: dict[str, tuple[str, ...]] = {
        "give": ("give", "resume", "refuse"),
        "pause": ("give", "pause", "refuse"),
        "withdraw": ("change", "withdraw", "pause", "resume", "refuse"),
    }
    for reached, refused in refused_in.items():
        act(reached)
        before = consent.selectors.history(donor).count()
        for name in refused:
            with pytest.raises(StateRefused):
                act(name)
        assert consent.selectors.history(donor).count() == before


def test_an_act_that_fails_leaves_neither_row_nor_entry(
    given: Given, donor: Donor, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = uuid4()

    def fail(**_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("ledger.services.append", fail)
    with pytest.raises(RuntimeError):
        given(event=event)
    monkeypatch.undo()
    assert consent.selectors.current(donor) is None
    with pytest.raises(ledger.errors.EntryNotFound):
        ledger.selectors.entry(event)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"terms": Terms(permission=None)}, TermsInvalid),
        ({"terms": Terms(permission="DS")}, TermsInvalid),
        ({"terms": Terms(permission="DS", diseases=("MONDO:0000016",))}, TermsInvalid),
        ({"terms": Terms(permission="DS", diseases=("MONDO:9999999",))}, TermsInvalid),
        ({"terms": Terms(permission="GRU", modifiers={"TS": 0})}, TermsInvalid),
        ({"terms": None}, AnswersInvalid),
        ({"withheld": {"genes": ["BRCA 1"]}}, WithheldInvalid),
        ({"valid_until": date(2026, 3, 1)}, TermsInvalid),
        ({"terms": None, "answers": {"research": "any"}}, AnswersInvalid),
    ],
)
def test_what_cannot_be_meant_is_refused(
    given: Given, donor: Donor, fields: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        given(**fields)
    assert consent.selectors.current(donor) is None


def test_an_unknown_channel_is_refused(given: Given) -> None:
    with pytest.raises(ValueError, match="telepathy"):
        given(channel="telepathy")


# --- expiry ------------------------------------------------------------------


def test_a_consent_expires_after_its_last_day(
    given: Given, donor: Donor, now: datetime
) -> None:
    last = now.date() + timedelta(days=10)
    made = given(valid_until=last)
    on_last_day = now + timedelta(days=10)
    assert made.state_on(last) == "active"
    with pytest.raises(StateRefused):
        consent.services.expire(donor=donor, now=on_last_day)
    assert not consent.selectors.due_for_expiry(last)
    after = now + timedelta(days=11)
    assert made.state_on(after.date()) == "expired"
    assert list(consent.selectors.due_for_expiry(after.date())) == [donor]
    event = uuid4()
    ended = consent.services.expire(donor=donor, now=after, event=event)
    assert ended.event == event
    assert (ended.act, ended.state) == ("expired", "expired")
    assert consent.services.expire(donor=donor, now=after) == ended
    assert not consent.selectors.due_for_expiry(after.date())
    assert consent.selectors.history(donor).count() == 2


def test_an_expiry_found_by_two_tasks_is_recorded_once(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given(valid_until=now.date())
    ended = consent.services.expire(donor=donor, now=now + timedelta(days=1))
    assert ended.event == consent.events.expiry_event(made.event)
    assert ledger.selectors.entry(ended.event).type == "consent.expired"


def test_a_consent_that_has_run_out_cannot_be_resumed_before_that_is_recorded(
    given: Given, form: FormVersion, donor: Donor, now: datetime
) -> None:
    given(valid_until=now.date())
    consent.services.pause(donor=donor, event=uuid4(), now=now)
    later = now + timedelta(days=1)
    with pytest.raises(StateRefused, match="give a new consent"):
        consent.services.resume(donor=donor, event=uuid4(), now=later)
    given(now=later)


def test_a_donor_without_a_consent_cannot_expire(donor: Donor, now: datetime) -> None:
    with pytest.raises(ConsentNotFound):
        consent.services.expire(donor=donor, now=now)


# --- the database holds the rules --------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"terms": {"permission": "GRU"}},
        {"act": Act.CHANGED},
        {"number": 7},
        {"discovery": True},
        {"withheld": {"genes": ["APOE"]}},
        {"valid_until": date(2030, 1, 1)},
        {"event": uuid4()},
    ],
)
def test_a_decision_cannot_be_changed(given: Given, change: dict[str, Any]) -> None:
    made = given(terms=HEALTH)
    with (
        pytest.raises(IntegrityError, match="never changed"),
        transaction.atomic(),
    ):
        Consent.objects.filter(pk=made.pk).update(**change)


def test_a_superseded_decision_cannot_be_made_current_again(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given()
    last = consent.services.withdraw(donor=donor, event=uuid4(), now=now)
    Consent.objects.filter(pk=last.pk).update(is_current=False)
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Consent.objects.filter(pk=made.pk).update(is_current=True)


def test_two_decisions_never_stand_at_once(given: Given, donor: Donor) -> None:
    made = given()
    made.pk, made.number, made.event = uuid4(), 2, uuid4()
    with (
        pytest.raises(IntegrityError, match="consent_one_current_per_donor"),
        transaction.atomic(),
    ):
        made.save(force_insert=True)


def test_a_decision_is_deleted_only_with_an_erased_donor(
    given: Given, donor: Donor, now: datetime
) -> None:
    made = given()
    with (
        pytest.raises(IntegrityError, match="only when its donor is erased"),
        transaction.atomic(),
    ):
        made.delete()
    Donor.objects.filter(pk=donor.pk).update(erased_at=now)
    made.delete()
    assert not consent.selectors.history(donor)


# --- forms -------------------------------------------------------------------


def publish(content: dict[str, Any], version: str, now: datetime) -> FormVersion:
    return consent.services.publish_form(
        name="general", version=version, language="en", content=content, now=now
    )


def test_a_published_form_is_on_the_ledger(form: FormVersion) -> None:
    assert form.state == FormState.PUBLISHED
    assert form.event is not None
    entry = ledger.selectors.entry(form.event)
    assert entry.type == "form.published"
    assert entry.pub == {
        "form_sha256": form.sha256,
        "language": "en",
        "version": "1.0",
    }
    assert str(form) == "general 1.0 (en)"


def test_publishing_the_same_form_again_changes_nothing(
    form: FormVersion, now: datetime
) -> None:
    assert publish(shipped.content(), "1.0", now) == form
    assert FormVersion.objects.count() == 1


def test_another_content_needs_another_version(
    form: FormVersion, now: datetime
) -> None:
    content = {**shipped.content(), "title": "Another title"}
    with pytest.raises(FormInvalid, match="a published version never changes"):
        publish(content, "1.0", now)
    publish(content, "1.1", now)
    assert consent.selectors.published_form().version == "1.1"


def test_an_older_version_than_the_published_one_is_refused(
    form: FormVersion, now: datetime
) -> None:
    publish({**shipped.content(), "title": "Another title"}, "1.10", now)
    with pytest.raises(FormInvalid, match=r"1\.9 is older than the published 1\.10"):
        publish({**shipped.content(), "title": "Third title"}, "1.9", now)


@pytest.mark.parametrize("version", ["1", "0.1", "1.0.0", "one", "01.0", ""])
def test_a_version_has_two_numbers(db: None, now: datetime, version: str) -> None:
    with pytest.raises(FormInvalid, match="a version such as"):
        publish(shipped.content(), version, now)


def test_a_form_in_another_language_than_said_is_refused(
    db: None, now: datetime
) -> None:
    with pytest.raises(FormInvalid, match="not in 'sv'"):
        consent.services.publish_form(
            name="general",
            version="1.0",
            language="sv",
            content=shipped.content(),
            now=now,
        )


def test_a_number_that_not_every_reader_keeps_is_refused(
    db: None, now: datetime
) -> None:
    content = shipped.content()
    limit = next(q for q in content["questions"] if q["id"] == "time")
    limit["options"][1]["modifiers"] = {"TS": 2**60}
    with pytest.raises(FormInvalid, match="not plain JSON"):
        publish(content, "1.0", now)


def test_a_form_with_a_fault_is_not_published(db: None, now: datetime) -> None:
    content = shipped.content()
    content["questions"][0]["options"][0]["permission"] = "ALL"
    with pytest.raises(FormInvalid, match="unknown permission 'ALL'"):
        publish(content, "1.0", now)
    assert not FormVersion.objects.exists()


def test_a_minor_version_keeps_the_older_form_open_and_a_major_one_closes_it(
    given: Given, form: FormVersion, donor: Donor, now: datetime
) -> None:
    later = now + timedelta(days=1)
    publish({**shipped.content(), "title": "Clearer words"}, "1.1", later)
    given()
    consent.services.withdraw(donor=donor, event=uuid4(), now=later)
    publish({**shipped.content(), "title": "New study"}, "2.0", later)
    with pytest.raises(FormNotCurrent, match=r"2\.0"):
        given()


def test_a_draft_cannot_be_signed(given: Given, db: None) -> None:
    draft = FormVersion.objects.create(
        name="draft",
        version="1.0",
        language="en",
        title="Draft",
        content=shipped.content(),
        sha256="",
    )
    with pytest.raises(FormNotCurrent, match="draft"):
        given(form=draft)


@pytest.mark.parametrize("change", [{"content": {}}, {"state": "draft"}])
def test_a_published_form_cannot_be_changed_or_deleted(
    form: FormVersion, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        FormVersion.objects.filter(pk=form.pk).update(**change)
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        form.delete()
