"""Fill a site for the tests of crashes: a call set that takes a while to cut.

    python stage.py RECORDS APART

Thirty donors who agree, Ada among them; an approved request of Rosa's and ten keys to
ask for releases with. Prints what a test must know as JSON.
"""

import hashlib
import io
import json
import random
import sys
from collections.abc import Iterator
from datetime import timedelta

import django
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

django.setup()

from django.utils import timezone  # noqa: E402 - models need the setup

import consent.services  # noqa: E402
import gemmule.accounts.services  # noqa: E402
import gemmule.catalog.intake  # noqa: E402
import gemmule.catalog.services  # noqa: E402
import ledger.services  # noqa: E402
from consent.forms import shipped  # noqa: E402
from gemmule.accounts.models import ResearcherKey  # noqa: E402
from gemmule.accounts.selectors import donor_of  # noqa: E402
from gemmule.catalog.descriptions import Description  # noqa: E402
from gemmule.demo import cast  # noqa: E402
from tests import cohorts, factories  # noqa: E402

COUNT = 30
KEYS = 10
NAMES = [f"HG{number:05d}" for number in range(COUNT)]
HERS = "AGATTACATTAGACATAG"


def lines(records: int, apart: int) -> Iterator[str]:
    """Yield a call set with likelihoods: long to read and hard to compress."""
    chance = random.Random(20260302)
    yield "##fileformat=VCFv4.2"
    yield "##contig=<ID=2,length=243199373>"
    for name, size, kind in (
        ("GT", "1", "String"),
        ("DP", "1", "Integer"),
        ("PL", "G", "Integer"),
    ):
        yield f'##FORMAT=<ID={name},Number={size},Type={kind},Description="{name}">'
    yield "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(NAMES)
    # What Ada alone carries, and nobody else.
    yield f"2\t500\t.\tA\t{HERS}\t.\t.\t.\tGT\t" + "\t".join(
        "0/1" if name == NAMES[0] else "0/0" for name in NAMES
    )
    for number in range(records):
        calls = [
            f"{chance.choice(('0/0', '0/1', '1/1'))}:{chance.randrange(90)}:"
            f"{chance.randrange(900)},{chance.randrange(900)},{chance.randrange(900)}"
            for _ in NAMES
        ]
        yield f"2\t{1000 + apart * number}\t.\tA\tG\t.\t.\t.\tGT:DP:PL\t" + "\t".join(
            calls
        )


now = timezone.now()
people = [cast.SVEN, cast.SIGNE, cast.ROSA, cast.IRA, cast.ADA]
sven, signe, rosa, ira, ada = [factories.member(one) for one in people]
# On the ledger, as everything here that `verify_ledger` looks at.
consent.services.publish_form(
    name="cohort", version="1.0", language="en", content=shipped.content(), now=now
)
hers = donor_of(ada)
assert hers is not None
cohorts.agree(hers, cohorts.GENERAL, now)
donors = [hers, *cohorts.donors([cohorts.GENERAL] * (COUNT - 1), now)]

catalog = gemmule.catalog.services
dataset = catalog.register_dataset(
    user=sven,
    description=Description(
        title="Thirty", summary="Thirty people, made up for tests.", build="GRCh37"
    ),
    now=now,
)
text = "\n".join(lines(int(sys.argv[1]), int(sys.argv[2]))) + "\n"
file = catalog.upload_file(
    user=sven,
    dataset=dataset,
    stream=io.BytesIO(text.encode()),
    original_name="thirty.vcf",
    now=now,
)
gemmule.catalog.intake.check(file.pk, clock=timezone.now)
rows = zip(NAMES, donors, strict=True)
table = "\n".join(["sample,donor", *(f"{name},{donor.pk}" for name, donor in rows)])
dataset = catalog.upload_sample_map(
    user=sven, dataset=dataset, data=table.encode(), now=now
)
dataset = catalog.confirm_sample_map(
    user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
)
dataset = catalog.publish_dataset(user=sven, dataset=dataset, now=now)

approved = cohorts.approved_request(rosa=rosa, ira=ira, dataset=dataset, now=now)
secrets = [X25519PrivateKey.generate() for _ in range(KEYS)]
publics = [secret.public_key().public_bytes_raw() for secret in secrets]
keys = [
    ResearcherKey.objects.create(
        user=rosa,
        name=f"key {number}",
        public_key=public,
        fingerprint=hashlib.sha256(public).hexdigest(),
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    for number, public in enumerate(publics)
]
token = gemmule.accounts.services.issue_token(
    user=rosa, name="stage", expiry=timedelta(days=1)
)
ledger.services.settle(now=timezone.now())
print(
    json.dumps(
        {
            "token": token,
            "request": approved.accession,
            "keys": {
                str(key.pk): secret.private_bytes_raw().hex()
                for key, secret in zip(keys, secrets, strict=True)
            },
        }
    )
)
