"""The ledger's files: hashes for everybody, what entries say for those who audit."""

import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client, RequestFactory
from pytest_django.fixtures import Settings

import ledger.selectors
import ledger.services
from gemmule.accounts.models import Role, User
from gemmule.api.resources.ledger import HashTile
from ledger.tlog import tile
from ledger.tlog.hashing import leaf_hash
from ledger.tlog.policy import Policy
from tests import factories
from tests.gemmule.api.callers import Caller, assert_problem, caller

pytestmark = pytest.mark.django_db

BUNDLE = "/ledger/tile/entries/000.p/3"


@pytest.fixture(autouse=True)
def published(now: datetime, tmp_path: Path, settings: Settings) -> None:
    """Publish a log of three entries: the first one and two events."""
    settings.LEDGER_PUBLIC_DIR = tmp_path / "public"
    for _ in range(2):
        with transaction.atomic():
            ledger.services.append(
                type="data.registered",
                pub={"dataset": "GMD7K2Q9XA"},
                body={},
                event=uuid.uuid4(),
                now=now,
            )
    ledger.services.settle(now=now)


def fetch(
    path: str, headers: dict[str, str] | None = None, *, client: Client | None = None
) -> Any:
    return (client or Client()).get(path, headers=headers)


def with_token(who: Caller) -> dict[str, str]:
    return {"Authorization": f"Token {who.token}"}


# --- for everybody -------------------------------------------------------------------


def test_the_checkpoint_is_the_signed_note_and_soon_stale() -> None:
    answer = fetch("/ledger/checkpoint")
    latest = ledger.selectors.latest_checkpoint()
    assert latest is not None
    assert answer.content.decode() == latest.note
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=2"


def test_there_is_no_checkpoint_before_the_first(
    tmp_path: Path, settings: Settings
) -> None:
    settings.LEDGER_PUBLIC_DIR = tmp_path / "nothing"
    assert_problem(fetch("/ledger/checkpoint"), 404, code="not-found")


def test_the_policy_is_the_one_receipts_are_checked_with() -> None:
    answer = fetch("/ledger/policy")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    policy = Policy.parse(answer.content.decode())
    assert [key.text for key in policy.logs] == [ledger.selectors.verifier_key()]
    assert policy.check(fetch("/ledger/checkpoint").content).checkpoint.size == 3


def test_a_hash_tile_never_changes_and_is_kept_for_ever() -> None:
    answer = fetch("/ledger/tile/0/000.p/3")
    assert answer.status_code == 200
    assert len(answer.content) == 3 * 32
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path", ["/ledger/checkpoint", "/ledger/policy", "/ledger/tile/0/000.p/3"]
)
def test_public_files_look_at_no_session_and_serve_other_sites(path: str) -> None:
    answer = fetch(path)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert not answer.cookies
    # What varies by cookie is kept by no shared cache.
    assert "Cookie" not in answer.headers.get("Vary", "")
    # A token that nobody knows is no hindrance to what everybody may read.
    assert fetch(path, {"Authorization": "Token wrong"}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/ledger/checkpoint", "/ledger/policy", "/ledger/tile/0/000.p/3"]
)
def test_who_has_it_already_is_told_so(path: str) -> None:
    whole = fetch(path)
    etag = whole.headers["ETag"]
    again = fetch(path, {"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == etag
    assert again.headers["Cache-Control"] == whole.headers["Cache-Control"]
    assert fetch(path, {"If-None-Match": '"other"'}).content == whole.content
    head = Client().head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "name",
    [
        "0/001",
        "0/000",  # Full, while only the partial one is there.
        "0/000.p/2",  # No checkpoint was ever that small.
        "7/000.p/1",
        "0/000.p/256",
        "0/000.p/0",
        "0/000.p/03",
        "0/0",
        "00/000.p/3",
        "64/000",
        "-1/000.p/3",
        "0/x000/000.p/3",
        "0/000.p/3/",
        "0/000.p/3%0A",
        "0/000.p/3%00",
        "0/000.p%2F3/..",
        "0/..%2f..%2fcheckpoint",
        "../checkpoint",
        "..%2fpublish.lock",
        "%2e%2e/%2e%2e/keys/ledger.key",
        "0//etc/passwd",
        "0/\u06f0\u06f0\u06f0.p/3",
        "",
    ],
)
def test_what_is_no_tile_is_not_found(name: str) -> None:
    (settings.LEDGER_PUBLIC_DIR.parent / "publish.lock").write_text("secret")
    answer = fetch(f"/ledger/tile/{name}")
    assert answer.status_code == 404, answer.content
    assert b"secret" not in answer.content


def test_no_order_of_addresses_opens_the_entries_to_everybody() -> None:
    request = RequestFactory().get("/")
    answer: Any = HashTile.as_view()(request, tile="entries/000.p/3").render()
    assert answer.status_code == 404
    assert b"data.registered" not in answer.content


# --- for those who audit -------------------------------------------------------------


@pytest.fixture(params=["aud", "ira", "ingrid"])
def reader(request: pytest.FixtureRequest) -> User:
    found: User = request.getfixturevalue(request.param)
    return found


def test_entries_hash_to_the_tile_above_them(reader: User) -> None:
    answer = fetch(BUNDLE, with_token(caller(reader)))
    assert answer.status_code == 200
    entries = tile.parse_bundle(answer.content, 3)
    hashes = b"".join(leaf_hash(entry) for entry in entries)
    assert hashes == fetch("/ledger/tile/0/000.p/3").content
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_reader_who_is_signed_in_needs_no_token(
    reader: User, signed_in: Callable[[User], Client]
) -> None:
    assert fetch(BUNDLE, client=signed_in(reader)).status_code == 200


def test_a_stranger_needs_a_token_for_entries() -> None:
    answer = fetch(BUNDLE)
    assert_problem(answer, 401, says="Authorization: Token")
    assert answer.headers["WWW-Authenticate"] == "Token"
    assert_problem(fetch(BUNDLE, {"Authorization": "Token wrong"}), 401)


@pytest.mark.parametrize(
    "role",
    [
        role
        for role in Role
        if role.value not in ("irb_reviewer", "irb_chair", "auditor")
    ],
)
@pytest.mark.parametrize("path", [BUNDLE, "/ledger/tile/entries/999"])
def test_every_other_role_is_refused_entries_there_or_not(
    role: Role, path: str, signed_in: Callable[[User], Client]
) -> None:
    assert_problem(fetch(path, client=signed_in(factories.person(role))), 403)


def test_unknown_bundles_are_not_found(aud: User) -> None:
    token = with_token(caller(aud))
    for name in ("001", "000", "000.p/2", "000.p/4", "../0/000.p/3", "0/000.p/3"):
        path = f"/ledger/tile/entries/{name}"
        assert_problem(fetch(path, token), 404, code="not-found")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_files_are_only_read(method: str, aud: User) -> None:
    token = with_token(caller(aud))
    for path in ("/ledger/checkpoint", "/ledger/tile/0/000.p/3", BUNDLE):
        answer = getattr(Client(), method)(path, headers=token)
        assert_problem(answer, 405)
