"""What people and programs do on the site of a drill, in a process that stays.

Reads a line of JSON, [ACT, ARGUMENT, ...], and answers with one. There are two
datasets: Ada is in the first and not in the second.
"""

import io
import json
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from cryptography.hazmat.primitives.asymmetric.x25519 import (  # noqa: E402
    X25519PrivateKey,
)
from django.core.management import CommandError, call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

import consent.services  # noqa: E402
import gemmule.access.services  # noqa: E402
import gemmule.accounts.roles  # noqa: E402
import gemmule.accounts.services  # noqa: E402
import ledger.services  # noqa: E402
from consent.forms import shipped  # noqa: E402
from consent.models import Channel, Donor  # noqa: E402
from consent.terms import Terms  # noqa: E402
from gemmule.accounts.models import ResearcherKey, RoleGrant, User  # noqa: E402
from gemmule.accounts.selectors import donor_of  # noqa: E402
from gemmule.demo import cast  # noqa: E402
from gemmule.releases import closing, erasure, holds, services, upkeep  # noqa: E402
from gemmule.releases.errors import HoldStands  # noqa: E402
from gemmule.releases.models import Release  # noqa: E402
from ledger import inspection  # noqa: E402
from tests import cohorts, factories  # noqa: E402
from tests.gemmule.api.sealing import seal_release  # noqa: E402

COUNT = 30
now = timezone.now()


def stage() -> dict[str, str]:
    """Fill the site; return the two releases, Ada's first, and Rosa's token."""
    people = [cast.SVEN, cast.SIGNE, cast.ROSA, cast.IRA, cast.ADA]
    sven, signe, rosa, ira, ada = [factories.member(one) for one in people]
    for administrator in (cast.ALMA, cast.ALAN):
        factories.member(administrator)
    consent.services.publish_form(
        name="cohort", version="1.0", language="en", content=shipped.content(), now=now
    )
    hers = donor_of(ada)
    assert hers is not None
    cohorts.agree(hers, cohorts.GENERAL, now)
    others = cohorts.donors([cohorts.GENERAL] * COUNT, now)
    key = ResearcherKey.objects.create(
        user=rosa,
        name="laptop",
        public_key=X25519PrivateKey.generate().public_key().public_bytes_raw(),
        fingerprint="ab" * 32,
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    made = {}
    for name, members in (("hers", [hers, *others]), ("other", others)):
        dataset = cohorts.dataset(members, steward=sven, second=signe, now=now)
        release = services.open_release(
            user=rosa,
            request=cohorts.approved_request(
                rosa=rosa, ira=ira, dataset=dataset, now=now
            ),
            key=key,
            now=now,
        )
        made[name] = seal_release(release, now=now).accession
    token = gemmule.accounts.services.issue_token(
        user=rosa, name="drill", expiry=timedelta(days=1)
    )
    return {**made, "token": token}


def fetch(token: str, *accessions: str) -> dict[str, list[Any]]:
    """Ask for bytes with an old handle; return status and problem of each."""
    found: dict[str, list[Any]] = {}
    client = Client(headers={"host": "localhost", "authorization": f"Token {token}"})
    for accession in accessions:
        name = f"{accession}.vcf.gz.c4gh"
        answer = client.get(
            f"/api/v1/releases/{accession}/files/{name}",
            headers={"range": "bytes=0-9"},
        )
        is_refused = answer.status_code >= 400
        if not is_refused:
            assert len(b"".join(answer.streaming_content)) == 10  # type: ignore[attr-defined]
        found[accession] = [
            answer.status_code,
            answer.json()["code"] if is_refused else "",
        ]
    return found


def withdraw() -> str:
    """Let Ada withdraw; return the state of the release with her."""
    state = withdraw_meanwhile()
    upkeep.settle(now=now)
    return state


def withdraw_meanwhile() -> str:
    """Let Ada withdraw while nothing is published."""
    services.withdraw_consent(
        donor=_ada(), channel="donor", event=uuid.uuid4(), now=now
    )
    return Release.objects.order_by("pk")[0].state


def change() -> str:
    """Let Ada change her consent so that it covers as much; then let her pause."""
    services.change_consent(
        donor=_ada(),
        form=cohorts.form(now),
        terms=Terms.from_json(cohorts.GENERAL),
        withheld={},
        discovery=False,
        language="en",
        evidence={"method": "test"},
        event=uuid.uuid4(),
        now=now,
    )
    services.pause_consent(donor=_ada(), channel="donor", event=uuid.uuid4(), now=now)
    upkeep.settle(now=now)
    return Release.objects.order_by("pk")[0].state


def resume() -> str:
    """Let Ada end her pause; return the state of the release with her."""
    services.resume_consent(donor=_ada(), channel="donor", event=uuid.uuid4(), now=now)
    upkeep.settle(now=now)
    return Release.objects.order_by("pk")[0].state


def close(accession: str) -> None:
    """Close the request of a release."""
    release = Release.objects.get(accession=accession)
    gemmule.access.services.close(
        user=release.recipient, request=release.request, now=now
    )
    upkeep.settle(now=now)


def take_role(email: str) -> None:
    """Take the roles of a person away."""
    for grant in RoleGrant.objects.active().filter(user__email=email):
        gemmule.accounts.roles.revoke(
            administrator=User.objects.get(email=cast.ALMA.email),
            grant_id=grant.pk,
            now=now,
        )
    upkeep.settle(now=now)


def roles(email: str) -> int:
    """Return how many roles a person has."""
    return RoleGrant.objects.active().filter(user__email=email).count()


def build(accession: str) -> list[Any]:
    """Release anew what a release was of; return its state, and if Ada is in it."""
    old = Release.objects.get(accession=accession)
    closing.revoke(user=old.recipient, release=old, reason="Again.", now=now)
    made = services.open_release(
        user=old.recipient, request=old.request, key=old.key, now=now
    )
    seal_release(made, now=now)
    made.refresh_from_db()
    return [made.state, made.donors.filter(donor=_ada()).exists()]


def erase() -> str:
    """Let Ada be erased; return how far it has come."""
    begun = services.begin_erasure(
        donor=_ada(), user=None, channel=Channel.PHONE, now=now
    )
    upkeep.settle(now=now)
    stage = erasure.run(begun.pk, clock=lambda: now)
    upkeep.settle(now=now)
    return str(stage)


def donors() -> int:
    """Return how many donors there are."""
    return Donor.objects.count()


def settle() -> int:
    """Do what the periodic task does; return how many entries there are."""
    upkeep.settle(now=now)
    return ledger.selectors.tree_size()


def manage(*arguments: str) -> list[Any]:
    """Run a command; return whether it succeeded, and what it says."""
    said = io.StringIO()
    try:
        call_command(*arguments, stdout=said)
    except CommandError as error:
        return [False, f"{said.getvalue()}{error}"]
    return [True, said.getvalue()]


def sign(email: str) -> list[str]:
    """Let an administrator read and sign every hold; return what was refused."""
    refused = []
    for hold in holds.open_holds():
        try:
            holds.sign(
                administrator=User.objects.get(email=email),
                hold=hold,
                findings_sha256=hold.findings_sha256,
                password=cast.PASSWORD,
                now=now,
            )
        except HoldStands as error:
            refused.append(str(error))
    return refused


def held() -> list[list[str]]:
    """Return code, dataset and findings of every hold."""
    return [
        [
            hold.code,
            hold.dataset.accession if hold.dataset else "",
            *(each["code"] for each in hold.findings),
        ]
        for hold in holds.open_holds()
    ]


def states() -> dict[str, str]:
    """Return the states of all releases."""
    return dict(Release.objects.values_list("accession", "state"))


def findings() -> list[str]:
    """Return what a replay of the ledger finds."""
    return sorted({each.code for each in inspection.inspect().findings})


def _ada() -> Donor:
    donor = donor_of(User.objects.get(email=cast.ADA.email))
    assert donor is not None
    return donor


ACTS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        stage,
        fetch,
        withdraw,
        withdraw_meanwhile,
        change,
        resume,
        close,
        take_role,
        roles,
        build,
        erase,
        donors,
        settle,
        manage,
        sign,
        held,
        states,
        findings,
    )
}

if __name__ == "__main__":
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = ACTS[name](*arguments)
        # A database that is to be copied or dropped lets nobody be connected.
        connections.close_all()
        print(json.dumps(answer), flush=True)
