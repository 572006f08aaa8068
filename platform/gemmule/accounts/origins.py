"""Say where a request came from, without quoting anything that the sender chose."""

import re
from dataclasses import dataclass

from allauth.core.internal.httpkit import get_client_ip
from django.http import HttpRequest

# The first that fits: other browsers call themselves Chrome and Safari too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The network address and the browser of a request; empty where not known."""

    address: str = ""
    browser: str = ""

    def __str__(self) -> str:
        """Return both in a line.

        >>> str(Origin(address="192.0.2.7", browser="Firefox on Linux"))
        '192.0.2.7, Firefox on Linux'
        >>> str(Origin())
        'not known'
        """
        return ", ".join(filter(None, (self.address, self.browser))) or "not known"


def origin_of(request: HttpRequest) -> Origin:
    """Return where the request came from."""
    return Origin(
        address=get_client_ip(request) or "",
        browser=browser_name(request.headers.get("User-Agent", "")),
    )


def browser_name(user_agent: str) -> str:
    """Return browser and system; never a word of the header itself.

    Whoever sends it chooses it, and would have our mail say what they like.

    >>> browser_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    'Firefox on Linux'
    >>> browser_name("Open https://evil.example to keep your account")
    ''
    """
    browser = _first(_BROWSERS, r"\b{}/\d", user_agent)
    system = _first(_SYSTEMS, r"\b{}\b", user_agent)
    return " on ".join(filter(None, (browser, system)))


def _first(known: tuple[tuple[str, str], ...], pattern: str, text: str) -> str:
    return next(
        (name for token, name in known if re.search(pattern.format(token), text)), ""
    )
