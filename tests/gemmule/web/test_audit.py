"""The auditors' pages: every release, its dossier, and whether it holds."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from gemmule.access import reviews
from gemmule.access.models import AccessRequest, ReviewDecision
from gemmule.accounts.models import User
from gemmule.demo.cast import PASSWORD
from gemmule.releases.models import Release, ReleaseDonor, ReleaseState
from gemmule.web.audit import RELEASES_PER_PAGE
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.api.conftest import available, folders, now, release
from tests.gemmule.api.sealing import CONTENT
from tests.gemmule.releases.conftest import keyring
from tests.gemmule.releases.contents import lies_at

__all__ = [
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "submitted",
]
pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]


@pytest.fixture
def approved(
    ira: User, ingrid: User, submitted: AccessRequest, now: datetime
) -> AccessRequest:
    """Return the request, approved by one reviewer after another saw the ethics."""
    seen = reviews.verify_ethics(
        reviewer=ingrid, request=submitted, reason="Seen.", password=PASSWORD, now=now
    )
    return reviews.approve(
        reviewer=ira,
        request=seen,
        reason="Sound.",
        expires_on=(now + timedelta(days=365)).date(),
        resolve=[],
        password=PASSWORD,
        now=now + timedelta(seconds=1),
    )


@pytest.fixture
def client(signed_in: SignedIn, aud: User) -> Client:
    return signed_in(aud)


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content[:500]
    return re.sub(r"\s+", " ", answer.content.decode())


def dossier(release: Release) -> str:
    return reverse("audit_release", args=[release.accession])


def copies(release: Release, count: int) -> None:
    """Add revoked releases beside one, for lists; nothing reads into them."""
    Release.objects.bulk_create(
        Release(
            accession=f"GMR{number:07d}",
            request=release.request,
            recipient=release.recipient,
            key=release.key,
            state=ReleaseState.REVOKED,
            created_at=release.created_at - timedelta(days=1 + number),
            expires_on=release.expires_on,
        )
        for number in range(count)
    )


# --- the list ---------------------------------------------------------------------


def test_auditors_are_led_to_the_list(client: Client) -> None:
    answer = client.get(reverse("audit"))
    assert answer.headers["Location"] == reverse("audit_releases")
    assert "No release yet" in page(client.get(reverse("audit_releases")))


def test_a_release_is_listed_with_how_many_donors_it_holds(
    client: Client, available: Release
) -> None:
    text = page(client.get(reverse("audit_releases")))
    assert dossier(available) in text
    assert available.request.project.title in text
    assert re.search(r'data-label="Donors"[^>]*>\s*55\s*<', text)


def test_a_release_is_found_by_what_it_is_cited_by(
    client: Client, available: Release
) -> None:
    request = available.request
    for text in (
        available.accession,
        available.accession.lower(),
        request.accession,
        request.project.accession,
        "genes heart",
        "harbour",
        "rosa@",
        available.manifest_sha256[:12],
        request.dataset.accession,
    ):
        found = page(client.get(reverse("audit_releases"), {"q": text}))
        assert dossier(available) in found, text
    for text in ("GMR0000000", "lungs", "\x00lungs", "%", "<b>"):
        found = page(client.get(reverse("audit_releases"), {"q": text}))
        assert dossier(available) not in found
        assert "No release matches" in found
        assert "<b>" not in found


def test_a_nul_in_a_search_finds_what_is_left(
    client: Client, available: Release
) -> None:
    found = page(client.get(reverse("audit_releases"), {"q": "hea\x00rt"}))
    assert dossier(available) in found


def test_the_list_is_paged_and_keeps_the_search(
    client: Client, available: Release
) -> None:
    copies(available, RELEASES_PER_PAGE)
    first = page(client.get(reverse("audit_releases"), {"q": "heart"}))
    assert first.count('scope="row"') == RELEASES_PER_PAGE
    assert 'rel="next" href="?q=heart&amp;page=2"' in first
    second = page(client.get(f"{reverse('audit_releases')}?q=heart&page=2"))
    assert second.count('scope="row"') == 1
    for wild in ("999", "-1", "x"):
        page(client.get(reverse("audit_releases"), {"page": wild}))


def test_the_list_takes_the_same_queries_however_long(
    client: Client,
    available: Release,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for count in (0, 5):
        copies(available, count)
        # Count and page; role; session, person; and the frame's roles, unread
        # notices and checkpoint.
        with django_assert_num_queries(8):
            client.get(reverse("audit_releases"))


# --- the dossier --------------------------------------------------------------------


def test_the_dossier_tells_the_whole_story(
    client: Client, available: Release, ira: User, rosa: User, signed_in: SignedIn
) -> None:
    file = available.files.get()
    b"".join(
        signed_in(rosa).get(
            reverse("research_release_file", args=[available.accession, file.name])
        )
    )
    text = page(client.get(dossier(available)))
    for words in (
        available.request.project.lay_summary,
        ira.name,
        "Ethics approval seen",
        "55 donors. By permission:",
        file.sha256_cipher,
        available.manifest_sha256,
        f"{len(CONTENT):,}",
        rosa.name,
        "complete",
    ):
        assert words in text
    for held in ReleaseDonor.objects.all():
        assert held.sample_name in text
        assert str(held.donor_id) not in text
    assert not re.search(r"\bS00\d\d\b", text), "a source name"


def test_a_dossier_takes_the_same_queries_however_many_donors(
    client: Client,
    available: Release,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(2):
        with django_assert_num_queries(18):
            client.get(dossier(available))
        ReleaseDonor.objects.filter(
            pk__in=list(ReleaseDonor.objects.values_list("pk", flat=True)[:30])
        ).delete()


def test_a_release_that_is_not_sealed_has_a_dossier_too(
    client: Client, release: Release
) -> None:
    text = page(client.get(dossier(release)))
    assert "Not sealed yet" in text
    assert "No file yet" in text
    text = page(client.get(dossier(release), {"verify": ""}))
    assert "there is nothing to verify" in text
    assert "Everything holds" not in text


def test_a_dossier_tells_of_donors_who_were_erased_since(
    client: Client, available: Release
) -> None:
    gone = available.donors.order_by("sample_name").first()
    assert gone is not None
    gone.delete()
    available.files.update(path="")
    Release.objects.filter(pk=available.pk).update(donors_erased=1)
    text = page(client.get(dossier(available)))
    assert "54 donors, and 1 more who was erased since" in text
    assert text.count("Deleted here, because a donor in it was erased.") == 1
    listed = page(client.get(reverse("audit_releases")))
    assert re.search(r'data-label="Donors"[^>]*>\s*55\s*<', listed)


def test_an_untouched_release_verifies(client: Client, available: Release) -> None:
    assert "Verified just now" not in page(client.get(dossier(available)))
    text = page(client.get(dossier(available), {"verify": ""}))
    assert "Everything holds" in text
    assert "55 of 55 consents cover the purpose" in text


def change_a_byte(release: Release) -> str:
    path = lies_at(release.files.get())
    path.write_bytes(b"X" + CONTENT[1:])
    return "was changed in storage"


def drop_a_donor(release: Release) -> str:
    release.donors.all()[0].delete()
    return "do not open the manifest"


def change_the_request(release: Release) -> str:
    AccessRequest.objects.update(justification="Something else.")
    return "was changed after the release was sealed"


def change_the_manifest(release: Release) -> str:
    manifest = bytes(release.manifest or b"").replace(b'"samples":55', b'"samples":56')
    assert manifest != bytes(release.manifest or b"")
    Release.objects.update(manifest=manifest)
    return "signature"


def change_a_seen_approval(release: Release) -> str:
    seen = release.request.reviews.get(decision=ReviewDecision.ETHICS)
    statement = bytes(seen.statement).replace(b"Seen.", b"Sent.")
    assert statement != bytes(seen.statement)
    release.request.reviews.filter(pk=seen.pk).update(statement=statement)
    return "another statement than the one kept (ethics approval seen)"


@pytest.mark.parametrize(
    "change",
    [
        change_a_byte,
        drop_a_donor,
        change_the_request,
        change_the_manifest,
        change_a_seen_approval,
    ],
)
def test_whatever_was_changed_is_found_and_named(
    client: Client, available: Release, change: Callable[[Release], str]
) -> None:
    says = change(available)
    text = page(client.get(dossier(available), {"verify": ""}))
    assert "Something does not hold" in text
    assert "Everything holds" not in text
    assert says in text


def test_the_dossier_is_exported_as_json(client: Client, available: Release) -> None:
    answer = client.get(reverse("audit_release_export", args=[available.accession]))
    assert "attachment" in answer.headers["Content-Disposition"]
    whole = json.loads(answer.content)
    text = json.dumps(whole)
    assert available.manifest_sha256 in text
    assert [review["decision"] for review in whole["reviews"]] == ["ethics", "approve"]
    for review, kept in zip(
        whole["reviews"], available.request.reviews.all(), strict=True
    ):
        digest = hashlib.sha256(bytes(kept.statement)).hexdigest()
        assert review["statement_sha256"] == digest
    for held in ReleaseDonor.objects.all():
        assert str(held.donor_id) not in text


# --- revoking -----------------------------------------------------------------------


def test_the_irb_ends_a_release_at_once_with_a_reason(
    signed_in: SignedIn, ira: User, rosa: User, available: Release
) -> None:
    reviewer = signed_in(ira)
    revoke = reverse("audit_release_revoke", args=[available.accession])
    assert revoke in page(reviewer.get(dossier(available)))
    assert "Revoke it now" in page(reviewer.get(revoke))
    assert 'href="#id_reason"' in page(reviewer.post(revoke, {"reason": " "}), 422)
    available.refresh_from_db()
    assert available.state == ReleaseState.AVAILABLE
    answer = reviewer.post(revoke, {"reason": "A <fault> was found."})
    assert answer.headers["Location"] == dossier(available)
    text = page(reviewer.get(dossier(available)))
    assert "A &lt;fault&gt; was found." in text
    assert revoke not in text
    file = reverse(
        "research_release_file", args=[available.accession, available.files.get().name]
    )
    assert signed_in(rosa).get(file).status_code == 403
    # Twice is once.
    reviewer.post(revoke, {"reason": "Another reason."})
    available.refresh_from_db()
    assert available.closed_reason == "A <fault> was found."


def test_an_auditor_only_reads(client: Client, available: Release) -> None:
    revoke = reverse("audit_release_revoke", args=[available.accession])
    assert revoke not in page(client.get(dossier(available)))
    assert client.post(revoke, {"reason": "Mine."}).status_code == 403
    available.refresh_from_db()
    assert available.state == ReleaseState.AVAILABLE


@pytest.mark.parametrize("state", ["expired", "failed"])
def test_what_has_ended_is_not_revoked(
    signed_in: SignedIn, ira: User, available: Release, state: str
) -> None:
    Release.objects.update(state=state, failure_reason="x")
    revoke = reverse("audit_release_revoke", args=[available.accession])
    reviewer = signed_in(ira)
    assert revoke not in page(reviewer.get(dossier(available)))
    page(reviewer.post(revoke, {"reason": "Late."}), 409)
    available.refresh_from_db()
    assert available.state == state
