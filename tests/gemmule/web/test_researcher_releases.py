"""A researcher's releases: asked for, followed while they are built, downloaded."""

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import dateformat

import gemmule.releases.services
from gemmule.access import services
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import Role, User
from gemmule.releases.models import Download, Release, ReleaseDonor, ReleaseState
from tests import factories
from tests.gemmule.access.conftest import draft, project, submitted
from tests.gemmule.api.conftest import (
    approved,
    available,
    dataset,
    folders,
    now,
    release,
    sealed,
)
from tests.gemmule.api.sealing import CONTENT, seal_release
from tests.gemmule.releases.conftest import Keyring, keyring

__all__ = [
    "approved",
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "sealed",
    "submitted",
]
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(signed_in: Callable[[User], Client], rosa: User) -> Client:
    return signed_in(rosa)


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def detail(release: Release) -> str:
    return reverse("research_release", args=[release.accession])


def file_of(release: Release) -> str:
    name = release.files.get().name
    return reverse("research_release_file", args=[release.accession, name])


# --- asking ----------------------------------------------------------------------


def test_an_approved_request_is_built_once(
    client: Client, approved: AccessRequest, keyring: Keyring
) -> None:
    text = page(client.get(reverse("research_request", args=[approved.accession])))
    assert "Build a release" in text
    ask = reverse("research_release_new", args=[approved.accession])
    first = client.post(ask, {"key": keyring.key.pk})
    again = client.post(ask, {"key": keyring.key.pk})
    made = Release.objects.get()
    assert first.headers["Location"] == again.headers["Location"] == detail(made)


def test_without_a_key_the_page_leads_to_one(
    client: Client, approved: AccessRequest
) -> None:
    text = page(client.get(reverse("research_request", args=[approved.accession])))
    assert "First, your key" in text
    assert reverse("key_list") in text


@pytest.mark.parametrize("key", ["", "nonsense", str(uuid.UUID(int=7))])
def test_a_key_that_is_not_hers_builds_nothing(
    client: Client, approved: AccessRequest, key: str
) -> None:
    ask = reverse("research_release_new", args=[approved.accession])
    text = page(client.post(ask, {"key": key}, follow=True))
    assert "Choose a key that you have registered" in text
    assert not Release.objects.exists()


def test_anothers_key_builds_nothing(
    client: Client,
    approved: AccessRequest,
    keyring: Keyring,
    rosa: User,
    signed_in: Callable[[User], Client],
    now: datetime,
) -> None:
    colleague = factories.person(Role.RESEARCHER)
    services.add_member(user=rosa, project=approved.project, member=colleague, now=now)
    ask = reverse("research_release_new", args=[approved.accession])
    signed_in(colleague).post(ask, {"key": keyring.key.pk})
    assert not Release.objects.exists()


@pytest.mark.parametrize("state", ["draft", "submitted", "denied", "closed"])
def test_a_request_that_is_not_approved_says_so(
    client: Client, approved: AccessRequest, keyring: Keyring, state: str
) -> None:
    AccessRequest.objects.update(state=state)
    ask = reverse("research_release_new", args=[approved.accession])
    text = page(client.post(ask, {"key": keyring.key.pk}, follow=True))
    assert "is not approved" in text
    assert "Build a release" not in text
    assert not Release.objects.exists()


# --- following --------------------------------------------------------------------


def test_a_build_shows_how_far_it_is_and_asks_for_itself_anew(
    client: Client, release: Release
) -> None:
    Release.objects.update(
        state=ReleaseState.BUILDING,
        progress={
            "stage": "cutting and encrypting",
            "percent": 40,
            "file": 1,
            "files": 2,
            "records": 1234,
            "bytes": 2048,
            "seconds_left": 200,
        },
    )
    text = page(client.get(detail(release)))
    assert "Cutting and encrypting" in text
    assert "1,234 records kept, 2.0 KB so far, file 1 of 2." in text
    assert "About 3 minutes left at this pace." in text
    assert 'value="40"' in text
    assert f'hx-get="{detail(release)}"' in text
    assert "parts cut" not in text
    fragment = page(client.get(detail(release), headers={"HX-Request": "true"})).strip()
    assert fragment.startswith('<div id="release"')
    assert "<html" not in fragment
    assert 'value="40"' in fragment
    # At its end all of the page is asked for: seal and manifest stand on it.
    Release.objects.update(state=ReleaseState.FAILED, failure_reason="it is full")
    answer = client.get(detail(release), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"
    assert answer.content == b""


def test_a_build_in_parts_shows_how_far_each_part_is(
    client: Client, release: Release
) -> None:
    progress = {"parts": 3, "parts_done": 1, "part_percents": [100, 7, 0]}
    Release.objects.update(state=ReleaseState.BUILDING, progress=progress)
    text = page(client.get(detail(release)))
    assert "1 of 3 parts cut." in text
    for number, percent in enumerate((100, 7, 0), 1):
        assert f'value="{percent}" aria-label="Part {number}"' in text


def test_a_build_nobody_can_time_promises_no_time(
    client: Client, release: Release
) -> None:
    progress = {"stage": "cutting and encrypting", "percent": 1, "bytes": 9}
    Release.objects.update(
        state=ReleaseState.BUILDING, progress={**progress, "records": 0, "files": 1}
    )
    text = page(client.get(detail(release)))
    assert "0 records kept, 9 bytes so far." in text
    assert "at this pace" not in text
    assert "file 1" not in text


def test_what_is_ready_offers_its_files_and_asks_no_more(
    client: Client, available: Release
) -> None:
    text = page(client.get(detail(available)))
    assert file_of(available) in text
    assert hashlib.sha256(CONTENT).hexdigest() in text
    assert f"/api/v1/releases/{available.accession}/files/" in text
    assert f"gemmule download {available.accession} --server http://testserver" in text
    assert "hx-get" not in text.partition('id="release"')[2].partition(">")[0]
    assert 'class="seal' in text
    for held in ReleaseDonor.objects.all():
        assert str(held.donor_id) not in text


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("suspended", "A donor pauses"),
        ("expired", "Its last day has passed"),
    ],
)
def test_what_is_closed_says_why_and_offers_nothing(
    client: Client, available: Release, state: str, says: str
) -> None:
    Release.objects.update(state=state)
    text = page(client.get(detail(available)))
    assert says in text
    assert file_of(available) not in text


def test_a_failed_build_says_why(client: Client, release: Release) -> None:
    Release.objects.update(state="failed", failure_reason="no donor <covers> it")
    text = page(client.get(detail(release)))
    assert "No donor &lt;covers&gt; it." in text
    assert "Open the request to try again" in text


def test_a_withdrawal_asks_to_delete_and_names_the_successor(
    client: Client, available: Release, now: datetime
) -> None:
    held = ReleaseDonor.objects.select_related("donor")[0]
    gemmule.releases.services.withdraw_consent(
        donor=held.donor, channel="donor", event=uuid.uuid4(), now=now
    )
    text = page(client.get(detail(available)))
    assert "Please delete this release" in text
    successor = Release.objects.get(supersedes=available)
    assert detail(successor) in text
    assert file_of(available) not in text


# --- the bytes ----------------------------------------------------------------------


def test_the_file_is_downloaded_and_resumed(client: Client, available: Release) -> None:
    whole = client.get(file_of(available))
    assert whole.status_code == 200
    assert b"".join(whole) == CONTENT
    etag = whole.headers["ETag"]
    rest = client.get(
        file_of(available), headers={"Range": "bytes=100-", "If-Range": etag}
    )
    assert rest.status_code == 206
    assert b"".join(rest) == CONTENT[100:]
    head = client.head(file_of(available))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(CONTENT))
    outside = client.get(file_of(available), headers={"Range": "bytes=20000-"})
    assert outside.status_code == 416
    assert outside.headers["Content-Range"] == "bytes */10240"
    assert Download.objects.count() == 2


def test_before_the_ledger_the_reader_is_asked_to_wait(
    client: Client, sealed: Release
) -> None:
    answer = client.get(file_of(sealed))
    page(answer, 503)
    assert answer.headers["Retry-After"] == "2"
    assert "Sealed, waiting for the ledger" in page(client.get(detail(sealed)))


def test_after_a_withdrawal_the_page_says_why_nothing_comes(
    client: Client, available: Release, now: datetime
) -> None:
    address = file_of(available)
    held = ReleaseDonor.objects.select_related("donor")[0]
    gemmule.releases.services.withdraw_consent(
        donor=held.donor, channel="donor", event=uuid.uuid4(), now=now
    )
    answer = client.get(address)
    text = page(answer, 403)
    assert "<h1>This release was revoked</h1>" in text
    assert f"was revoked on {dateformat.format(now, 'j F Y')}." in text
    assert "A donor in it withdrew. Delete every copy of it." in text
    assert "You may not do this" not in text
    successor = Release.objects.get(supersedes=available)
    assert "takes its place and is being built" in text
    assert f'href="{detail(successor)}"' in text
    assert not Download.objects.exists()
    seal_release(successor, now=now)
    text = page(client.get(address), 403)
    assert f"Release {successor.accession} takes its place and is ready." in text


@pytest.mark.parametrize(
    ("change", "title", "says"),
    [
        ({"state": "suspended"}, "This release is suspended", "a donor who pauses"),
        ({"state": "expired"}, "This release has expired", "ask the IRB to renew"),
        (
            {"state": "failed", "failure_reason": "no <donor>"},
            "This release could not be built",
            "no &lt;donor&gt;.",
        ),
    ],
)
def test_a_file_of_a_closed_release_is_answered_with_what_happened(
    client: Client,
    available: Release,
    change: dict[str, str],
    title: str,
    says: str,
) -> None:
    Release.objects.update(**change)
    text = page(client.get(file_of(available)), 403)
    assert f"<h1>{title}</h1>" in text
    assert says in text
    assert f'href="{detail(available)}"' in text


def test_a_colleague_reads_about_it_and_takes_no_byte(
    available: Release,
    rosa: User,
    signed_in: Callable[[User], Client],
    now: datetime,
) -> None:
    colleague = factories.person(Role.RESEARCHER)
    services.add_member(
        user=rosa, project=available.request.project, member=colleague, now=now
    )
    theirs = signed_in(colleague)
    page(theirs.get(detail(available)))
    text = page(theirs.get(file_of(available)), 403)
    assert "another person" in text


def test_the_manifest_is_the_sealed_one(client: Client, available: Release) -> None:
    address = reverse("research_release_manifest", args=[available.accession])
    answer = client.get(address)
    assert hashlib.sha256(answer.content).hexdigest() == available.manifest_sha256
    assert (
        f'filename="{available.accession}.json"'
        in (answer.headers["Content-Disposition"])
    )


def test_before_the_seal_there_is_no_manifest(client: Client, release: Release) -> None:
    address = reverse("research_release_manifest", args=[release.accession])
    assert "not sealed yet" in page(client.get(address), 409)


@pytest.mark.parametrize("name", ["other.vcf.gz.c4gh", "%00", "..%2f..%2fkeys"])
def test_no_other_name_is_a_file(client: Client, available: Release, name: str) -> None:
    base = file_of(available).rpartition("/")[0]
    assert client.get(f"{base}/{name}").status_code == 404
