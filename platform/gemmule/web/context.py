"""What every page's frame shows: who is here, where they may go, the ledger's head."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

import gemmule.notices.selectors
import ledger.selectors
from gemmule.accounts.models import Role, User
from gemmule.accounts.selectors import roles_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NavItem:
    """One entry of the main navigation."""

    label: str
    url: str
    is_current: bool


_EVERYONE = (("Datasets", "/datasets/"), ("How it works", "/how-it-works/"))
_BY_ROLE: dict[Role, tuple[tuple[str, str], ...]] = {
    Role.DONOR: (("My choices", "/donor/"),),
    Role.RESEARCHER: (("Research", "/research/"),),
    Role.IRB_REVIEWER: (("Review", "/irb/"), ("Releases", "/audit/releases/")),
    Role.IRB_CHAIR: (("Review", "/irb/"), ("Releases", "/audit/releases/")),
    Role.STEWARD: (("Stewardship", "/steward/"),),
    Role.AUDITOR: (("Releases", "/audit/releases/"),),
    Role.ADMINISTRATOR: (("People", "/people/"),),
}


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the frame's variables; lazy where a page may not need them."""
    user = request.user
    roles = roles_of(user) if isinstance(user, User) else []
    return {
        "nav": _navigation(roles, request.path),
        "roles": roles,
        "checkpoint": SimpleLazyObject(ledger.selectors.latest_checkpoint),
        "unread": SimpleLazyObject(lambda: _unread(user)),
    }


def _unread(user: User | AnonymousUser) -> int:
    if not isinstance(user, User):
        return 0
    return gemmule.notices.selectors.unread_count(user)


def _navigation(roles: list[Role], path: str) -> list[NavItem]:
    places: dict[str, str] = {}
    for role in roles:
        places.update({url: label for label, url in _BY_ROLE[role]})
    for label, url in (*_EVERYONE, ("Ledger", "/ledger/")):
        places.setdefault(url, label)
    return [
        NavItem(label=label, url=url, is_current=path.startswith(url))
        for url, label in places.items()
    ]
