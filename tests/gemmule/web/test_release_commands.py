"""What the pages of a release say to type checks it, with the files as they are saved.

The manifest, the receipt, the policy and the dossier are taken by the pages' links.
"""

import html
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from gemmule import cli
from gemmule.accounts.models import User
from gemmule.releases.models import Release
from tests.gemmule.access.conftest import dataset, draft, project, submitted
from tests.gemmule.api.conftest import approved, available, folders, now, release
from tests.gemmule.api.sealing import CONTENT
from tests.gemmule.releases.conftest import keyring

__all__ = [
    "approved",
    "available",
    "dataset",
    "draft",
    "folders",
    "keyring",
    "now",
    "project",
    "release",
    "submitted",
]
pytestmark = pytest.mark.django_db

SignedIn = Callable[[User], Client]
_SAVED = re.compile(r'<a href="([^"]+)"(?: download="([^"]+)")?')
_SHOWN = re.compile(r"<code[^>]*>gemmule (verify release .+?)</code>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def bytes_of(answer: HttpResponseBase) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined] # either kind


def commands(client: Client, page: str, folder: Path) -> list[list[str]]:
    """Save what the page's section links to; return the commands it shows."""
    text = client.get(page).content.decode()
    section = text[text.index(">Check it ") :].partition("</section>")[0]
    for address, name in _SAVED.findall(section):
        answer = client.get(address)
        assert answer.status_code == 200, address
        given = re.search(
            r'filename="([^"]+)"', answer.headers.get("Content-Disposition", "")
        )
        saved = given[1] if given else name
        assert saved, f"{address} is saved under no name"
        (folder / saved).write_bytes(bytes_of(answer))
    found = [
        shlex.split(html.unescape(_TAG.sub("", one))) for one in _SHOWN.findall(section)
    ]
    assert found
    return found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = tmp_path / "saved"
    made.mkdir()
    monkeypatch.chdir(made)
    return made


def test_the_recipient_checks_each_file(
    signed_in: SignedIn,
    rosa: User,
    available: Release,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = reverse("research_release", args=[available.accession])
    shown = commands(signed_in(rosa), page, folder)
    assert len(shown) == available.files.count()
    (command,) = shown
    (folder / command[2]).write_bytes(CONTENT)
    assert command[-2:] == ["--secret-key", "YOUR.sec"]
    # The bytes of this release are made up, so that no key opens them.
    assert cli.main(command[:-2]) == 0
    assert "byte for byte" in capsys.readouterr().out


def test_the_board_decides_over_every_donor_again(
    signed_in: SignedIn,
    ira: User,
    available: Release,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    page = reverse("audit_release", args=[available.accession])
    (command,) = commands(signed_in(ira), page, folder)
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert f"on each of the {available.donors.count()} samples was made again" in out


def test_an_auditor_checks_that_it_is_on_the_ledger(
    signed_in: SignedIn, aud: User, available: Release, folder: Path
) -> None:
    page = reverse("audit_release", args=[available.accession])
    (command,) = commands(signed_in(aud), page, folder)
    assert "--dossier" not in command
    assert cli.main(command) == 0


def test_before_there_is_a_proof_no_page_speaks_of_one(
    signed_in: SignedIn, rosa: User, ira: User, release: Release
) -> None:
    for user, name in ((rosa, "research_release"), (ira, "audit_release")):
        answer = signed_in(user).get(reverse(name, args=[release.accession]))
        assert answer.status_code == 200
        assert b"gemmule verify" not in answer.content
