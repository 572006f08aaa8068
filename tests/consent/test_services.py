"""A donor's acts: what they record, what they refuse, and that each counts once."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest

import consent.selectors
import consent.services
import ledger.errors
import ledger.selectors
from consent.errors import (
    AnswersInvalid,
    ConsentNotFound,
    EventReused,
    StateRefused,
    TermsInvalid,
    WithheldInvalid,
)
from consent.models import Consent, Donor, FormVersion
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
