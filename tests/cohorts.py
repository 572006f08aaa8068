"""Donors with consents and datasets of them, for the rooms above consent.

Rows of catalog are made directly where a test is about requests, so that it needs
no file; `tests/gemmule/releases` takes the whole way through intake instead.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import consent.services
from consent.models import Consent, Donor, FormState, FormVersion
from consent.terms import Terms
from gemmule.access import reviews
from gemmule.access import services as access
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.catalog.accessions import new_accession
from gemmule.catalog.models import Dataset, DatasetState, Sample
from gemmule.demo import cast

GENERAL: dict[str, Any] = {"permission": "GRU"}
HEALTH: dict[str, Any] = {"permission": "HMB"}
NEEDS_ETHICS: dict[str, Any] = {"permission": "GRU", "modifiers": {"IRB": True}}

PURPOSE: dict[str, Any] = {
    "research_types": ["biomedical"],
    "organisation": "non-profit",
    "commercial": False,
    "countries": ["SE"],
}


def form(now: datetime) -> FormVersion:
    """Return a published form; its questions do not matter here."""
    found, _ = FormVersion.objects.get_or_create(
        name="cohort",
        version="1.0",
        language="en",
        defaults={
            "title": "Cohort form",
            "content": {},
            "sha256": "00" * 32,
            "state": FormState.PUBLISHED,
            "published_at": now,
            "event": uuid.uuid4(),
        },
    )
    return found


def donors(wishes: Sequence[dict[str, Any] | None], now: datetime) -> list[Donor]:
    """Return one donor per wish; None is one who has decided nothing."""
    made = consent.services.register_donors(count=len(wishes), now=now)
    for donor, wish in zip(made, wishes, strict=True):
        if wish is not None:
            agree(donor, wish, now)
    return made


def agree(
    donor: Donor,
    terms: dict[str, Any],
    now: datetime,
    *,
    withheld: dict[str, Any] | None = None,
) -> Consent:
    """Give the donor's consent to `terms`."""
    return consent.services.give(
        donor=donor,
        form=form(now),
        terms=Terms.from_json(terms),
        withheld=withheld or {},
        discovery=True,
        language="en",
        evidence={"method": "test"},
        event=uuid.uuid4(),
        now=now,
    )


def dataset(
    members: Sequence[Donor],
    *,
    steward: User,
    second: User,
    now: datetime,
    **fields: Any,
) -> Dataset:
    """Return a published dataset of these donors, without files."""
    made = Dataset.objects.create(
        accession=new_accession("GMD"),
        title="Cohort",
        summary="A cohort for tests.",
        build="GRCh37",
        state=DatasetState.PUBLISHED,
        steward=steward,
        map_sha256="11" * 32,
        map_uploaded_by=steward,
        map_uploaded_at=now,
        map_confirmed_by=second,
        map_confirmed_at=now,
        created_at=now,
        published_at=now,
        event=uuid.uuid4(),
        **fields,
    )
    Sample.objects.bulk_create(
        Sample(dataset=made, source_name=f"S{number:04d}", donor=donor)
        for number, donor in enumerate(members)
    )
    return made


def approved_request(
    *, rosa: User, ira: User, dataset: Dataset, now: datetime
) -> AccessRequest:
    """Let Rosa ask for a dataset and Ira, a member of the cast, approve it."""
    project = access.create_project(
        user=rosa, title="Hearts", lay_summary="About hearts.", now=now
    )
    draft = access.draft_request(user=rosa, project=project, dataset=dataset, now=now)
    draft = access.update_draft(
        user=rosa, request=draft, purpose=PURPOSE, justification="Hearts."
    )
    return reviews.approve(
        reviewer=ira,
        request=access.submit(user=rosa, request=draft, now=now),
        reason="Sound.",
        expires_on=(now + timedelta(days=365)).date(),
        resolve=[],
        password=cast.PASSWORD,
        now=now,
    )
