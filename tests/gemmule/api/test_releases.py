"""/api/v1/releases/: asking for one, following it, its manifest."""

import hashlib
import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

import gemmule.releases.services
from gemmule.access import services
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import ResearcherKey, User
from gemmule.releases.models import Release, ReleaseDonor, ReleaseState
from tests.gemmule.api.callers import Caller, assert_problem
from tests.gemmule.api.sealing import CONTENT
from tests.gemmule.releases.conftest import Keyring

pytestmark = pytest.mark.django_db


def wanted(request: AccessRequest, keyring: Keyring) -> dict[str, str]:
    return {"request": request.accession, "key": str(keyring.key.pk)}


def test_a_release_is_asked_for_once_however_often(
    as_rosa: Caller, approved: AccessRequest, keyring: Keyring
) -> None:
    first = as_rosa.post("/releases/", wanted(approved, keyring))
    again = as_rosa.post("/releases/", wanted(approved, keyring))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.json()["state"] == "requested"
    assert first.json()["request"] == approved.accession
    assert first.json()["key"] == keyring.key.fingerprint
    assert first.json()["files"] == []
    assert Release.objects.count() == 1
    path = f"/releases/{first.json()['accession']}/"
    assert as_rosa.get(path).json() == first.json()
    assert as_rosa.get("/releases/").json()["results"] == [first.json()]


def test_progress_is_told_while_it_is_built(as_rosa: Caller, release: Release) -> None:
    progress = {
        "stage": "cutting and encrypting",
        "percent": 40,
        "records": 3,
        "bytes": 7,
        "parts": 2,
        "parts_done": 1,
        "part_percents": [100, 4],
        "seconds_left": 90,
    }
    Release.objects.update(state=ReleaseState.BUILDING, progress=progress)
    told = as_rosa.get(f"/releases/{release.accession}/").json()
    assert (told["state"], told["progress"]) == ("building", progress)


@pytest.mark.parametrize("state", ["draft", "submitted", "denied", "closed", "expired"])
def test_a_request_that_is_not_approved_gets_no_release(
    as_rosa: Caller, approved: AccessRequest, keyring: Keyring, state: str
) -> None:
    AccessRequest.objects.update(state=state)
    answer = as_rosa.post("/releases/", wanted(approved, keyring))
    assert_problem(answer, 409, says="is not approved", code="state")
    assert not Release.objects.exists()


def test_an_approval_whose_day_has_passed_gets_no_release(
    as_rosa: Caller, approved: AccessRequest, keyring: Keyring, now: datetime
) -> None:
    AccessRequest.objects.update(expires_on=now.date() - timedelta(days=1))
    answer = as_rosa.post("/releases/", wanted(approved, keyring))
    assert_problem(answer, 409, says="ask the IRB", code="state")
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"key": str(uuid.uuid4())}, "key", "register it and prove"),
        ({"key": "no uuid"}, "key", "valid UUID"),
        ({"request": "GMQ0000000"}, "request", "you have no request"),
        ({"request": "x" * 21}, "request", "20 characters"),
        ({"state": "available"}, "state", "cannot be set"),
        ({"recipient": "me"}, "recipient", "cannot be set"),
        ({"expires_on": "2099-01-01"}, "expires_on", "cannot be set"),
    ],
)
def test_a_release_of_nothing_known_is_refused(
    as_rosa: Caller,
    approved: AccessRequest,
    keyring: Keyring,
    change: dict[str, str],
    field: str,
    says: str,
) -> None:
    answer = as_rosa.post("/releases/", wanted(approved, keyring) | change)
    assert_problem(answer, 400, says=says, field=field)
    assert not Release.objects.exists()


@pytest.mark.parametrize("state", ["pending", "retired"])
def test_a_key_that_is_not_in_use_is_refused(
    as_rosa: Caller, approved: AccessRequest, keyring: Keyring, state: str
) -> None:
    challenge = b"x" if state == "pending" else None
    ResearcherKey.objects.update(state=state, challenge=challenge)
    answer = as_rosa.post("/releases/", wanted(approved, keyring))
    assert_problem(answer, 400, says="prove that you hold", field="key")
    assert not Release.objects.exists()


def test_a_colleague_cannot_use_anothers_key(
    as_rosa: Caller,
    as_rival: Caller,
    approved: AccessRequest,
    keyring: Keyring,
    rosa: User,
    now: datetime,
) -> None:
    services.add_member(
        user=rosa,
        project=approved.project,
        member=User.objects.get(name="Rival"),
        now=now,
    )
    answer = as_rival.post("/releases/", wanted(approved, keyring))
    assert_problem(answer, 400, field="key")
    assert not Release.objects.exists()


# --- who ---------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ira", "ingrid", "aud"])
def test_irb_and_auditors_read_releases_and_ask_for_none(
    as_someone: Callable[[str], Caller],
    as_rosa: Caller,
    available: Release,
    keyring: Keyring,
    who: str,
) -> None:
    reader, path = as_someone(who), f"/releases/{available.accession}/"
    assert reader.get(path).json() == as_rosa.get(path).json()
    assert len(reader.get("/releases/").json()["results"]) == 1
    manifest = reader.get(f"{path}manifest/").content
    assert manifest == as_rosa.get(f"{path}manifest/").content
    file = available.files.get().name
    assert_problem(reader.get(f"{path}files/{file}"), 403, says="another person's key")
    answer = reader.post("/releases/", wanted(available.request, keyring))
    assert_problem(answer, 403, says="Researcher", code="not-allowed")


def test_a_rival_finds_no_release(
    as_rival: Caller, available: Release, keyring: Keyring
) -> None:
    assert as_rival.get("/releases/").json()["results"] == []
    file = available.files.get().name
    for tail in ("", "manifest/", f"files/{file}"):
        theirs = assert_problem(
            as_rival.get(f"/releases/{available.accession}/{tail}"), 404
        )
        nobodys = assert_problem(as_rival.get(f"/releases/GMR0000000/{tail}"), 404)
        assert theirs["detail"] == nobodys["detail"].replace(
            "GMR0000000", available.accession
        )
    answer = as_rival.post("/releases/", wanted(available.request, keyring))
    assert_problem(answer, 400, says="you have no request", field="request")


def test_stewards_find_no_releases(
    as_someone: Callable[[str], Caller], available: Release
) -> None:
    steward = as_someone("sven")
    for path in ("", f"{available.accession}/", "GMR0000000/"):
        assert_problem(steward.get(f"/releases/{path}"), 403, code="not-allowed")


# --- what is told --------------------------------------------------------------------


def test_the_manifest_is_the_signed_one(as_rosa: Caller, available: Release) -> None:
    answer = as_rosa.get(f"/releases/{available.accession}/manifest/")
    digest = hashlib.sha256(answer.content).hexdigest()
    told = as_rosa.get(f"/releases/{available.accession}/").json()
    assert digest == told["manifest_sha256"] == available.manifest_sha256
    assert answer.headers["ETag"] == f'"{digest}"'
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["manifest"]["release"] == available.accession


def test_before_the_seal_there_is_no_manifest(
    as_rosa: Caller, release: Release
) -> None:
    answer = as_rosa.get(f"/releases/{release.accession}/manifest/")
    assert_problem(answer, 409, says="not sealed yet", code="state")


def test_a_release_tells_its_files_and_nothing_of_donors_or_paths(
    as_rosa: Caller, available: Release
) -> None:
    answer = as_rosa.get(f"/releases/{available.accession}/")
    assert answer.json()["files"] == [
        {
            "name": f"{available.accession}.vcf.gz.c4gh",
            "role": "variants",
            "size_bytes": len(CONTENT),
            "sha256_cipher": hashlib.sha256(CONTENT).hexdigest(),
            "sha256_plain": "22" * 32,
        }
    ]
    text = answer.content.decode()
    assert available.files.get().path not in text
    for one in ReleaseDonor.objects.all():
        assert str(one.donor_id) not in text
        assert one.sample_name not in text


def test_a_revoked_release_names_the_one_that_replaces_it(
    as_rosa: Caller, available: Release, now: datetime
) -> None:
    held = ReleaseDonor.objects.select_related("donor")[0]
    gemmule.releases.services.withdraw_consent(
        donor=held.donor, channel="donor", event=uuid.uuid4(), now=now
    )
    told = as_rosa.get(f"/releases/{available.accession}/").json()
    assert told["state"] == "revoked"
    assert told["closed_reason"] == "A donor in it withdrew."
    successor = as_rosa.get(f"/releases/{told['superseded_by']}/").json()
    assert (successor["state"], successor["superseded_by"]) == ("requested", None)


def test_a_list_of_releases_takes_the_same_queries_however_long(
    as_rosa: Caller,
    available: Release,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    held = ReleaseDonor.objects.select_related("donor")[0]
    for count in (1, 2):
        with django_assert_num_queries(5):  # Token, role twice, page, files.
            rows = as_rosa.get("/releases/").json()["results"]
        assert len(rows) == count
        if count == 1:
            gemmule.releases.services.withdraw_consent(
                donor=held.donor, channel="donor", event=uuid.uuid4(), now=now
            )
