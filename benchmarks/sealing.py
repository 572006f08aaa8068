"""Fill a site with a sealed release of so many bytes; print where it is, as JSON.

    python -m benchmarks.sealing BYTES

Donors, request, consent, manifest and ledger entry are the real ones; what is in the
file is made up: no benchmark looks into it.
"""

import json
import random
import sys
from datetime import timedelta

import django
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

django.setup()

from django.utils import timezone  # noqa: E402 - models need the setup

import gemmule.accounts.services  # noqa: E402
from benchmarks import releasing  # noqa: E402

now = timezone.now()
scene = releasing.approved(donors=22, now=now)
release = releasing.sealed(
    scene,
    secret=X25519PrivateKey.generate(),
    content=random.Random(7).randbytes(int(sys.argv[1])),
    now=now,
)
file = release.files.get()
token = gemmule.accounts.services.issue_token(
    user=scene.rosa, name="benchmark", expiry=timedelta(days=1)
)
print(
    json.dumps(
        {
            "path": f"/api/v1/releases/{release.accession}/files/{file.name}",
            "token": token,
            "sha256": file.sha256_cipher,
        }
    )
)
