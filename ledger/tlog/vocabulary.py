"""The closed list of event types, and what each may say in public.

A public value is a digest, a code, a date or an accession: its shape leaves no room
for a name, a mail address or an id of a donor. What happened in detail stands in the
body, which the entry only commits to.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from ledger import errors
from ledger.tlog.canonical import JSON

MAX_CODES = 32


@dataclass(frozen=True, slots=True)
class _Kind:
    meaning: str
    pattern: re.Pattern[str]
    # True for a list of such strings, sorted and without repetition.
    many: bool = False
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class _EventType:
    required: frozenset[str]
    optional: frozenset[str]


def _kind(meaning: str, pattern: str, *, many: bool = False) -> _Kind:
    return _Kind(meaning, re.compile(pattern), many)


_DIGEST = _kind(
    "a SHA-256 digest, as 64 lower-case hex digits or as base64",
    r"[0-9a-f]{64}|[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=",
)
_CODE = _kind(
    "a code of lower-case letters", r"[a-z][a-z0-9]{0,15}(?:[._-][a-z0-9]{1,15}){0,3}"
)
_NAME = r"[!-*,-~]{1,200}"  # Visible ASCII without the plus sign.

# A key means the same in every event type.
_KINDS: Mapping[str, _Kind] = {
    "action": _CODE,
    "agreement_sha256": _DIGEST,
    "build": _kind("a genome build", r"GRCh3[78]"),
    "channel": _CODE,
    "cohort_root": _DIGEST,
    # Digits and letters but I, L, O and U, so that it survives being read aloud.
    "dataset": _kind(
        "a dataset accession such as GMD7K2Q9XA", r"GMD[0-9A-HJKMNP-TV-Z]{6,12}"
    ),
    "duo": _kind("DUO codes", r"DUO:[0-9]{7}|[A-Z][A-Z0-9-]{1,15}", many=True),
    "expires_on": _Kind(
        "a date such as 2027-01-31",
        re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
        is_date=True,
    ),
    "files_sha256": _DIGEST,
    "form_sha256": _DIGEST,
    # A research organisation, never a person: ROR id, see https://ror.org.
    "institution": _kind(
        "a ROR id", r"(?:https://ror\.org/)?0[a-hj-km-np-tv-z0-9]{6}[0-9]{2}"
    ),
    "key": _kind("a note verifier key", _NAME + r"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}"),
    "key_id": _kind("a note key id of 8 hex digits", r"[0-9a-f]{8}"),
    "language": _kind("a language tag", r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}"),
    "manifest_sha256": _DIGEST,
    "origin": _kind("the origin of a log", _NAME),
    "policy_sha256": _DIGEST,
    "reason": _CODE,
    "request_sha256": _DIGEST,
    "role": _CODE,
    "statement_sha256": _DIGEST,
    "version": _kind("a version", r"[0-9]{1,4}(?:\.[0-9]{1,4}){0,2}"),
}


def _type(required: str = "", optional: str = "") -> _EventType:
    return _EventType(frozenset(required.split()), frozenset(optional.split()))


_CONSENT = _type("", "form_sha256")
_DECISION = _type(
    "request_sha256", "dataset duo expires_on institution reason statement_sha256"
)

EVENT_TYPES: Mapping[str, _EventType] = {
    "log.genesis": _type("key_id origin", "key policy_sha256"),
    "log.key": _type("action key_id", "key"),
    "log.policy": _type("policy_sha256"),
    "consent.given": _CONSENT,
    "consent.changed": _CONSENT,
    "consent.paused": _CONSENT,
    "consent.resumed": _CONSENT,
    "consent.withdrawn": _CONSENT,
    "consent.refused": _CONSENT,
    "consent.expired": _CONSENT,
    "access.submitted": _DECISION,
    "access.approved": _DECISION,
    "access.denied": _DECISION,
    "access.reviewed": _DECISION,
    "access.renewed": _DECISION,
    "access.expired": _DECISION,
    "access.closed": _DECISION,
    "agreement.signed": _type(
        "agreement_sha256",
        "dataset expires_on institution request_sha256 statement_sha256",
    ),
    "form.published": _type("form_sha256", "language statement_sha256 version"),
    "data.registered": _type("dataset", "build files_sha256 statement_sha256"),
    "data.released": _type(
        "dataset manifest_sha256", "cohort_root expires_on institution request_sha256"
    ),
    "data.delivered": _type("manifest_sha256", "dataset institution"),
    "data.revoked": _type("manifest_sha256", "dataset reason"),
    "data.deleted": _type(
        "manifest_sha256", "dataset institution reason statement_sha256"
    ),
    "subject.erased": _type(),
    "audit.viewed": _type("", "dataset manifest_sha256 reason request_sha256"),
    "person.identified": _type("", "reason statement_sha256"),
    "role.granted": _type("role", "channel institution"),
    "role.revoked": _type("role", "channel institution reason"),
    "hold.signed": _type("action reason", "dataset statement_sha256"),
    "incident.reported": _type("", "dataset reason statement_sha256"),
}


def check(event_type: str, pub: Mapping[str, JSON]) -> None:
    """Raise EventTypeUnknown or PubInvalid unless `pub` is allowed for the type."""
    allowed = EVENT_TYPES.get(event_type)
    if allowed is None:
        raise errors.EventTypeUnknown(
            f"{event_type[:40]!r} is not an event type of the ledger"
        )
    keys = pub.keys()
    if not allowed.required <= keys:
        missing = ", ".join(sorted(allowed.required - keys))
        raise errors.PubInvalid(f"{event_type} must say in public: {missing}")
    if not keys <= allowed.required | allowed.optional:
        # The keys that came are not repeated: they may be personal.
        known = ", ".join(sorted(allowed.required | allowed.optional)) or "nothing"
        raise errors.PubInvalid(
            f"{event_type} may say in public only: {known}; "
            f"{len(keys - allowed.required - allowed.optional)} other key(s) came"
        )
    for key, value in pub.items():
        kind = _KINDS[key]
        if not _fits(kind, value):
            raise errors.PubInvalid(
                f"{event_type}: {key} must be {kind.meaning}; another value came"
            )


def _fits(kind: _Kind, value: JSON) -> bool:
    if not kind.many:
        return type(value) is str and _is_one(kind, value)
    return (
        type(value) is list
        and len(value) <= MAX_CODES
        and all(type(each) is str and _is_one(kind, each) for each in value)
        and value == sorted(set(value))
    )


def _is_one(kind: _Kind, text: str) -> bool:
    if kind.pattern.fullmatch(text) is None:
        return False
    if kind.is_date:
        try:
            date.fromisoformat(text)
        except ValueError:
            return False
    return True
