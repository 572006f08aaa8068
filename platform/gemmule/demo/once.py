"""Do the main job once, through the site's own doors, and hold it to what it promises.

Ada consents in her browser, Rosa asks by script, Ira approves, a worker cuts and
seals, Rosa downloads and opens the file; then Ada withdraws. People act over HTTP
alone. The database is read only to say beforehand what a release should hold, so
that the file is compared with the consents and not with itself.

Runs as a process of its own in the site's environment; `Broken` says what did not
hold.
"""

import base64
import gzip
import hashlib
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import crypt4gh.keys
import crypt4gh.keys.c4gh
import crypt4gh.lib
from django.core.management import call_command
from django.utils import timezone

from gemmule.access.models import AccessRequest
from gemmule.catalog.models import Dataset, Sample
from gemmule.demo import cast
from gemmule.demo.cohorts import PILOT
from gemmule.demo.visitor import ApiClient, Page, Visitor
from gemmule.releases import cohort

logger = logging.getLogger(__name__)

RESULT = "once.json"
_PATIENCE_S = 300.0
_FIRST_BYTES = 64 * 1024
# What Ada answers, by the ids of the form's questions, and what she has understood.
_ADAS_ANSWERS: Mapping[str, str | Sequence[str]] = {
    "stop-later": "yes",
    "recall": "asked",
    "name": "could",
    "research": "any",
    "companies": "yes",
    "conditions": (),
    "place": "anywhere",
    "time": "open",
    "keep-back": "nothing",
    "discovery": "yes",
    "password": cast.PASSWORD,
}
_PURPOSE: Mapping[str, Any] = {
    "research_types": ["biomedical"],
    "organisation": "non-profit",
    "commercial": False,
    "countries": ["SE"],
    "ethics_approval": "unverified",
    "agrees_to": ["PUB", "RTN"],
}


class Broken(Exception):
    """Something the main job promises did not hold."""


@dataclass
class Story:
    """The stage: the site's address, where results go, how long each act took."""

    base: str
    out: Path
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def act(self, name: str) -> Iterator[None]:
        """Time an act and say that it begins."""
        logger.info("%s ...", name)
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 3)


def run(*, base: str, out: Path) -> None:
    """Play the whole story against the site at `base`; write everything to `out`."""
    story = Story(base=base, out=out)
    ada, rosa = Visitor(base), Visitor(base)
    dataset = Dataset.objects.get(title=PILOT.title)
    with story.act("consent"):
        ada.sign_in(cast.ADA.email, cast.PASSWORD)
        _consent(ada)
    with story.act("request"):
        rosa.sign_in(cast.ROSA.email, cast.PASSWORD)
        api = ApiClient(base, _token(rosa))
        key_id = _register_key(rosa, out)
        request = _request(api, dataset)
    with story.act("approval"):
        _approve(base, request)
    expected = _expected(request)
    with story.act("build"):
        release = _build(api, request, key_id)
    with story.act("download"):
        names = _download(api, release, out)
    with story.act("open"):
        manifest = json.loads((out / "manifest.json").read_bytes())["manifest"]
        _open(out, manifest, names)
        _check_samples(out, expected)
    with story.act("verify"):
        call_command("verify_ledger", stdout=_Discard())
        head = _checkpoint(base)
    with story.act("withdrawal"):
        _withdraw(
            ada,
            api,
            release,
            names["variants"],
            request,
            key_id,
            scratch=out / "state",
            secret=out / "recipient.sec",
        )
    result = {
        "donors": Sample.objects.filter(dataset=dataset).count(),
        "permitted": len(expected),
        "records_in": sum(file.records or 0 for file in dataset.files.all()),
        "records_out": manifest["records"],
        "ledger_size": head[0],
        "ledger_root_b64": head[1],
        "sha256_plain": _sha256(out / "release.vcf.gz"),
        "sha256_cipher": _sha256(out / "release.vcf.gz.c4gh"),
        "seconds": story.seconds,
    }
    (out / "state" / RESULT).write_text(json.dumps(result))


def _consent(ada: Visitor) -> None:
    """Follow the consent pages from the first to the receipt."""
    page = ada.open("/donor/consent/")
    for _ in range(20):
        if "/donor/receipts/" in page.url:
            return
        before = page.url
        page = ada.go_on(page, _ADAS_ANSWERS)
        if page.status >= 400:
            raise Broken(f"{before} refused what Ada answered: {_said(page)}")
    raise Broken(f"the consent pages have no end: {page.url}")


def _token(rosa: Visitor) -> str:
    page = rosa.send(
        rosa.open("/account/tokens/new/"),
        {"name": "once", "days": "7", "password": cast.PASSWORD},
        having="days",
    )
    found = re.search(r'class="copy-text[^>]*>\s*([0-9a-f]{64})\s*<', page.text)
    if found is None:
        raise Broken(f"no token is shown at {page.url}: {_said(page)}")
    return found.group(1)


def _register_key(rosa: Visitor, out: Path) -> str:
    """Make a key pair, register the public half and prove possession of the secret."""
    secret, public = out / "recipient.sec", out / "recipient.pub"
    crypt4gh.keys.c4gh.generate(str(secret), str(public), None, None)
    page = rosa.send(
        rosa.open("/account/keys/new/"),
        {"name": "once", "public_key": public.read_text()},
        having="public_key",
    )
    # No key without the password, however short ago she signed in.
    page = rosa.send(page, {"again-password": cast.PASSWORD}, having="again-password")
    match = re.search(r"/account/keys/([0-9a-f-]{36})/$", page.url)
    if match is None:
        raise Broken(f"no key was registered at {page.url}: {_said(page)}")
    challenge = out / "state" / "challenge.c4gh"
    challenge.write_bytes(rosa.fetch(f"{page.url}challenge.c4gh"))
    answer = out / "state" / "challenge"
    _decrypt(challenge, answer, secret)
    page = rosa.send(page, {"answer": answer.read_text().strip()}, having="answer")
    if "can receive files" not in page.text:
        raise Broken(f"the key is not active after its proof: {_said(page)}")
    return match.group(1)


def _request(api: ApiClient, dataset: Dataset) -> AccessRequest:
    project = api.post(
        "/api/v1/projects/",
        {
            "title": "Inherited heart rhythm",
            "lay_summary": "We look for changes in the DNA that guard the heartbeat.",
        },
        key="project",
    )
    drafted = api.post(
        "/api/v1/requests/",
        {
            "project": project["accession"],
            "dataset": dataset.accession,
            "purpose": dict(_PURPOSE),
            "justification": "Rare changes show only in large groups of people.",
        },
        key="request",
    )
    api.post(f"/api/v1/requests/{drafted['accession']}/submit/", key="submit")
    return AccessRequest.objects.select_related("project__institution", "dataset").get(
        accession=drafted["accession"]
    )


def _approve(base: str, request: AccessRequest) -> None:
    ira = Visitor(base)
    ira.sign_in(cast.IRA.email, cast.PASSWORD)
    page = ira.send(
        ira.open(f"/irb/requests/{request.accession}/approve/"),
        {"reason": "Sound aims, fitting safeguards.", "password": cast.PASSWORD},
        having="expires_on",
    )
    request.refresh_from_db()
    if request.state != "approved":
        raise Broken(f"the request is {request.state}: {_said(page)}")


def _expected(request: AccessRequest) -> list[tuple[str, str]]:
    """Return (source name, name in the release), as the consents of now have it."""
    members = cohort.included(request, on=timezone.now().date())
    return [(one.source_name, one.sample_name) for one in members]


def _build(api: ApiClient, request: AccessRequest, key_id: str) -> str:
    """Ask for a release, wait until a worker has made it; return its accession."""
    asked = api.post("/api/v1/releases/", {"request": request.accession, "key": key_id})
    accession = str(asked["accession"])
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        found = api.get(f"/api/v1/releases/{accession}/")
        if found["state"] == "available":
            return accession
        if found["state"] not in {"requested", "building", "sealed"}:
            raise Broken(f"{accession} is {found['state']}: {found['failure_reason']}")
        time.sleep(0.2)
    raise Broken(f"{accession} was not built within {_PATIENCE_S:.0f} s")


def _download(api: ApiClient, accession: str, out: Path) -> dict[str, str]:
    """Download manifest and files; return the names of the files by role."""
    _, _, pieces = api.read(f"/api/v1/releases/{accession}/manifest/")
    (out / "manifest.json").write_bytes(b"".join(pieces))
    release = api.get(f"/api/v1/releases/{accession}/")
    names = {file["role"]: file["name"] for file in release["files"]}
    for role, target in (("variants", "release.vcf.gz"), ("index", _index(names))):
        path = out / f"{target}.c4gh"
        status, _, pieces = api.read(
            f"/api/v1/releases/{accession}/files/{names[role]}"
        )
        if status != 200:
            raise Broken(f"{names[role]} answered {status}")
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
    return names


def _index(names: Mapping[str, str]) -> str:
    return "release.vcf.gz.csi" if ".csi" in names["index"] else "release.vcf.gz.tbi"


def _open(out: Path, manifest: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """Decrypt with the recipient's key and compare with the manifest's digests."""
    _decrypt(out / "release.vcf.gz.c4gh", out / "release.vcf.gz", out / "recipient.sec")
    said = {file["name"]: file for file in manifest["files"]}[names["variants"]]
    for path, digest in (
        (out / "release.vcf.gz.c4gh", said["sha256_cipher"]),
        (out / "release.vcf.gz", said["sha256_plain"]),
    ):
        if _sha256(path) != digest:
            raise Broken(f"{path.name} is not the file that the manifest names")


def _check_samples(out: Path, expected: list[tuple[str, str]]) -> None:
    columns = _columns(out / "release.vcf.gz")
    if columns != [name for _, name in expected]:
        raise Broken(
            f"the release holds {len(columns)} samples, not exactly the "
            f"{len(expected)} whose donors allow it"
        )
    kept = "".join(f"{source}\n" for source, _ in expected)
    (out / "kept_samples.txt").write_text(kept)


def _withdraw(
    ada: Visitor,
    api: ApiClient,
    release: str,
    name: str,
    request: AccessRequest,
    key_id: str,
    *,
    scratch: Path,
    secret: Path,
) -> None:
    """Withdraw Ada in the middle of a download and see what is refused after it."""
    path = f"/api/v1/releases/{release}/files/{name}"
    status, headers, pieces = api.read(path, {"Range": f"bytes=0-{_FIRST_BYTES - 1}"})
    if status != 206:
        raise Broken(f"a first part answered {status}")
    b"".join(pieces)
    before = _expected(request)
    ada.send(ada.open("/donor/withdraw/"), {}, having="event")
    status, _, pieces = api.read(
        path, {"Range": f"bytes={_FIRST_BYTES}-", "If-Range": headers["ETag"]}
    )
    answer = b"".join(pieces)
    if status != 403 or b"was revoked" not in answer:
        raise Broken(f"a resumed download answered {status} after the withdrawal")
    after = _expected(request)
    if len(after) != len(before) - 1:
        raise Broken("the withdrawal did not take exactly one donor out")
    following = scratch / "following"
    following.mkdir()
    _download(api, _build(api, request, key_id), following)
    _decrypt(following / "release.vcf.gz.c4gh", following / "release.vcf.gz", secret)
    if _columns(following / "release.vcf.gz") != [sample for _, sample in after]:
        raise Broken("the next release does not hold exactly those who remain")


def _said(page: Page) -> str:
    text = re.sub(r"<(script|style|head).*?</\1>|<[^>]+>", " ", page.text, flags=re.S)
    return " ".join(text.split())[:400]


def _decrypt(source: Path, target: Path, secret: Path) -> None:
    """Decrypt with the GA4GH library, as the crypt4gh command does."""
    key = crypt4gh.keys.get_private_key(str(secret), lambda: None)
    with source.open("rb") as infile, target.open("wb") as outfile:
        crypt4gh.lib.decrypt([(0, key, None)], infile, outfile)


def _columns(path: Path) -> list[str]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            if line.startswith("#CHROM"):
                return line.rstrip("\n").split("\t")[9:]
    raise Broken(f"{path.name} has no line of columns")


def _checkpoint(base: str) -> tuple[int, str]:
    """Return size and root of the latest signed checkpoint."""
    _, size, root = Visitor(base).open("/ledger/checkpoint").text.split("\n")[:3]
    base64.b64decode(root, validate=True)
    return int(size), root


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Discard:
    """Where a command's words go that nobody reads; its errors still raise."""

    def write(self, text: str) -> int:
        """Take the text and keep nothing."""
        return len(text)
