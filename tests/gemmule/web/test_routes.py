"""Every address answers everybody as `routes.txt` declares; a new one must be there.

The columns of that table are the ten people of `route_world`. An answer is a status
or one of: `in` (to the sign-in page), `re` (the password or passkey again), `go` (to
another page). One answer alone is everybody's. `POST+` is the POST of somebody who has
just given the password again.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.plugin import DjangoDbBlocker

from gemmule.accounts import keys
from gemmule.demo import cast
from gemmule.web.urls import signing_in
from tests.gemmule.web import looks, route_world
from tests.gemmule.web.route_world import PEOPLE, World

pytestmark = pytest.mark.django_db

_TABLE = Path(__file__).with_name("routes.txt")
# A browser's form is never empty: an empty one would count as not sent.
_SENT = {"csrfmiddlewaretoken": "x"}
_AGAIN = {"password": cast.PASSWORD}
_SIGNED = {"reason": "Sound.", "password": cast.PASSWORD}
_DESCRIBED = {
    "title": "Another dataset",
    "summary": "It stands for what a steward would write.",
    "build": "GRCh37",
}
# What a form is sent where an empty one would be refused whoever sends it.
_FORMS: dict[str, dict[str, str]] = {
    "profile": {"name": "New"},
    "key_new": {"name": "k", "public_key": keys.public_key_text(b"7" * 32)},
    "key_detail": {"answer": "wrong"},
    "token_new": {"name": "t", "days": "30", "password": cast.PASSWORD},
    "people_invite": {"email": "new@example.org", "name": "New"},
    "role_propose": {"email": cast.AUD.email, "role": "steward"},
    "donor_erase": {"password": cast.PASSWORD},
    "role_confirm": {"password": cast.PASSWORD},
    "hold_sign": {"password": cast.PASSWORD, "findings_sha256": "00" * 32},
    "research_project_new": {"title": "Lungs", "lay_summary": "About lungs."},
    "research_project": {"email": cast.ROSA.email},
    "research_request_edit": {"research_types": "biomedical"},
    "irb_approve": {**_SIGNED, "expires_on": "2999-01-01"},
    "irb_countersign": _SIGNED,
    "irb_deny": _SIGNED,
    "irb_send_back": _SIGNED,
    "irb_verify_ethics": _SIGNED,
    "audit_release_revoke": {"reason": "A fault was found."},
    "steward_register": _DESCRIBED,
    "steward_describe": _DESCRIBED,
    "steward_build": {"password": cast.PASSWORD},
}
_BODIES = {
    "api:projects": {"title": "Lungs", "lay_summary": "About lungs."},
    "api:request": {"justification": "More."},
    "api:key-prove": {"answer": "wrong"},
    "api:releases": {"request": "GMQ0000000", "key": str(uuid.UUID(int=0))},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one address declares for one method."""

    route: str
    object: str
    method: str
    answers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.route} {self.method}"


def table() -> list[Line]:
    lines = []
    for text in _TABLE.read_text().splitlines():
        if not text or text.startswith("#"):
            continue
        route, kind, method, *answers = text.split()
        everybody = answers * len(PEOPLE) if len(answers) == 1 else answers
        lines.append(
            Line(
                route=route,
                object=kind,
                method=method,
                answers=dict(zip(PEOPLE, everybody, strict=True)),
            )
        )
    return lines


def routes(
    resolver: URLResolver | None = None, space: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yield every address of the site by its name."""
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from routes(one, f"{one.namespace}:" if one.namespace else space)
        else:
            yield f"{space}{one.name}", one


@pytest.fixture
def _notary_without_memory() -> None:
    """Let the notary remember: the world it signed for outlives the single test."""


@pytest.fixture(scope="module")
def world(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    with ExitStack() as stack:
        stack.enter_context(django_db_blocker.unblock())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("django.conf.settings.RELEASE_DIR", tmp_path_factory.mktemp("r"))
        stack.enter_context(route_world.taken_back())
        yield route_world.make()


def knock(
    world: World, line: Line, who: str, objects: dict[str, Any]
) -> tuple[str, Any]:
    """Return the answer to one person, in the table's words and as it came."""
    client = world.client(who)
    path = reverse(line.route, kwargs=objects)
    headers = {}
    if line.route.startswith("api:"):
        client.cookies.clear()
        if who in world.tokens:
            headers["Authorization"] = f"Token {world.tokens[who]}"
    with route_world.taken_back():
        if line.method == "POST+" and who in world.cookies:
            client.post(reverse("account_reauthenticate"), _AGAIN)
        if line.method == "GET":
            answer = client.get(path, headers=headers)
        elif line.route.startswith("api:"):
            answer = client.generic(
                line.method,
                path,
                json.dumps(_BODIES.get(line.route, {})),
                "application/json",
                headers=headers,
            )
        else:
            answer = client.generic(
                line.method.rstrip("+"),
                path,
                urlencode(_SENT | _FORMS.get(line.route, {})),
                "application/x-www-form-urlencoded",
                headers=headers,
            )
        if answer.streaming:
            b"".join(answer)  # Read to its end, within what is taken back.
    return _word(answer), answer


def _word(answer: Any) -> str:
    if any(page.name == "account_own/again.html" for page in answer.templates or ()):
        return "re"
    if answer.status_code != 302:
        return str(answer.status_code)
    location = answer.headers["Location"]
    if location.startswith(reverse("account_login")):
        return "in"
    if location.startswith(reverse("account_reauthenticate")):
        return "re"
    return "go"


def test_every_address_has_a_name_and_is_declared_for_get_and_post() -> None:
    names = [name for name, _ in routes()]
    assert len(names) > 100
    assert not [name for name in names if name.endswith("None")]
    assert sorted(set(names)) == sorted(names), "two addresses share a name"
    declared = {(line.route, line.method) for line in table()}
    missing = {(name, method) for name in names for method in ("GET", "POST")}
    assert missing - declared == set(), "declare their outcomes in routes.txt"
    assert {route for route, _ in declared} - set(names) == set(), "they are gone"


# Whatever changes who can use an account, or what is encrypted to its owner.
_ASKING = (
    *signing_in.ASKED,
    *("profile", "key_new", "key_detail", "key_renew", "key_retire"),
)


def test_what_changes_an_account_asks_everybody_again() -> None:
    declared = {
        line.route: set(line.answers.values()) - {"in", "403", "404"}
        for line in table()
        if line.method == "POST" and line.route in _ASKING
    }
    assert declared == {route: {"re"} for route in _ASKING}


def test_no_address_of_the_library_goes_around_ours() -> None:
    known = {*signing_in.ASKED, *signing_in.IN_TURN, *signing_in.FREE}
    theirs = {
        name for name, _ in routes() if name.startswith(("account_", "mfa_", "knox"))
    }
    assert theirs == known
    for app in ("allauth.headless", "allauth.usersessions", "django.contrib.admin"):
        assert app not in settings.INSTALLED_APPS, f"{app} has addresses of its own"


def _readers() -> dict[str, set[str]]:
    """Return for each object who reads it on some page, and so knows of it."""
    known: dict[str, set[str]] = {}
    for line in table():
        if line.method == "GET":
            readers = {who for who, answer in line.answers.items() if answer == "200"}
            known.setdefault(line.object, set()).update(readers)
    known["file"] |= known["release"]  # A release's page names its files.
    return known


_KNOWN = _readers()


@pytest.mark.parametrize("line", table(), ids=str)
def test_everybody_is_answered_as_declared(world: World, line: Line) -> None:
    there = world.objects[line.object]
    people: tuple[str, ...] = PEOPLE
    if set(line.answers.values()) == {"405"}:
        people = ("nobody", "rosa")  # Refused before anyone is looked at.
    for who in people:
        word, theirs = knock(world, line, who, there)
        assert word == line.answers[who], who
        if there and word in ("403", "404") and who not in _KNOWN[line.object]:
            # What is not yours looks like what is not there.
            missing = route_world.nowhere(there)
            also, nobodys = knock(world, line, who, missing)
            assert also == word, f"{who} can tell"
            assert looks.alike(_nameless(theirs, there), _nameless(nobodys, missing)), (
                f"{who} can tell by the page"
            )


def test_a_difference_between_two_refusals_would_be_seen(world: World) -> None:
    line = next(one for one in table() if str(one) == "api:request GET")
    there = world.objects[line.object]
    _, theirs = knock(world, line, "rosa", there)
    _, nobodys = knock(world, line, "rosa", route_world.nowhere(there))
    assert not looks.alike(theirs.content, nobodys.content)


def _nameless(answer: Any, objects: dict[str, Any]) -> bytes:
    """Return the answer without the accession or id asked for, which it may repeat."""
    content: bytes = answer.content
    for value in objects.values():
        # A question's name is a word that any page may hold.
        if isinstance(value, uuid.UUID) or str(value).startswith("GM"):
            content = content.replace(str(value).encode(), b"")
    return content
