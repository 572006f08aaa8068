"""Reading consents: queries counted, days and releases of the log respected."""

import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

import consent.selectors
import consent.services
import ledger.selectors
import ledger.services
from consent import diseases, policy
from consent.diseases import DiseaseGraph
from consent.errors import FormNotFound
from consent.models import Act, Consent, Donor, FormVersion
from consent.policy import Decision, Purpose, Terms, Verdict, decide

pytestmark = pytest.mark.django_db

Given = Callable[..., Consent]
HEALTH = Purpose(research_types=("biomedical",))


def test_current_and_history(given: Given, donor: Donor, now: datetime) -> None:
    first = given()
    last = consent.services.withdraw(donor=donor, event=uuid4(), now=now)
    assert consent.selectors.current(donor) == last
    assert list(consent.selectors.history(donor)) == [last, first]


def test_every_donor_gets_a_decision_in_one_query(
    given: Given, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    donors = consent.services.register_donors(count=6, now=now)
    given(donor=donors[0])
    given(donor=donors[1], terms=Terms(permission="POA"))
    given(donor=donors[2])
    consent.services.withdraw(donor=donors[2], event=uuid4(), now=now)
    given(donor=donors[3])
    consent.services.pause(donor=donors[3], event=uuid4(), now=now)
    given(donor=donors[4], valid_until=now.date())
    ids = [one.pk for one in donors]
    with django_assert_num_queries(1):
        found = consent.selectors.decide_for(
            purpose=HEALTH, donor_ids=ids, on=now.date() + timedelta(days=1)
        )
    verdicts = [found[one].decision.verdict for one in ids]
    assert verdicts == [Verdict.PERMIT] + [Verdict.DENY] * 5
    reasons = [
        {c.code for c in found[one].decision.clauses if c.verdict is Verdict.DENY}
        for one in ids
    ]
    assert reasons == [
        set(),
        {"type:biomedical"},
        {"state"},
        {"state"},
        {"state"},
        {"consent"},
    ]
    assert found[ids[5]].consent is None
    assert found[ids[0]].consent == consent.selectors.current(donors[0])


def test_equal_terms_are_decided_once(
    given: Given, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    donors = consent.services.register_donors(count=4, now=now)
    for one in donors[:3]:
        given(donor=one, terms=Terms(permission="HMB", modifiers={"PUB": True}))
    given(donor=donors[3], terms=Terms(permission="HMB"))
    calls: list[Terms] = []

    def counted(purpose: Purpose, terms: Terms, on: date, **rest: Any) -> Decision:
        calls.append(terms)
        return decide(purpose, terms, on, **rest)

    monkeypatch.setattr(policy, "decide", counted)
    ids = [one.pk for one in donors]
    consent.selectors.decide_for(purpose=HEALTH, donor_ids=ids, on=now.date())
    assert len(calls) == 2


def test_a_time_limit_counts_from_the_first_release_that_is_passed_on(
    given: Given, donor: Donor, now: datetime
) -> None:
    given(terms=Terms(permission="GRU", modifiers={"TS": 12}))
    on = now.date()

    def verdict(**dates: Any) -> Verdict:
        found = consent.selectors.decide_for(
            purpose=HEALTH, donor_ids=[donor.pk], on=on, **dates
        )
        return found[donor.pk].decision.verdict

    assert verdict() is Verdict.PERMIT
    assert verdict(first_release=on - timedelta(days=300)) is Verdict.PERMIT
    assert verdict(first_release=on - timedelta(days=400)) is Verdict.DENY


def test_a_consent_is_read_under_the_ontology_that_was_signed(
    given: Given, donor: Donor, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = given(terms=Terms(permission="DS", diseases=("MONDO:0004992",)))
    assert made.mondo_version == diseases.VERSION
    made.pk, made.number, made.event = uuid4(), 2, uuid4()
    made.mondo_version = "2020-01-01"
    Consent.objects.filter(donor=donor).update(is_current=False)
    made.save(force_insert=True)
    # In the release that this donor saw, breast cancer was no cancer.
    old = DiseaseGraph(
        version="2020-01-01",
        rows=["MONDO:0004992\tcancer\t\t\t\t", "MONDO:0007254\tbreast\t\t\t\t"],
    )
    current = diseases.graph()
    monkeypatch.setattr(
        diseases, "graph", lambda version=None: old if version else current
    )

    def verdict(disease: str) -> Verdict:
        found = consent.selectors.decide_for(
            purpose=Purpose(diseases=(disease,)), donor_ids=[donor.pk], on=now.date()
        )
        return found[donor.pk].decision.verdict

    assert verdict("MONDO:0004992") is Verdict.PERMIT
    assert verdict("MONDO:0007254") is Verdict.REVIEW


def test_ten_thousand_donors_are_decided_in_a_second(
    form: FormVersion, now: datetime
) -> None:
    donors = Donor.objects.bulk_create(
        Donor(subject=uuid4(), created_at=now) for _ in range(10_000)
    )
    Consent.objects.bulk_create(
        Consent(
            donor=one,
            number=1,
            act=Act.GIVEN,
            terms={"permission": "HMB", "modifiers": {"TS": 1 + number % 50}},
            form=form,
            language="en",
            mondo_version=diseases.VERSION,
            event=uuid4(),
            created_at=now,
        )
        for number, one in enumerate(donors)
    )
    ids = [one.pk for one in donors]
    took = []
    for _ in range(3):
        started = time.process_time()
        found = consent.selectors.decide_for(
            purpose=HEALTH, donor_ids=ids, on=now.date()
        )
        took.append(time.process_time() - started)
    assert len(found) == 10_000
    assert all(one.decision.verdict is Verdict.PERMIT for one in found.values())
    # The best of three, in time of this process: others share the machine.
    assert min(took) < 1.0


def test_what_stood_at_a_size_of_the_log(
    given: Given, donor: Donor, now: datetime
) -> None:
    first = given()
    ledger.services.settle(now=now)
    size = ledger.selectors.tree_size()
    last = consent.services.withdraw(donor=donor, event=uuid4(), now=now)
    pending = consent.selectors.standing_at([donor.pk], tree_size=size + 100)
    assert pending == {donor.pk: first}
    ledger.services.settle(now=now)
    assert consent.selectors.standing_at([donor.pk], tree_size=size) == {
        donor.pk: first
    }
    assert consent.selectors.standing_at([donor.pk], tree_size=size + 1) == {
        donor.pk: last
    }
    assert consent.selectors.standing_at([donor.pk], tree_size=0) == {}


def test_the_newest_published_form_is_the_one_to_sign(
    form: FormVersion, now: datetime
) -> None:
    assert consent.selectors.published_form() == form
    assert consent.selectors.published_form("en", name="general") == form
    for missing in ({"language": "sv"}, {"name": "other"}):
        with pytest.raises(FormNotFound):
            consent.selectors.published_form(**missing)


def test_there_is_no_form_to_sign_before_one_is_published(db: None) -> None:
    FormVersion.objects.create(
        name="general",
        version="1.0",
        language="en",
        title="Draft",
        content={},
        sha256="",
    )
    with pytest.raises(FormNotFound):
        consent.selectors.published_form()
