"""Published forms: on the ledger, never changed, and which of them can be signed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

import consent.selectors
import consent.services
import ledger.selectors
from consent.errors import FormInvalid, FormNotCurrent
from consent.forms import shipped
from consent.models import Consent, Donor, FormState, FormVersion

pytestmark = pytest.mark.django_db

Given = Callable[..., Consent]


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
