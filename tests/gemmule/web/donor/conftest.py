"""A donor with a consent, and a release that holds her."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

import consent.services
import gemmule.access.services
from consent.forms import shipped
from consent.models import Consent, Donor, FormVersion
from consent.terms import Terms
from gemmule.access import reviews
from gemmule.accounts.models import ResearcherKey, User
from gemmule.accounts.selectors import donor_of
from gemmule.demo.cast import PASSWORD
from gemmule.releases.models import (
    Download,
    Release,
    ReleaseDonor,
    ReleaseFile,
    ReleaseState,
)
from tests import cohorts
from tests.gemmule.web.donor.pages import EVENT

SignedIn = Callable[[User], Client]


@pytest.fixture
def version(db: None, now: datetime) -> FormVersion:
    return consent.services.publish_form(
        name="general",
        version="1.0",
        language="en",
        content=shipped.content(),
        now=now,
    )


@pytest.fixture
def donor(ada: User, version: FormVersion) -> Donor:
    found = donor_of(ada)
    assert found is not None
    return found


@pytest.fixture
def client(ada: User, donor: Donor, signed_in: SignedIn) -> Client:
    return signed_in(ada)


@pytest.fixture
def given(donor: Donor, version: FormVersion, now: datetime) -> Consent:
    return consent.services.give(
        donor=donor,
        form=version,
        terms=Terms.from_json(
            {"permission": "GRU", "modifiers": {"PUB": True, "TS": 12, "RTN": True}}
        ),
        withheld={"genes": ["APOE"]},
        discovery=True,
        event=EVENT,
        now=now,
    )


@pytest.fixture
def release(
    donor: Donor,
    given: Consent,
    rosa: User,
    ira: User,
    sven: User,
    signe: User,
    now: datetime,
) -> Release:
    """Return a sealed release with Ada in it, which Rosa can download."""
    others = cohorts.donors([cohorts.GENERAL] * 24, now)
    access = gemmule.access.services
    made = cohorts.dataset([donor, *others], steward=sven, second=signe, now=now)
    project = access.create_project(
        user=rosa, title="Hearts", lay_summary="About <hearts>.", now=now
    )
    draft = access.draft_request(user=rosa, project=project, dataset=made, now=now)
    draft = access.update_draft(
        user=rosa,
        request=draft,
        purpose={**cohorts.PURPOSE, "agrees_to": ["PUB", "RTN"]},
        justification="Hearts.",
    )
    submitted = access.submit(user=rosa, request=draft, now=now)
    request = reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(now + timedelta(days=3650)).date(),
        resolve=[],
        password=PASSWORD,
        now=now,
    )
    key = ResearcherKey.objects.create(
        user=rosa,
        name="laptop",
        public_key=b"k" * 32,
        fingerprint="ab" * 32,
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    release = Release.objects.create(
        accession="GMR000001",
        request=request,
        recipient=rosa,
        key=key,
        state=ReleaseState.AVAILABLE,
        manifest=b"{}",
        manifest_sha256="cd" * 32,
        ledger_size=1,
        created_at=now,
        sealed_at=now,
        available_at=now,
        expires_on=(now + timedelta(days=3650)).date(),
    )
    ReleaseDonor.objects.bulk_create(
        ReleaseDonor(
            release=release,
            donor=one,
            consent=Consent.objects.get(donor=one),
            sample_name=f"A{number:09d}",
        )
        for number, one in enumerate([donor, *others])
    )
    return release


@pytest.fixture
def fetched(release: Release, rosa: User, now: datetime) -> Download:
    """Return Rosa's complete download of the release."""
    file = ReleaseFile.objects.create(
        release=release,
        name="GMR000001.vcf.gz.c4gh",
        role="variants",
        path="1/2",
        sha256_plain="00" * 32,
        sha256_cipher="00" * 32,
        size_plain=10,
        size_bytes=20,
        segments=1,
    )
    return Download.objects.create(
        file=file,
        user=rosa,
        start=0,
        stop=20,
        bytes_sent=20,
        started_at=now,
        finished_at=now,
        outcome="complete",
    )
