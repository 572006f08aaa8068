"""/api/v1/releases/…/files/…: bytes through the gate, resumed where they stopped."""

import hashlib
import uuid
from datetime import datetime
from typing import Any

import pytest

import gemmule.access.services
import gemmule.accounts.services
import gemmule.releases.services
from gemmule.accounts.models import User
from gemmule.releases import upkeep
from gemmule.releases.models import Download, Release, ReleaseDonor
from tests.gemmule.api.callers import Caller, assert_problem
from tests.gemmule.api.sealing import CONTENT

pytestmark = pytest.mark.django_db

ETAG = f'"{hashlib.sha256(CONTENT).hexdigest()}"'


def file_of(release: Release) -> str:
    return f"/releases/{release.accession}/files/{release.files.get().name}"


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_the_file_comes_whole(as_rosa: Caller, available: Release) -> None:
    answer = as_rosa.get(file_of(available), accept="application/octet-stream")
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == ETAG
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert body(answer) == CONTENT
    assert Download.objects.get().outcome == "complete"


def test_head_tells_the_size_and_sends_nothing(
    as_rosa: Caller, available: Release
) -> None:
    answer = as_rosa.head(file_of(available))
    assert answer.status_code == 200
    assert answer.headers["Content-Length"] == str(len(CONTENT))
    assert answer.headers["ETag"] == ETAG
    assert answer.content == b""
    assert not Download.objects.exists()


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [("bytes=100-", 100, 10240), ("bytes=5-9", 5, 10), ("bytes=-10", 10230, 10240)],
)
@pytest.mark.parametrize("if_range", [{}, {"if_range": ETAG}])
def test_a_range_resumes_byte_exact(
    as_rosa: Caller,
    available: Release,
    asked: str,
    start: int,
    stop: int,
    if_range: dict[str, str],
) -> None:
    answer = as_rosa.get(file_of(available), range=asked, **if_range)
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(CONTENT)}"
    assert answer.headers["Content-Length"] == str(stop - start)
    assert body(answer) == CONTENT[start:stop]


def test_another_version_is_not_resumed(as_rosa: Caller, available: Release) -> None:
    answer = as_rosa.get(file_of(available), range="bytes=5-9", if_range='"other"')
    assert answer.status_code == 200
    assert body(answer) == CONTENT


def test_a_range_outside_the_file_is_answered_with_its_size(
    as_rosa: Caller, available: Release
) -> None:
    answer = as_rosa.get(file_of(available), range="bytes=20000-")
    assert_problem(answer, 416, says="10240 bytes", code="range")
    assert answer.headers["Content-Range"] == "bytes */10240"


def test_no_byte_leaves_before_the_ledger_is_sealed(
    as_rosa: Caller, sealed: Release, now: datetime
) -> None:
    for send in (as_rosa.get, as_rosa.head):
        answer = send(file_of(sealed))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
    assert_problem(as_rosa.get(file_of(sealed)), 503, says="try again")
    upkeep.settle(now=now)
    assert body(as_rosa.get(file_of(sealed))) == CONTENT


def test_a_file_that_is_still_built_is_no_file(
    as_rosa: Caller, release: Release
) -> None:
    answer = as_rosa.get(f"/releases/{release.accession}/files/x.vcf.gz.c4gh")
    assert_problem(answer, 404, says="no such file")


def withdraw(release: Release, rosa: User, now: datetime) -> None:
    held = ReleaseDonor.objects.select_related("donor")[0]
    gemmule.releases.services.withdraw_consent(
        donor=held.donor, channel="donor", event=uuid.uuid4(), now=now
    )


def close(release: Release, rosa: User, now: datetime) -> None:
    gemmule.access.services.close(user=rosa, request=release.request, now=now)


def retire(release: Release, rosa: User, now: datetime) -> None:
    gemmule.accounts.services.retire_key(user=rosa, key_id=release.key_id, now=now)


@pytest.mark.parametrize(
    ("end", "code", "says"),
    [
        (withdraw, "release-revoked", "A donor in it withdrew."),
        (close, "request-closed", "ask the IRB"),
        (retire, "key-retired", "open a new release"),
    ],
)
def test_what_ends_the_grant_ends_every_way_to_the_bytes(
    as_rosa: Caller,
    rosa: User,
    available: Release,
    now: datetime,
    end: Any,
    code: str,
    says: str,
) -> None:
    path = file_of(available)
    end(available, rosa, now)
    for headers in ({}, {"range": "bytes=5-"}, {"range": "bytes=5-", "if_range": ETAG}):
        answer = as_rosa.get(path, **headers)
        problem = assert_problem(answer, 403, says=says, code=code)
        assert problem["title"] != "Forbidden", "it says what happened"
        successor = Release.objects.filter(supersedes=available).first()
        assert problem.get("successor") == (successor.accession if successor else None)
        assert CONTENT[:20] not in answer.content
    assert as_rosa.head(path).status_code == 403
    assert not Download.objects.exists()
