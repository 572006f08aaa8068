"""A release without a record says so and why: manifest, mail, page, API, verifier."""

import json
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from gemmule.access import expectation, reviews
from gemmule.access import services as access
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.api.resources.releases import ReleaseSerializer
from gemmule.catalog.models import DataFile
from gemmule.demo.cast import PASSWORD
from gemmule.notices.models import Notice
from gemmule.releases import build, emptiness, services, upkeep
from gemmule.releases.models import Release, ReleaseState
from gemmule.verifier import manifests
from tests.gemmule.releases.conftest import Clock, Keyring

pytestmark = pytest.mark.django_db


def make(rosa: User, request: AccessRequest, keyring: Keyring, clock: Clock) -> Release:
    release = services.open_release(
        user=rosa, request=request, key=keyring.key, now=clock()
    )
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    upkeep.settle(now=clock())
    release.refresh_from_db()
    return release


def ask_for(
    rosa: User, ira: User, approved: AccessRequest, regions: str, clock: Clock
) -> AccessRequest:
    """Return a request for these regions, approved as the other one was."""
    draft = access.draft_request(
        user=rosa, project=approved.project, dataset=approved.dataset, now=clock()
    )
    draft = access.update_draft(
        user=rosa,
        request=draft,
        purpose=approved.purpose,
        regions_text=regions,
        justification="Hearts.",
    )
    return reviews.approve(
        reviewer=ira,
        request=access.submit(user=rosa, request=draft, now=clock()),
        reason="Sound.",
        expires_on=approved.expires_on,
        resolve=[],
        password=PASSWORD,
        now=clock(),
    )


def test_a_release_with_records_says_how_many_and_nothing_of_emptiness(
    built: Release,
) -> None:
    body = json.loads(bytes(built.manifest or b""))["manifest"]
    assert (built.samples, built.records) == (28, body["records"])
    assert body["records"] > 0
    assert "empty_because" not in body
    assert built.empty_because == []


@pytest.mark.parametrize(
    ("regions", "code"),
    [("21:6-6", emptiness.OUTSIDE), ("2:900001-900100", emptiness.NO_CARRIER)],
)
def test_an_empty_release_says_why_wherever_it_is_shown(
    rosa: User,
    ira: User,
    client: Client,
    approved: AccessRequest,
    keyring: Keyring,
    clock: Clock,
    regions: str,
    code: str,
) -> None:
    request = ask_for(rosa, ira, approved, regions, clock)
    release = make(rosa, request, keyring, clock)
    assert (release.samples, release.records) == (28, 0)
    assert release.empty_because == [code]
    words = emptiness.words([code])
    # The offline verifier reads the manifest, and would not read a false one.
    manifest = manifests.read(bytes(release.manifest or b""))
    assert manifest.body["empty_because"] == [code]
    mail = Notice.objects.get(kind="release.available")
    assert "it holds no record" in mail.body and words in mail.body
    client.force_login(rosa)
    page = client.get(reverse("research_release", args=[release.accession]))
    text = page.content.decode()
    assert "This release holds no record" in text
    assert words[1:] in text
    assert "28 samples, 0 records" in text
    told = ReleaseSerializer(release).data
    assert (told["samples"], told["records"]) == (28, 0)
    assert told["empty_because"] == [code]


def test_a_researcher_learns_no_count_of_the_source(
    approved: AccessRequest, now: datetime
) -> None:
    before = expectation.expectation(approved)
    file = approved.dataset.files.get()
    more = [[contig, megabase, 999_983] for contig, megabase, _ in file.megabases]
    DataFile.objects.filter(pk=file.pk).update(megabases=more, records=999_983)
    assert expectation.expectation(approved) == before
