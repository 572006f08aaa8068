"""A site that lies consistently: everything it hands out fits together, but its acts.

It has the keys of its log and of its donors, so entries, commitments, signatures and
proofs are all right. What it did is told by the consents it relied on.
"""

import base64
import hashlib
import io
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consent import diseases, duo
from consent.policy import RULES_VERSION, Purpose
from gemmule.verifier import releases
from gemmule.verifier.releases import ReleaseHolds
from genomics.crypt4gh import keys
from genomics.crypt4gh.stream import encrypt_stream
from ledger import commitments
from ledger.tlog import canonical, hashing
from ledger.tlog.opening import Opening
from ledger.tlog.receipt import Receipt
from tests.gemmule.verifier.mutants import signed
from tests.ledger import written

SECRET, PUBLIC = keys.generate()
SIGNER = Ed25519PrivateKey.generate()
NAME = "GMR000001.vcf.gz.c4gh"
PURPOSE: dict[str, Any] = {
    "research_types": ["biomedical"],
    "organisation": "non-profit",
    "commercial": False,
    "countries": ["SE"],
    "ethics_approval": "exempt",
    "uses_genetic_data": True,
}


@dataclass(kw_only=True)
class Someone:
    """A donor of the forged site, and what it did with her."""

    is_in: bool
    permission: str | None = "GRU"
    act: str = "given"
    modifiers: dict[str, Any] = field(default_factory=dict)
    withheld: dict[str, Any] = field(default_factory=dict)
    valid_until: str | None = None
    is_resolved: bool = False
    # Her act comes after the release's donors were chosen, or after it was sealed.
    comes: str = "before"
    is_erased: bool = False
    event: uuid.UUID = field(default_factory=uuid.uuid4)

    def body(self, number: int) -> dict[str, Any]:
        return {
            "consent": str(uuid.UUID(int=number + 1)),
            "number": 1,
            "act": self.act,
            "terms": {
                "permission": self.permission,
                "diseases": [],
                "modifiers": self.modifiers,
            },
            "withheld": self.withheld,
            "valid_until": self.valid_until,
            "mondo": diseases.VERSION,
        }


class Forged:
    """The log and the files of a site with these donors."""

    def __init__(
        self,
        people: Sequence[Someone],
        *,
        inside: bytes = b"not looked into",
        **facts: Any,
    ) -> None:
        self.people = people
        self.plain = inside
        ours = {"rules": RULES_VERSION, "duo": duo.VERSION, "mondo": diseases.VERSION}
        self.versions = facts.pop("versions", ours)
        self.facts = facts
        self.release_event = uuid.uuid4()
        self.review_event = uuid.uuid4()
        self.values: list[dict[str, Any]] = [written.values_of(0)]
        self.openings: dict[uuid.UUID, Opening] = {}
        self.index: dict[uuid.UUID, int] = {}
        self._append_consents("before")
        chosen_size = len(self.values)
        self._append_consents("chosen")
        self.statement = self._append_review()
        size = len(self.values)
        late = [one for one in people if one.comes == "sealed"]
        for one in late:  # Known by its commitment before it is on the log.
            self._open(one)
        self._compose(chosen_size, size)
        self._append_consents("sealed")
        for one in people:
            if one.is_erased:
                self._append("subject.erased", {}, uuid.uuid4(), {"subject": "gone"})
        self.log = written.chain(self.values)

    def check(self, folder: Path, *, erasures: bool = True) -> ReleaseHolds:
        """Check what this site hands out, as anybody would."""
        path = folder / NAME
        path.write_bytes(self.file)
        return releases.check(
            path,
            manifest=self.manifest,
            receipt=None,
            policy=written.POLICY,
            secret_key=None,
            dossier=json.dumps(self._dossier(erasures)).encode(),
        )

    def write(self, folder: Path) -> list[str]:
        """Put all that is handed out into a folder; return what to give the command."""
        index = self.index[self.release_event]
        for name, data in {
            NAME: self.file,
            "GMR000001.json": self.manifest,
            "GMR000001.tlog-proof": written.receipt_of(self.log, index),
            "policy": written.policy_text().encode(),
            "me.sec": keys.encode_secret_key(SECRET).encode(),
            "dossier.json": json.dumps(self._dossier(erasures=True)).encode(),
        }.items():
            (folder / name).write_bytes(data)
        options = {"manifest": "GMR000001.json", "policy": "policy"}
        said = [f"--{name}={folder / file}" for name, file in options.items()]
        return ["verify", "release", str(folder / NAME), *said]

    # --- the log ------------------------------------------------------------------

    def _append(
        self, type_: str, pub: dict[str, Any], event: uuid.UUID, body: dict[str, Any]
    ) -> None:
        found = self.openings.setdefault(event, _opening(event, body))
        commit = commitments.commit(found.key, canonical.write(found.body))
        self.index[event] = len(self.values)
        self.values.append(
            written.values_of(len(self.values), type=type_, pub=pub, commit=commit)
        )

    def _open(self, one: Someone) -> Opening:
        body = one.body(self.people.index(one))
        return self.openings.setdefault(one.event, _opening(one.event, body))

    def _append_consents(self, comes: str) -> None:
        for one in self.people:
            if one.comes == comes and one.permission is not None:
                body = dict(self._open(one).body)
                self._append(f"consent.{one.act}", {}, one.event, body)

    def _append_review(self) -> bytes:
        statement = rfc8785.dumps(
            {
                "decision": "approve",
                "request": "GMQ000001",
                "request_sha256": _sha256(self._asked()),
                "reason": "Sound.",
                "expires_on": "2027-03-02",
                "resolved": sorted({row[1] for row in self._resolved()}),
                "resolved_sha256": hashlib.sha256(
                    rfc8785.dumps(self._resolved())
                ).hexdigest(),
            }
        )
        pub = {
            "dataset": "GMD000001",
            "request_sha256": _sha256(self._asked()),
            "statement_sha256": hashlib.sha256(statement).hexdigest(),
        }
        self._append("access.approved", pub, self.review_event, {"reviewer": "1"})
        return statement

    # --- the release ----------------------------------------------------------------

    def _compose(self, chosen_size: int, size: int) -> None:
        sealed = io.BytesIO()
        made = encrypt_stream(io.BytesIO(self.plain), sealed, PUBLIC)
        self.file = sealed.getvalue()
        inside = sorted((one for one in self.people if one.is_in), key=self._name)
        self.places = [_commitment(self._key(one), self._says(one)) for one in inside]
        self.inside = inside
        self.outside = sorted(
            (one for one in self.people if not one.is_in),
            key=lambda one: _commitment(self._key(one), self._says(one)),
        )
        others = [_commitment(self._key(one), self._says(one)) for one in self.outside]
        root = hashing.root_hash(map(hashing.leaf_hash, self.places))
        body: dict[str, Any] = {
            "v": 1,
            "release": "GMR000001",
            "request": "GMQ000001",
            "request_sha256": _sha256(self._asked()),
            "project": "GMP000001",
            "purpose": Purpose.from_json(PURPOSE).to_json(),
            "decision": {"event": str(self.review_event), "expires_on": "2027-03-02"},
            "versions": self.versions,
            "dataset": "GMD000001",
            "build": "GRCh37",
            "regions": None,
            "samples": len(self.places),
            "commitments": [_b64(one) for one in self.places],
            "cohort_root": _b64(root),
            "ledger_size": size,
            "records": 1,
            "genotypes_withheld": 0,
            "records_withheld": 0,
            "files": [
                {
                    "name": NAME,
                    "role": "variants",
                    "sha256_plain": made.sha256_plain,
                    "sha256_cipher": made.sha256_cipher,
                    "size_bytes": made.size_bytes,
                    "segments": made.segments,
                }
            ],
            "recipient_key": keys.fingerprint(PUBLIC),
            "software": {},
            "sealed_at": "2026-03-02T09:30:00.000Z",
        }
        self.manifest = signed(body, SIGNER)
        facts: dict[str, Any] = {
            "release": "GMR000001",
            "chosen_on": "2026-03-02",
            "chosen_size": chosen_size,
            "first_release": None,
            "asked_until": "2027-03-02",
            "barred_countries": [],
            "files": [],
            "donors": sorted(_b64(one) for one in [*self.places, *others]),
            **self.facts,
        }
        key = hashlib.sha256(b"account").digest()
        self.account = {"facts": facts, "key": _b64(key)}
        pub = {
            "dataset": "GMD000001",
            "manifest_sha256": hashlib.sha256(self.manifest).hexdigest(),
            "cohort_root": _b64(root),
        }
        account = _b64(commitments.commit(key, rfc8785.dumps(facts)))
        said = {"release": "GMR000001", "account": account}
        self._append("data.released", pub, self.release_event, said)

    def _asked(self) -> dict[str, Any]:
        return {
            "request": "GMQ000001",
            "project": "GMP000001",
            "dataset": "GMD000001",
            "purpose": PURPOSE,
            "justification": "Hearts.",
            "regions": None,
        }

    def _resolved(self) -> list[list[str]]:
        return [
            [str(one.body(number)["consent"]), "IRB", RULES_VERSION]
            for number, one in enumerate(self.people)
            if one.is_resolved
        ]

    def _name(self, one: Someone) -> str:
        return f"S{self.people.index(one):09d}"

    def _key(self, one: Someone) -> bytes:
        return hashlib.sha256(b"sample" + one.event.bytes).digest()

    def _says(self, one: Someone) -> dict[str, Any]:
        opening = None if one.permission is None else self._open(one)
        return {
            "release": "GMR000001",
            "sample": self._name(one) if one.is_in else None,
            "consent": None if opening is None else str(one.event),
            "commit": None
            if opening is None
            else _b64(commitments.commit(opening.key, canonical.write(opening.body))),
            "verdict": "permit" if one.is_in else "exclude",
        }

    # --- the dossier ----------------------------------------------------------------

    def _dossier(self, erasures: bool) -> dict[str, Any]:
        erased = [
            number
            for number, each in enumerate(self.values)
            if each["type"] == "subject.erased" and erasures
        ]
        proof = {
            "v": 1,
            "note": written.signed(self.log).decode(),
            "released": self._entry(self.release_event),
            "account": self.account,
            "asked": self._asked(),
            "review": {
                **self._located(self.index[self.review_event]),
                "event": str(self.review_event),
                "statement": self.statement.decode(),
            },
            "resolved": [
                row
                for row, one in zip(
                    self._resolved(),
                    [one for one in self.people if one.is_resolved],
                    strict=True,
                )
                if not one.is_erased
            ],
            "erased": [self._located(number) for number in erased],
            "included": [self._place(one) for one in self.inside],
            "left_out": [
                {
                    "commitment": _b64(_commitment(self._key(one), self._says(one))),
                    "opening": self._place(one),
                }
                for one in self.outside
            ],
        }
        return {"kind": "gemmule/dossier", "v": 1, "proof": proof}

    def _place(self, one: Someone) -> dict[str, Any] | None:
        if one.is_erased:
            return None
        return {
            "key": _b64(self._key(one)),
            "statement": self._says(one),
            "consent": None if one.permission is None else self._entry(one.event),
        }

    def _entry(self, event: uuid.UUID) -> dict[str, Any]:
        opening = json.loads(self.openings[event].encode())
        return {**self._located(self.index[event]), "opening": opening}

    def _located(self, index: int) -> dict[str, Any]:
        found = Receipt.parse(written.receipt_of(self.log, index))
        return {
            "entry": _b64(found.entry),
            "index": index,
            "path": [_b64(one) for one in found.proof],
        }


def _opening(event: uuid.UUID, body: dict[str, Any]) -> Opening:
    key = hashlib.sha256(b"entry" + event.bytes).digest()
    return Opening(event=event, key=key, body=body)


def _commitment(key: bytes, statement: dict[str, Any]) -> bytes:
    return commitments.commit(key, canonical.write(statement))


def _sha256(value: dict[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode()
