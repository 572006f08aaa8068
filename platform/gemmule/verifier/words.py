"""Say in plain words what was checked; whatever comes from a file is made safe to show.

A receipt may be made by anybody: no character of it reaches a terminal unless it can be
printed, so that nothing in it moves the cursor or hides a line.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from ledger.tlog.canonical import JSON
from ledger.tlog.policy import Cosigned

# What each type of entry says has happened.
MEANINGS: Mapping[str, str] = {
    "log.genesis": "the log was begun",
    "log.key": "a key of the log was added or retired",
    "log.policy": "the log took another policy for its witnesses",
    "consent.given": "a donor gave consent",
    "consent.changed": "a donor changed a consent",
    "consent.paused": "a donor paused a consent",
    "consent.resumed": "a donor resumed a consent",
    "consent.withdrawn": "a donor withdrew a consent",
    "consent.refused": "a person refused consent",
    "consent.expired": "a consent came to its end",
    "access.submitted": "a project asked for access",
    "access.approved": "access was approved",
    "access.denied": "access was denied",
    "access.reviewed": "an access request was reviewed",
    "access.renewed": "access was renewed",
    "access.expired": "an approval came to its end",
    "access.closed": "an access request was closed",
    "agreement.signed": "an agreement was signed",
    "form.published": "a consent form was published",
    "data.registered": "a dataset was registered",
    "data.released": "a release was made",
    "data.delivered": "a release was delivered",
    "data.revoked": "a release was revoked",
    "data.deleted": "a release was deleted by who had it",
    "subject.erased": "somebody's data were erased",
    "audit.viewed": "somebody looked into the records",
    "person.identified": "the person behind a pseudonym was identified",
    "role.granted": "a role was granted",
    "role.revoked": "a role was revoked",
    "hold.signed": "an administrator signed that releases may go on",
    "incident.reported": "an incident was reported",
}


def shown(text: str) -> str:
    r"""Return the text with what cannot be printed written out.

    >>> shown("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text
    )


def moment(time: datetime) -> str:
    """Return a moment as people read it, in UTC."""
    precision = "milliseconds" if time.microsecond else "seconds"
    return f"{time.replace(tzinfo=None).isoformat(' ', precision)} UTC"


def iso(time: datetime) -> str:
    """Return a moment as machines read it, in UTC."""
    return f"{time.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def event(type_: str) -> str:
    """Return the type of an entry and what it says has happened."""
    return f"{type_} ({MEANINGS[type_]})"


def fields(value: Mapping[str, JSON], indent: str = "  ") -> Iterator[str]:
    """Yield lines that say each field of a body: its name, a colon, its value."""
    for key, each in value.items():
        name = f"{indent}{shown(key).replace('_', ' ')}:"
        if isinstance(each, Mapping) and each:
            yield name
            yield from fields(each, indent + "  ")
        else:
            yield f"{name} {_plain(each)}"


def witnesses(cosigned: Cosigned, of: int) -> Iterator[str]:
    """Yield lines that say who signed and cosigned the checkpoint, and when."""
    for key in cosigned.log_keys:
        yield f"Signed by the log's key {shown(key.name)}+{key.key_id.hex()}."
    if not cosigned.cosigners:
        yield (
            "No witness of the policy has cosigned: that this is the only history "
            "rests on the log's own word."
        )
        return
    yield f"Cosigned by {len(cosigned.cosigners)} of the policy's {of} witnesses:"
    for each in cosigned.cosigners:
        yield f"  {shown(each.name)}, at {moment(each.time)} by its own clock"


def witnesses_json(cosigned: Cosigned) -> dict[str, JSON]:
    """Return who signed and cosigned, for machines."""
    return {
        "log_keys": [f"{key.name}+{key.key_id.hex()}" for key in cosigned.log_keys],
        "cosigners": [
            {
                "name": shown(each.name),
                "key": f"{each.key.name}+{each.key.key_id.hex()}",
                "time": iso(each.time),
            }
            for each in cosigned.cosigners
        ],
    }


def _plain(value: JSON) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case str():
            return shown(value)
        case Mapping():
            inside = (f"{shown(key)}: {_nested(one)}" for key, one in value.items())
            return "; ".join(inside) or "nothing"
        case Sequence():
            return ", ".join(map(_nested, value)) or "nothing"
    return str(value)


def _nested(value: JSON) -> str:
    is_plain = isinstance(value, str) or not isinstance(value, Sequence | Mapping)
    return _plain(value) if is_plain else f"({_plain(value)})"
