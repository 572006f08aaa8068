"""One world with something behind every address, and ten people who knock at it.

It is made once for all routes and every request is taken back, so that two thousand
of them see the same state.
"""

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken

import consent.services
import gemmule.access.services as access
import gemmule.catalog.services
import gemmule.notices.services
import gemmule.releases.services
import ledger.selectors
import ledger.services
from consent.forms import shipped
from consent.terms import Terms
from gemmule.access import reviews
from gemmule.access.models import AccessRequest, Project
from gemmule.accounts import keys, roles, selectors, services
from gemmule.accounts.models import ResearcherKey, Role, User
from gemmule.catalog.descriptions import Description
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.demo import cast
from gemmule.releases import holds
from gemmule.releases.hold import HoldCode
from gemmule.releases.models import Erasure, ErasureStage
from ledger import rollback
from tests import cohorts, factories
from tests.gemmule.api.sealing import seal_release

# The columns of the table. Rosa leads the project and Rival is a researcher with no
# part in it; Sven is the steward of both datasets.
PEOPLE = (
    "nobody",
    "sam",
    "ada",
    "rival",
    "rosa",
    "ira",
    "ingrid",
    "sven",
    "aud",
    "alma",
)
_DATABASES = ("default", "vault")
# X25519's base point: a public key whose secret nobody needs here.
_POINT = bytes([9]) + bytes(31)


@dataclass
class World:
    """Who may knock, with what, at which addresses."""

    cookies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    # What the objects of the table are called in an address.
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    _client: Client = field(default_factory=Client)

    def client(self, who: str) -> Client:
        """Return a browser with this person's session and nothing else.

        It is always the same: a new one reads every static file's size (17 ms).
        """
        self._client.cookies = SimpleCookie()
        if who in self.cookies:
            self._client.cookies[settings.SESSION_COOKIE_NAME] = self.cookies[who]
        return self._client


@contextmanager
def taken_back() -> Iterator[None]:
    """Undo in both databases what happens inside, and forget all rate limits."""
    cache.clear()
    with ExitStack() as stack:
        for alias in _DATABASES:
            block = transaction.atomic(using=alias)
            # As Django's own test cases do: inside, a durable block is allowed.
            block._from_testcase = True  # type: ignore[attr-defined]  # is private
            stack.enter_context(block)
        yield
        for alias in _DATABASES:
            transaction.set_rollback(True, using=alias)


def make() -> World:
    """Return the world; call it inside `taken_back`."""
    # The notary remembers what it signed in databases that are gone.
    shutil.rmtree(settings.DATA_DIR / "ledger", ignore_errors=True)
    rollback.forget()
    settings.LEDGER_KEY_FILE.unlink(missing_ok=True)
    now = timezone.now()
    people = {who.key: factories.member(who) for who in (*cast.CAST, cast.SAM)}
    rival = factories.person(Role.RESEARCHER, name="Rival")
    rival.institution = people["rosa"].institution
    rival.save()
    people["rival"] = rival
    world = World()
    for name in PEOPLE[1:]:
        client = Client()
        client.force_login(people[name])
        world.cookies[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
        # Also for those who could not make one: a role may go and its token stay.
        _, world.tokens[name] = AuthToken.objects.create(
            user=people[name], expiry=timedelta(days=1)
        )
    _account(world, people, now)
    published = _donor_and_dataset(world, people, now)
    _research(world, people, published, now)
    _draft_dataset(world, people["sven"], now)
    _tiles(world, now)
    return world


def _account(world: World, people: dict[str, User], now: datetime) -> None:
    rosa = people["rosa"]
    pending = services.begin_key(
        user=rosa, name="new", public_key_text=keys.public_key_text(_POINT), now=now
    )
    services.issue_token(user=rosa, name="nightly", expiry=timedelta(days=1))
    token = selectors.tokens_of(rosa).get(name="nightly")
    notice = gemmule.notices.services.notify(
        user=rosa,
        kind="release.revoked",
        subject="Hello",
        body="",
        url="/research/",
        now=now,
    )
    proposal = roles.propose(
        administrator=people["alan"], user=people["sam"], role=Role.STEWARD, now=now
    )
    grant = people["aud"].role_grants.get(role=Role.AUDITOR)
    world.objects |= {
        "-": {},
        "key": {"key_id": pending.pk},
        "token": {"token_id": token.pk},
        "notice": {"notice_id": notice.pk},
        "proposal": {"proposal_id": proposal.pk},
        "grant": {"grant_id": grant.pk},
        "passkey": {"pk": 1},
        "mail": {"key": "unknown"},
        "reset": {"uidb36": "1", "key": "unknown"},
    }


def _donor_and_dataset(world: World, people: dict[str, User], now: datetime) -> Dataset:
    form = consent.services.publish_form(
        name="general", version="1.0", language="en", content=shipped.content(), now=now
    )
    ada = selectors.donor_of(people["ada"])
    assert ada is not None
    given = consent.services.give(
        donor=ada,
        form=form,
        terms=Terms.from_json(cohorts.GENERAL),
        withheld={},
        discovery=True,
        event=uuid.uuid4(),
        now=now,
    )
    wishes = [cohorts.GENERAL] * 24 + [cohorts.NEEDS_ETHICS] * 5
    made = cohorts.dataset(
        [ada, *cohorts.donors(wishes, now)],
        steward=people["sven"],
        second=people["signe"],
        now=now,
    )
    with transaction.atomic():
        assert made.event is not None
        ledger.services.append(
            type="data.registered",
            pub={"dataset": made.accession},
            body={},
            event=made.event,
            now=now,
        )
    world.objects |= {
        "receipt": {"event": given.event},
        "erasure": {"erasure_id": _erased(now).pk},
        "entry": {"event": given.event},
        "question": {"name": form.to_form().questions[0].id},
        "published": {"accession": made.accession},
    }
    return made


def _erased(now: datetime) -> Erasure:
    """Return an erasure that came to its end: it names nobody."""
    return Erasure.objects.create(stage=ErasureStage.DONE, asked_at=now, done_at=now)


def _research(
    world: World, people: dict[str, User], dataset: Dataset, now: datetime
) -> None:
    rosa, ira = people["rosa"], people["ira"]
    project = access.create_project(
        user=rosa, title="Hearts", lay_summary="About hearts.", now=now
    )
    asked = {
        name: _request(rosa, project, dataset, now)
        for name in ("draft", "submitted", "cosigning", "approved")
    }
    for name in ("submitted", "cosigning", "approved"):
        asked[name] = access.submit(user=rosa, request=asked[name], now=now)
    for name, codes in (("cosigning", ["IRB"]), ("approved", [])):
        asked[name] = reviews.approve(
            reviewer=ira,
            request=asked[name],
            reason="Sound.",
            expires_on=(now + timedelta(days=365)).date(),
            resolve=codes,
            password=cast.PASSWORD,
            now=now,
        )
    key = ResearcherKey.objects.create(
        user=rosa,
        name="laptop",
        public_key=_POINT,
        fingerprint="ab" * 32,
        state=ResearcherKey.State.ACTIVE,
        created_at=now,
        registered_at=now,
    )
    release = seal_release(
        gemmule.releases.services.open_release(
            user=rosa, request=asked["approved"], key=key, now=now
        ),
        now=now,
    )
    world.objects |= {
        "project": {"accession": project.accession},
        **{name: {"accession": one.accession} for name, one in asked.items()},
        "active-key": {"key_id": key.pk},
        "release": {"accession": release.accession},
        "released": {"event": release.event},
        "file": {"accession": release.accession, "name": release.files.get().name},
    }


def _request(
    rosa: User, project: Project, dataset: Dataset, now: datetime
) -> AccessRequest:
    made = access.draft_request(user=rosa, project=project, dataset=dataset, now=now)
    return access.update_draft(
        user=rosa,
        request=made,
        purpose={**cohorts.PURPOSE, "ethics_approval": "unverified"},
        justification="We need many hearts.",
    )


def _draft_dataset(world: World, sven: User, now: datetime) -> None:
    made = gemmule.catalog.services.register_dataset(
        user=sven,
        description=Description(
            title="The next dataset",
            summary="It is not ready to be published yet.",
            build="GRCh37",
        ),
        now=now,
    )
    file = DataFile.objects.create(
        dataset=made,
        number=1,
        original_name="one.vcf",
        state=DataFileState.ACCEPTED,
        size_bytes=1,
        sha256_store="33" * 32,
        sample_names=["A", "B"],
        uploaded_by=sven,
        uploaded_at=now,
    )
    hold = holds.place(code=HoldCode.BY_HAND, dataset=made, now=now)
    world.objects |= {
        "hold": {"hold_id": hold.pk},
        "dataset": {"accession": made.accession},
        "vcf": {"accession": made.accession, "number": file.number},
    }


def _tiles(world: World, now: datetime) -> None:
    """Publish what there is; it ends in one partial tile and its bundle."""
    ledger.services.settle(now=now)
    width = ledger.selectors.tree_size()
    assert width < 256
    world.objects |= {
        "tile": {"tile": f"0/000.p/{width}"},
        "bundle": {"tile": f"000.p/{width}"},
    }


def nowhere(objects: dict[str, Any]) -> dict[str, Any]:
    """Return the address of something of the same kind that never was."""
    missing: dict[type, Callable[[Any], Any]] = {
        str: lambda value: (
            value[:3] + "0000000" if value[:2] == "GM" else "no-such-name"
        ),
        int: lambda value: 987_654_321,
        uuid.UUID: lambda value: uuid.UUID(int=4 << 76 | 2 << 62),
    }
    return {name: missing[type(value)](value) for name, value in objects.items()}
