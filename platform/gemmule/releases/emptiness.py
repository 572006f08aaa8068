"""Say why a release holds no record; in the manifest as codes, to people in words.

Codes depend on the request and on included donors alone. Without Django: the verifier
and the downloader read manifests too.
"""

from collections.abc import Iterable

OUTSIDE = "regions-outside"
CLOSED = "regions-closed"
NO_CARRIER = "no-carrier"

_WORDS = {
    OUTSIDE: "the dataset holds nothing in the requested regions",
    CLOSED: "donors closed the places of some records to everybody",
    NO_CARRIER: "none of the included donors carries a variant that may be released "
    "in the requested regions",
}


def codes(*, records_withheld: int, is_outside: bool) -> list[str]:
    """Return why nothing is left, for a manifest."""
    if is_outside:
        return [OUTSIDE]
    return [CLOSED, NO_CARRIER] if records_withheld else [NO_CARRIER]


def words(reasons: Iterable[str]) -> str:
    """Return the reasons as the rest of a sentence.

    >>> words(["regions-outside"])
    'the dataset holds nothing in the requested regions'
    """
    known = [_WORDS[code] for code in reasons if code in _WORDS]
    return "; ".join(known) or "no reason is given"
