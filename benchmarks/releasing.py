"""Bring a site to a sealed release without cutting a file, through the services.

For what happens to a release afterwards: downloads, withdrawals, revocations.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from consent.models import Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import ResearcherKey, User
from gemmule.demo import cast
from gemmule.releases import services
from gemmule.releases.models import Release
from tests import cohorts, factories
from tests.gemmule.api.sealing import seal_release


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who takes part, and the request that was approved."""

    rosa: User
    ira: User
    donors: list[Donor]
    request: AccessRequest


def approved(*, donors: int, now: datetime) -> Scene:
    """Let donors agree, and the IRB approve Rosa's request for their data."""
    people = [cast.SVEN, cast.SIGNE, cast.ROSA, cast.IRA]
    sven, signe, rosa, ira = [factories.member(one) for one in people]
    agreed = cohorts.donors([cohorts.GENERAL] * donors, now)
    dataset = cohorts.dataset(agreed, steward=sven, second=signe, now=now)
    request = cohorts.approved_request(rosa=rosa, ira=ira, dataset=dataset, now=now)
    return Scene(rosa=rosa, ira=ira, donors=agreed, request=request)


def sealed(
    scene: Scene, *, secret: X25519PrivateKey, content: bytes, now: datetime
) -> Release:
    """Return a release of these bytes, available, to a new key of Rosa's."""
    public = secret.public_key().public_bytes_raw()
    key = ResearcherKey.objects.create(
        user=scene.rosa,
        name=f"key {public.hex()[:8]}",
        public_key=public,
        fingerprint=hashlib.sha256(public).hexdigest(),
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    release = services.open_release(
        user=scene.rosa, request=scene.request, key=key, now=now
    )
    return seal_release(release, now=now, content=content)
