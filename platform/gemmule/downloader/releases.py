"""Fetch every file of a release with its manifest and receipt, and hold them together.

A file has its final name only once it is whole and the one that the manifest names. A
command that was killed is run again and goes on; what is here already is not fetched.
"""

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gemmule.downloader import parts
from gemmule.downloader.errors import (
    Broken,
    DoesNotHold,
    InputInvalid,
    NotReady,
    ReleaseChanged,
    SiteInvalid,
    SiteRefuses,
    TryAgain,
)
from gemmule.downloader.patience import Patience
from gemmule.downloader.progress import Progress, duration, size
from gemmule.downloader.site import Site
from gemmule.releases import emptiness
from gemmule.verifier import files, manifests, receipts, words
from gemmule.verifier.manifests import Manifest, NamedFile
from gemmule.verifier.receipts import ReceiptHolds
from ledger.tlog import receipt
from ledger.tlog.policy import Policy

_ACCESSION = re.compile(r"[0-9A-Za-z]{1,20}")
_EVENT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# What a file may be called here, whatever a manifest says: no path, nothing hidden.
_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")
_SEALED = ".c4gh"
_BEING_MADE = ("requested", "building")
_OPEN = ("sealed", "available")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person asked for."""

    release: str
    folder: Path
    secret_key: bytes | None
    is_opened: bool
    policy: Policy | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """What is in the folder now."""

    manifest: Manifest
    folder: Path
    files: tuple[Path, ...]
    opened: tuple[Path, ...]
    receipt: ReceiptHolds | None

    def lines(self) -> list[str]:
        """Return it in plain words."""
        count = len(self.files)
        total = sum(file.size_bytes for file in self.manifest.files)
        said = [
            f"Release {words.shown(self.manifest.release)} is in {self.folder}: "
            f"{count} file{'s' * (count != 1)} ({size(total)}), manifest and receipt.",
            "Every file is, byte for byte, the one that the manifest names.",
            _content(self.manifest),
        ]
        if self.opened:
            said.append("Opened: " + ", ".join(path.name for path in self.opened) + ".")
        if self.receipt is None:
            said.append(
                "Whether the manifest is on the ledger was not checked: --policy FILE, "
                "now or with `gemmule verify release`, does."
            )
            return said
        entry = self.receipt.checked.entry
        cosigned = self.receipt.checked.cosigned
        said.append(f"The manifest is on the ledger: entry {entry.seq}.")
        return [*said, *words.witnesses(cosigned, self.receipt.witnesses)]

    def as_json(self) -> dict[str, Any]:
        """Return it for machines."""
        return {
            "release": self.manifest.release,
            "folder": str(self.folder),
            "manifest_sha256": self.manifest.sha256,
            "samples": len(self.manifest.commitments),
            "records": self.manifest.body["records"],
            "empty_because": self.manifest.body.get("empty_because", []),
            "files": [path.name for path in self.files],
            "opened": [path.name for path in self.opened],
            "entry": None if self.receipt is None else self.receipt.as_json(),
        }


def download(
    site: Site, wanted: Wanted, *, patience: Patience, progress: Progress
) -> Downloaded:
    """Bring a release into the folder, or raise a DownloadError.

    With a policy also what `verifier.releases.check` raises.
    """
    if _ACCESSION.fullmatch(wanted.release) is None:
        raise InputInvalid(f"not an accession: {words.shown(wanted.release)}")
    fetching = _Fetching(site, wanted, patience, progress)
    try:
        return fetching.run()
    except ReleaseChanged:
        progress.say("The site has another version of this release now: starting over.")
    try:
        return fetching.run()
    except ReleaseChanged as error:
        raise TryAgain(
            "the site changes this release while it is read; try again later"
        ) from error


class _Fetching:
    def __init__(
        self, site: Site, wanted: Wanted, patience: Patience, progress: Progress
    ) -> None:
        self._site = site
        self._wanted = wanted
        self._patience = patience
        self._progress = progress
        self._base = f"/api/v1/releases/{wanted.release}/"

    def run(self) -> Downloaded:
        told = self._patience.insist(partial(self._site.read_json, self._base))
        self._check_made(told)
        data = self._read(f"{self._base}manifest/", manifests.MAX_BYTES)
        manifest = manifests.read(data)
        self._check_manifest(manifest, told)
        if self._wanted.secret_key is not None:
            files.check_key(self._wanted.secret_key, manifest)
        proof = self._read(f"/api/v1/receipts/{told['event']}/", receipt.MAX_BYTES)
        held = None
        if self._wanted.policy is not None:
            held = receipts.check(proof, self._wanted.policy, opened=None)
            manifests.check_entry(manifest, held)
        folder = self._wanted.folder
        folder.mkdir(parents=True, exist_ok=True)
        try:
            if told.get("state") not in _OPEN:
                self._ask_why(manifest.files[0])
            targets = self._fetch_all(manifest)
        except SiteRefuses as refusal:
            if refusal.is_void:
                self._delete_parts(manifest.files)
            raise
        parts.keep(folder / f"{manifest.release}.json", data)
        parts.keep(folder / f"{manifest.release}.tlog-proof", proof)
        return Downloaded(
            manifest=manifest,
            folder=folder,
            files=targets,
            opened=self._open_all(manifest),
            receipt=held,
        )

    def _check_made(self, told: dict[str, Any]) -> None:
        """Refuse a release that has no files, yet or for ever."""
        state = told.get("state")
        if state in _BEING_MADE:
            progress = told.get("progress") or {}
            percent, left = progress.get("percent"), progress.get("seconds_left")
            far = f" ({percent} %)" if isinstance(percent, int) else ""
            when = f" in about {duration(left)}" if isinstance(left, int) else " later"
            raise NotReady(
                f"release {self._wanted.release} is being made{far}: run the same "
                f"command again{when}"
            )
        if state == "failed":
            raise SiteRefuses(
                f"release {self._wanted.release} could not be built: "
                f"{words.shown(str(told.get('failure_reason')))}. Open its request to "
                "try again",
                code="release-failed",
            )
        if not told.get("manifest_sha256"):
            # Closed before it was built.
            reason = words.shown(str(told.get("closed_reason") or ""))
            raise SiteRefuses(
                f"release {self._wanted.release} is {words.shown(str(state))} and has "
                f"no files{reason and f': {reason}'}",
                code=f"release-{state}",
            )
        if _EVENT.fullmatch(str(told.get("event"))) is None:
            raise SiteInvalid("what answers there is not the API of a site")

    def _check_manifest(self, manifest: Manifest, told: dict[str, Any]) -> None:
        if manifest.release != told.get("accession"):
            raise DoesNotHold("the site has given the manifest of another release")
        if manifest.sha256 != told["manifest_sha256"]:
            raise ReleaseChanged
        taken = {f"{manifest.release}{end}".lower() for end in (".json", ".tlog-proof")}
        for name in _names(manifest.files, is_opened=self._wanted.is_opened):
            if _NAME.fullmatch(name) is None or name.endswith(parts.SUFFIX):
                raise DoesNotHold(
                    f"the manifest names a file {words.shown(name[:200])!r}, and no "
                    "file may be called so"
                )
            # There are disks on which A and a are one file.
            if name.lower() in taken:
                raise DoesNotHold(f"the manifest names {name} twice")
            taken.add(name.lower())

    def _read(self, path: str, limit: int) -> bytes:
        return self._patience.insist(partial(self._site.read, path, limit=limit))

    def _fetch_all(self, manifest: Manifest) -> tuple[Path, ...]:
        folder, missing = self._wanted.folder, []
        for named in manifest.files:
            target = folder / named.name
            if parts.is_there(
                target, sha256=named.sha256_cipher, size=named.size_bytes
            ):
                self._progress.say(f"{named.name}: is here already")
            else:
                missing.append(named)
        self._delete_others(missing)
        _check_room(folder, missing)
        self._progress.begin(sum(named.size_bytes for named in missing))
        for named in missing:
            self._fetch(named)
        return tuple(folder / named.name for named in manifest.files)

    def _fetch(self, named: NamedFile) -> None:
        with parts.begun(self._wanted.folder, named) as part:
            self._progress.file(named.name, named.size_bytes, part.position)
            self._fill(part, named)
            if not part.is_right() and part.is_resumed:
                # A power cut leaves holes in what was written last.
                self._progress.say(
                    f"{named.name}: what an earlier download left does not hold; "
                    "starting over"
                )
                self._start_over(part)
                self._fill(part, named)
            if not part.is_right():
                part.path.unlink()
                raise parts.differs(named)
            part.finish(self._wanted.folder / named.name)

    def _fill(self, part: parts.Part, named: NamedFile) -> None:
        """Fetch what is missing, over as many connections as it takes."""
        path = f"{self._base}files/{named.name}"
        while part.position < named.size_bytes:
            try:
                with self._site.stream(
                    path,
                    start=part.position,
                    size=named.size_bytes,
                    sha256=named.sha256_cipher,
                ) as body:
                    if body.start != part.position:
                        self._progress.say(
                            f"{named.name}: the site gives it from its beginning alone"
                        )
                        self._start_over(part)
                    for piece in body.pieces():
                        part.write(piece)
                        self._patience.went_on()
                        self._progress.moved(len(piece))
            except Broken as error:
                self._patience.failed(error)

    def _start_over(self, part: parts.Part) -> None:
        self._progress.moved(-part.position)
        part.start_over()

    def _ask_why(self, named: NamedFile) -> None:
        """Let the site say in its own words why it gives nothing, if it does not."""

        def ask() -> None:
            with self._site.stream(
                f"{self._base}files/{named.name}",
                start=0,
                size=named.size_bytes,
                sha256=named.sha256_cipher,
            ):
                pass

        self._patience.insist(ask)

    def _delete_others(self, missing: Iterable[NamedFile]) -> None:
        for named in missing:
            for path in parts.others(self._wanted.folder, named):
                self._progress.say(
                    f"{named.name}: the release has changed since {path.name} was "
                    "begun; starting over"
                )
                path.unlink()

    def _delete_parts(self, named: Iterable[NamedFile]) -> None:
        for one in named:
            path = parts.path_of(self._wanted.folder, one)
            if path.exists():
                path.unlink()
                self._progress.say(f"{path.name}: deleted, it is void")

    def _open_all(self, manifest: Manifest) -> tuple[Path, ...]:
        """Open the files with the secret key, when asked for or to look inside."""
        secret_key, opened = self._wanted.secret_key, []
        if secret_key is None:
            return ()
        for named in manifest.files:
            source = self._wanted.folder / named.name
            check = partial(files.check, source, manifest, secret_key=secret_key)
            if not self._wanted.is_opened:
                check(sink=None)
                continue
            target = self._wanted.folder / named.name.removesuffix(_SEALED)
            if not parts.is_there(target, sha256=named.sha256_plain):
                with parts.opened_into(target) as plain:
                    check(sink=plain)
            opened.append(target)
        return tuple(opened)


def _content(manifest: Manifest) -> str:
    samples, records = len(manifest.commitments), manifest.body["records"]
    holds = f"It holds {samples:,} sample{'s' * (samples != 1)} and "
    if records:
        return f"{holds}{records:,} record{'s' * (records != 1)}."
    reason = emptiness.words(manifest.body.get("empty_because", []))
    return f"{holds}no record: {reason}."


def _names(named: Iterable[NamedFile], *, is_opened: bool) -> list[str]:
    """Return every name that is going to stand in the folder."""
    found = []
    for one in named:
        found.append(one.name)
        if is_opened:
            if not one.name.endswith(_SEALED):
                raise DoesNotHold(
                    f"the manifest names {words.shown(one.name[:200])!r}, which is not "
                    f"called as an encrypted file is (*{_SEALED})"
                )
            found.append(one.name.removesuffix(_SEALED))
    return found


def _check_room(folder: Path, missing: Iterable[NamedFile]) -> None:
    here = 0
    for named in missing:
        path = parts.path_of(folder, named)
        here += path.stat().st_size if path.exists() else 0
    need = sum(named.size_bytes for named in missing) - here
    free = shutil.disk_usage(folder).free
    if need > free:
        raise InputInvalid(
            f"the folder {folder} has room for {size(free)}, and {size(need)} are to "
            "come"
        )
