"""Keep the sealed bodies of published entries beside the public files.

A restored database lacks the bodies of all entries after its backup, and so does not
know what was withdrawn. A file here holds the bodies of up to 256 entries:

    bodies/000000/000000000512-000000000520.json
    {"bodies":[{"place":"<base64>","seal":"<base64>","seq":512},{"seq":513},...],"v":1}

`seal` is the ciphertext of `commitments.seal_body`; nobody can read it once the vault
key of its subject is destroyed. `place` names the event and the vault key, encrypted
under the service key, so that nothing here links the acts of one person. An item
without both was erased. A body that a restore could not find is in no file; its number
is in `lost.json`. The files are never served, not even to auditors.
"""

import json
import logging
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import copies, keys
from ledger.commitments import NONCE_BYTES
from ledger.copies import Copies
from ledger.models import Body, Entry
from ledger.tlog import canonical

logger = logging.getLogger(__name__)

FOLDER, CHECKPOINT = "bodies", "checkpoint"
_LOST = "lost.json"
_AT_ONCE = 256
_PLACE = b"gemmule/ledger/place/v1"
# Files of one folder start in the same 65,536 entries.
_FOLDER_BITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBody:
    """What is kept of an entry's body; `sealed` is None when it was erased."""

    seq: int
    event: UUID | None = None
    key_id: UUID | None = None
    subject_seq: int | None = None
    sealed: bytes | None = None


def keep(*, end: int) -> None:
    """Write the bodies of the entries below `end` that are not kept here yet."""
    here = copies.here()
    start = _kept_until(here)
    while start < end:
        stop = min(start + _AT_ONCE, end)
        here.write(_name(start, stop), _encode(_of_rows(start, stop)))
        start = stop


def note_lost(seqs: Iterable[int]) -> None:
    """Remember that the bodies of these entries were lost, and not erased."""
    here = copies.here()
    lost = _lost(here)
    if not lost.issuperset(seqs):
        here.write(_LOST, canonical.write({"seqs": sorted(lost.union(seqs))}))


def _lost(here: Copies) -> set[int]:
    data = here.read(_LOST)
    return set(json.loads(data)["seqs"]) if data else set()


def copy_out() -> None:
    """Copy what other places lack, the signed checkpoint last.

    Do not call it in a request that somebody waits for. A place that is away gets its
    copies later.
    """
    here = copies.here()
    note = here.read(CHECKPOINT)
    if note is None:
        return
    for place in copies.others():
        try:
            until = _kept_until(place)
            for name, _, end in _files(here, since=until):
                data = here.read(name)
                if end > until and data is not None:
                    place.write(name, data)
            if place.read(CHECKPOINT) != note:
                place.write(CHECKPOINT, note)
        except OSError as error:
            logger.warning("the ledger's copies are not up to date: %s", error)


def find(places: Iterable[Copies], *, start: int, end: int) -> dict[int, KeptBody]:
    """Return what is kept of entries start..end-1, from the first place that has it.

    Only the form is checked; bodies that do not open with the service key are left
    out. A body that was erased in one place counts as erased.
    """
    cipher = AESGCM(keys.service_key())
    bodies: dict[int, KeptBody] = {}
    for place in places:
        for name, _, stop in _files(place, since=start):
            data = place.read(name) if stop > start else None
            for each in _decode(cipher, data or b""):
                if start <= each.seq < end and (
                    each.seq not in bodies or each.sealed is None
                ):
                    bodies[each.seq] = each
    return bodies


def erase(events: Iterable[UUID]) -> None:
    """Erase the bodies of these events in all places; a second run changes nothing."""
    rows = Entry.objects.filter(event__in=list(events))
    seqs = set(rows.values_list("seq", flat=True))
    if not seqs:
        return
    for place in copies.everywhere():
        for name, start, stop in _files(place, since=min(seqs)):
            if seqs.isdisjoint(range(start, stop)):
                continue
            data = place.read(name)
            content = json.loads(data) if data else {"bodies": []}
            place.write(
                name,
                canonical.write(
                    {
                        "v": 1,
                        "bodies": [
                            {"seq": each["seq"]} if each["seq"] in seqs else each
                            for each in content["bodies"]
                        ],
                    }
                ),
            )


def _of_rows(start: int, stop: int) -> Iterator[KeptBody]:
    rows = Entry.objects.filter(seq__gte=start, seq__lt=stop).order_by("seq")
    lost = _lost(copies.here())
    events = dict(rows.values_list("seq", "event"))
    bodies = Body.objects.in_bulk(list(events.values()))
    for seq, event in events.items():
        body = bodies.get(event)
        if body is None or body.key_id is None or body.sealed is None:
            if seq not in lost:
                yield KeptBody(seq=seq)
            continue
        yield KeptBody(
            seq=seq,
            event=event,
            key_id=body.key_id,
            subject_seq=body.subject_seq,
            sealed=bytes(body.sealed),
        )


def _encode(bodies: Iterable[KeptBody]) -> bytes:
    cipher = AESGCM(keys.service_key())
    return canonical.write({"v": 1, "bodies": [_item(cipher, each) for each in bodies]})


def _item(cipher: AESGCM, body: KeptBody) -> dict[str, canonical.JSON]:
    if body.sealed is None or body.event is None or body.key_id is None:
        return {"seq": body.seq}
    nonce = secrets.token_bytes(NONCE_BYTES)
    # 36 bytes: event, vault key, the number among the subject's acts or 0.
    plain = body.event.bytes + body.key_id.bytes
    plain += (body.subject_seq or 0).to_bytes(4)
    place = nonce + cipher.encrypt(nonce, plain, _PLACE + body.seq.to_bytes(8))
    return {
        "seq": body.seq,
        "place": canonical.encode_base64(place),
        "seal": canonical.encode_base64(body.sealed),
    }


def _decode(cipher: AESGCM, data: bytes) -> Iterator[KeptBody]:
    try:
        items = json.loads(data)["bodies"] if data else []
    except (ValueError, KeyError, TypeError):
        logger.warning("a file of sealed bodies cannot be read and is skipped")
        return
    for item in items:
        seq = int(item["seq"])
        if "seal" not in item:
            yield KeptBody(seq=seq)
            continue
        try:
            place = canonical.decode_base64(item["place"])
            plain = cipher.decrypt(
                place[:NONCE_BYTES], place[NONCE_BYTES:], _PLACE + seq.to_bytes(8)
            )
            sealed = canonical.decode_base64(item["seal"])
        except (InvalidTag, ValueError):
            continue  # Of another service key, or damaged: treated as lost.
        yield KeptBody(
            seq=seq,
            event=UUID(bytes=plain[:16]),
            key_id=UUID(bytes=plain[16:32]),
            subject_seq=int.from_bytes(plain[32:]) or None,
            sealed=sealed,
        )


def _kept_until(place: Copies) -> int:
    """Return the number of the first entry whose body is not kept there."""
    folders = list(place.names(FOLDER))
    names = list(place.names(f"{FOLDER}/{folders[-1]}")) if folders else []
    return max((_span(name)[1] for name in names), default=0)


def _files(place: Copies, *, since: int) -> Iterator[tuple[str, int, int]]:
    """Yield name, start and end of the files that may hold entries from `since` on."""
    first = max(0, since - _AT_ONCE) >> _FOLDER_BITS
    for folder in place.names(FOLDER):
        if int(folder) >= first:
            for name in place.names(f"{FOLDER}/{folder}"):
                yield f"{FOLDER}/{folder}/{name}", *_span(name)


def _name(start: int, stop: int) -> str:
    return f"{FOLDER}/{start >> _FOLDER_BITS:06d}/{start:012d}-{stop:012d}.json"


def _span(name: str) -> tuple[int, int]:
    start, _, end = name.removesuffix(".json").partition("-")
    return int(start), int(end)
