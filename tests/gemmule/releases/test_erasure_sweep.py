"""Everywhere on a whole site: nothing is left of a person who was erased.

Ada signs in, decides, is in a release that is downloaded, gets mail, and is erased in
the browser. She is looked for before, so that the search is known to find her.
"""

import base64
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from gemmule.demo import cast
from gemmule.demo.visitor import Visitor
from tests import waiting
from tests.gemmule.releases.site import Stage, staged
from tests.gemmule.releases.sweeping import Sweep, spellings
from tests.sites import Backend, FreshSite

pytestmark = pytest.mark.slow

_FILED_MAIL = "django.core.mail.backends.filebased.EmailBackend"
_SAMPLE = "HG00000"
_ALLELE = "AGATTACATTAGACATAG"  # stage.py gives it to her alone
# Prints what only the databases know of her.
_HERS = """
import json, sys
import django
django.setup()
from consent.models import Consent
from gemmule.accounts.models import User
from gemmule.accounts.selectors import donor_of
from django.contrib.sessions.models import Session
from ledger.models import Body, VaultKey
user = User.objects.get(email=sys.argv[1])
donor = donor_of(user)
bodies = Body.objects.filter(key_id=donor.subject)
print(json.dumps({
    "donor": str(donor.pk),
    "subject": str(donor.subject),
    "password": user.password,
    "key": bytes(VaultKey.objects.get(id=donor.subject).wrapped).hex(),
    "consents": [str(one.pk) for one in Consent.objects.filter(donor=donor)],
    "bodies": [bytes(one.sealed).hex() for one in bodies],
    "sessions": [one.session_key for one in Session.objects.all()
                 if one.get_decoded().get("_auth_user_id") == str(user.pk)],
}))
"""


def test_a_value_is_found_however_it_is_written() -> None:
    value = uuid.UUID("3b0d4a3e-54d1-4a0f-9e06-1a2b3c4d5e6f")
    texts = spellings(value)
    assert value.bytes in texts
    assert str(value).encode() in texts
    for data in (b"", b"3b0d4a3e", base64.b64encode(bytes(60))):
        assert not any(text in data for text in texts)
    for before in (b"", b"a", b"ab", b"abc"):
        packed = base64.b64encode(before + str(value).encode() + b"tail")
        assert any(text in packed for text in texts)


def told(stage: Stage) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-c", _HERS, cast.ADA.email],
        env=stage.site.environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def values_of(hers: dict[str, Any]) -> dict[str, str | bytes | uuid.UUID]:
    """Return everything that must be gone, by name."""
    values: dict[str, str | bytes | uuid.UUID] = {
        "name": cast.ADA.name,
        "e-mail": cast.ADA.email,
        "sample": _SAMPLE,
        "allele": _ALLELE,
        "password": hers["password"],
        "donor": uuid.UUID(hers["donor"]),
        "subject": uuid.UUID(hers["subject"]),
        "key": bytes.fromhex(hers["key"]),
    }
    values |= {f"consent {n}": uuid.UUID(one) for n, one in enumerate(hers["consents"])}
    values |= {f"body {n}": bytes.fromhex(one) for n, one in enumerate(hers["bodies"])}
    values |= {f"session {n}": str(one) for n, one in enumerate(hers["sessions"])}
    return values


def sweep(stage: Stage, values: dict[str, str | bytes | uuid.UUID]) -> Sweep:
    done = Sweep(values)
    done.files(stage.folder.parent)
    done.files(stage.site.log_dir)
    done.tables(stage.site.environment)
    done.broker(stage.site.broker.socket)
    return done


@pytest.mark.timeout(300)  # A whole site beside other work.
@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_nothing_is_left_of_a_person_who_was_erased(
    fresh_site: FreshSite, backend: Backend, tmp_path: Path
) -> None:
    with staged(fresh_site(backend), records=400, mail=_FILED_MAIL) as stage:
        ada = Visitor(stage.site.url)
        ada.sign_in(cast.ADA.email, cast.PASSWORD)
        # A letter to her, kept in a file here as the demo does.
        forgetful = Visitor(stage.site.url)
        page = forgetful.open("/account/password/reset/")
        forgetful.send(page, {"email": cast.ADA.email}, having="email")
        release = stage.built(stage.ask())
        status, _, pieces = stage.api.read(stage.path(release))
        assert (status, len(b"".join(pieces)) > 0) == (200, True)
        hers = told(stage)
        assert hers["consents"] and hers["bodies"] and hers["sessions"]
        values = values_of(hers)
        before = sweep(stage, values)
        assert [name for name, places in before.found.items() if not places] == []
        # A mirror is out of reach of an erasure, so nothing of her may ever be in one.
        mirror = tmp_path / "mirror"
        stage.site.manage("export_ledger", str(mirror))
        copied = Sweep(values)
        copied.files(mirror)
        assert (mirror / "checkpoint").is_file()
        assert {n: p for n, p in copied.found.items() if p} == {}
        assert any("mail/" in place for place in before.found["e-mail"])
        for suffix in ("store-1 (unpacked)", "store-1.columns (unpacked)"):
            assert any(place.endswith(suffix) for place in before.found["allele"])

        page = ada.open("/donor/erase/")
        page = ada.send(page, {"password": cast.PASSWORD}, having="password")
        assert "/erased/" in page.url
        waiting.until(
            lambda: stage.query("SELECT stage FROM releases_erasure") == [("done",)],
            what="the end of the erasure",
            timeout_s=60,
        )

        after = sweep(stage, values)
        assert {n: p for n, p in after.found.items() if p} == {}
        assert "Everything about you is erased" in ada.open(page.url).text
        assert "/account/login/" in ada.open("/donor/").url
        stage.site.manage("verify_ledger")
        assert stage.entries()["subject.erased"] == 1
