"""Make two releases of one project for one key, and take away what proves them.

The whole way: intake, consents, a signed and countersigned approval, the cut in a child
process, the seal, the ledger; then the IRB's dossier. Witnesses cosign the checkpoint
as others would, so that the policy asks for two of three.
"""

import copy
import io
import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

import consent.services
import gemmule.access.services
import gemmule.catalog.intake
import gemmule.catalog.services
import ledger.keys
from consent.models import Donor
from gemmule.access import reviews
from gemmule.access.coverage import coverage
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import ResearcherKey, User
from gemmule.audit import dossier, proof
from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import Dataset
from gemmule.demo import cast
from gemmule.releases import build, services, upkeep
from gemmule.releases.models import Release
from gemmule.verifier import releases
from gemmule.verifier.releases import ReleaseHolds
from genomics.crypt4gh import keys
from ledger import inclusion
from ledger.tlog import cosignature
from ledger.tlog.policy import Policy
from tests import cohorts, factories
from tests.gemmule.releases.contents import stored
from tests.ledger import written

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RECORDS = 2400
SMALL_REGION = "2\t1000\t30000"

NO_BIOMEDICAL: dict[str, Any] = {"permission": "POA"}
# What each donor chose, and what she keeps back; who is in at the end of the line.
WISHES: list[tuple[dict[str, Any] | None, dict[str, Any]]] = [
    *[(cohorts.GENERAL, {})] * 9,
    (cohorts.HEALTH, {}),
    (cohorts.NEEDS_ETHICS, {}),
    (cohorts.NEEDS_ETHICS, {}),
    (cohorts.GENERAL, {"genes": ["TMEM18"], "regions": []}),
    # From here on they are left out.
    (cohorts.GENERAL, {"genes": ["TMEM18"], "mode": "exclude-sample"}),
    (NO_BIOMEDICAL, {}),
    (cohorts.GENERAL, {}),  # Withdrawn afterwards.
    (None, {}),
    (None, {}),
]
INCLUDED = 13
WITHDRAWN = 15


@dataclass(frozen=True, kw_only=True)
class OneRelease:
    """What the project gets of one release, and what the IRB takes of it."""

    name: str
    file: bytes
    index_name: str
    index: bytes
    manifest: bytes
    receipt: bytes
    dossier: bytes


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """Two releases, receipts of entries of other kinds, and whom to believe."""

    one: OneRelease
    other: OneRelease
    others_receipts: list[bytes]
    policy: str
    secret: bytes

    def dossier(self) -> dict[str, Any]:
        """Return a dossier of its own to whoever wants to change it."""
        found: dict[str, Any] = json.loads(self.one.dossier)
        return copy.deepcopy(found)


class Desk:
    """Where files are put down and checked."""

    def __init__(self, folder: Path, handed: HandedOut) -> None:
        self.folder = folder
        self.handed = handed

    def check(
        self,
        *,
        file: bytes | None = None,
        name: str | None = None,
        manifest: bytes | None = None,
        receipt: bytes | None = None,
        policy: str | None = None,
        secret: bytes | None = None,
        dossier: dict[str, Any] | None = None,
    ) -> ReleaseHolds:
        """Check the release with one thing or the other changed; b"": not given."""
        one = self.handed.one
        path = self.folder / (name or one.name)
        path.write_bytes(one.file if file is None else file)
        return releases.check(
            path,
            manifest=one.manifest if manifest is None else manifest,
            receipt=one.receipt if receipt is None else receipt or None,
            policy=Policy.parse(self.handed.policy if policy is None else policy),
            secret_key=secret,
            dossier=None if dossier is None else json.dumps(dossier).encode(),
        )


def make() -> HandedOut:
    """Return what two releases of a site, made here and now, are handed out as."""
    members = (cast.SVEN, cast.SIGNE, cast.ROSA, cast.IRA, cast.INGRID)
    sven, signe, rosa, ira, ingrid = map(factories.member, members)
    donors = _donors()
    dataset = _dataset(sven, signe, donors)
    private = X25519PrivateKey.generate()
    project = gemmule.access.services.create_project(
        user=rosa, title="Hearts", lay_summary="About hearts.", now=NOW
    )
    key = _key(rosa, private)
    made = []
    for regions in (None, SMALL_REGION):
        request = _approved(rosa, ira, ingrid, dataset, project, regions)
        made.append(_built(rosa, request, key))
    upkeep.settle(now=NOW)
    for release in made:
        release.refresh_from_db()
        assert release.state == "available", release.state
    one, other = made
    reviews_of = one.request.reviews.order_by("created_at")
    consents = [row.consent.event for row in one.donors.all()]
    return HandedOut(
        one=_taken(one, ira),
        other=_taken(other, ira),
        others_receipts=[
            _cosigned(inclusion.receipt(event))
            for event in [*reviews_of.values_list("event", flat=True), *consents]
        ],
        policy=_policy(),
        secret=private.private_bytes_raw(),
    )


def vcf(names: list[str]) -> Iterator[str]:
    """Yield the lines of a call set that is hard to compress."""
    chance = random.Random(20260302)
    yield "##fileformat=VCFv4.2"
    yield "##contig=<ID=2,length=243199373>"
    for name, size, kind in (
        ("GT", "1", "String"),
        ("DP", "1", "Integer"),
        ("PL", "G", "Integer"),
    ):
        yield f'##FORMAT=<ID={name},Number={size},Type={kind},Description="{name}">'
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    yield "\t".join([*fixed, *names])
    for number in range(RECORDS):
        calls = [
            f"{chance.choice(('0/0', '0/1', '1/1'))}:{chance.randrange(90)}:"
            + ",".join(str(chance.randrange(100_000)) for _ in range(3))
            for _ in names
        ]
        fields = f"2 {1000 + 50 * number} . A G . . . GT:DP:PL".split()
        yield "\t".join([*fields, *calls])


def _donors() -> list[Donor]:
    donors = consent.services.register_donors(count=len(WISHES), now=NOW)
    for donor, (terms, withheld) in zip(donors, WISHES, strict=True):
        if terms is not None:
            cohorts.agree(donor, terms, NOW, withheld=withheld)
    consent.services.withdraw(
        donor=donors[WITHDRAWN],
        event=uuid.uuid4(),
        channel="donor",
        now=NOW,
    )
    return donors


def _dataset(sven: User, signe: User, donors: list[Donor]) -> Dataset:
    catalog = gemmule.catalog.services
    names = [f"HG{number:05d}" for number in range(len(donors))]
    made = catalog.register_dataset(
        user=sven,
        description=Description(
            title="Some people", summary="Some people for tests.", build="GRCh37"
        ),
        now=NOW,
    )
    file = catalog.upload_file(
        user=sven,
        dataset=made,
        stream=io.BytesIO("\n".join([*vcf(names), ""]).encode()),
        original_name="some.vcf",
        now=NOW,
    )
    gemmule.catalog.intake.check(file.pk, clock=lambda: NOW)
    rows = zip(names, donors, strict=True)
    table = "\n".join(["sample,donor", *(f"{name},{one.pk}" for name, one in rows)])
    made = catalog.upload_sample_map(
        user=sven, dataset=made, data=table.encode(), now=NOW
    )
    made = catalog.confirm_sample_map(
        user=signe, dataset=made, map_sha256=made.map_sha256, now=NOW
    )
    return catalog.publish_dataset(user=sven, dataset=made, now=NOW)


def _key(rosa: User, private: X25519PrivateKey) -> ResearcherKey:
    public = private.public_key().public_bytes_raw()
    return ResearcherKey.objects.create(
        user=rosa,
        name="laptop",
        public_key=public,
        fingerprint=keys.fingerprint(public),
        state=ResearcherKey.State.ACTIVE,
        created_at=NOW,
        registered_at=NOW,
    )


def _approved(
    rosa: User,
    ira: User,
    ingrid: User,
    dataset: Dataset,
    project: Any,
    regions: str | None,
) -> AccessRequest:
    access = gemmule.access.services
    draft = access.draft_request(user=rosa, project=project, dataset=dataset, now=NOW)
    draft = access.update_draft(
        user=rosa,
        request=draft,
        # A donor who asks for an ethics approval then needs a person's decision.
        purpose={**cohorts.PURPOSE, "ethics_approval": "exempt"},
        justification="Hearts.",
        regions_text=regions,
    )
    submitted = access.submit(user=rosa, request=draft, now=NOW)
    found = coverage(submitted, NOW.date())
    codes = {one.code for one in found.clauses() if one.verdict == "review"}
    proposed = reviews.approve(
        reviewer=ira,
        request=submitted,
        reason="Sound.",
        expires_on=(NOW + timedelta(days=365)).date(),
        resolve=sorted(codes),
        password=cast.PASSWORD,
        now=NOW,
    )
    return reviews.countersign(
        reviewer=ingrid,
        request=proposed,
        reason="Sound indeed.",
        password=cast.PASSWORD,
        now=NOW + timedelta(seconds=1),
    )


def _built(rosa: User, request: AccessRequest, key: ResearcherKey) -> Release:
    release = services.open_release(user=rosa, request=request, key=key, now=NOW)
    state = build.run(release.pk, clock=lambda: NOW)
    release.refresh_from_db()
    assert state == "sealed", release.failure_reason
    return release


def _taken(release: Release, ira: User) -> OneRelease:
    found = {file.role: file for file in release.files.all()}
    taken = proof.take(user=ira, release=release, now=NOW)
    taken["note"] = _cosigned_note(taken["note"].encode()).decode()
    exported = dossier.export(dossier.dossier(release), proof=taken)
    return OneRelease(
        name=found["variants"].name,
        file=stored(found["variants"]),
        index_name=found["index"].name,
        index=stored(found["index"]),
        manifest=bytes(release.manifest or b""),
        receipt=_cosigned(inclusion.receipt(release.event)),
        dossier=json.dumps(exported).encode(),
    )


def _cosigned(receipt: bytes) -> bytes:
    head, _, note = receipt.partition(b"\n\n")
    return head + b"\n\n" + _cosigned_note(note)


def _cosigned_note(note: bytes) -> bytes:
    """Return a signed note as two of the three witnesses have cosigned it."""
    text = note.decode().partition("\n\n")[0] + "\n"
    time = int(NOW.timestamp()) + 60
    witnesses = written.WITNESSES[:2]
    lines = [cosignature.cosign(text, each, time=time) for each in witnesses]
    return note + "".join(lines).encode()


def _policy() -> str:
    log = ledger.keys.log_key().verifier.text
    lines = written.policy_text(quorum=2).splitlines()
    return "".join(f"{line}\n" for line in [f"log {log}", *lines[1:]])
