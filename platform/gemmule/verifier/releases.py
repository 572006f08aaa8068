"""Check a release: file, manifest and ledger, and with a dossier its donors."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gemmule.releases import emptiness
from gemmule.verifier import dossiers, files, manifests, receipts, words
from gemmule.verifier.columns import Columns
from gemmule.verifier.dossiers import Dossier, DossierHolds
from gemmule.verifier.errors import DonorsDiffer, NothingChecked
from gemmule.verifier.files import FileHolds
from gemmule.verifier.manifests import Manifest
from gemmule.verifier.receipts import ReceiptHolds
from ledger.tlog import canonical
from ledger.tlog.canonical import JSON
from ledger.tlog.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHolds:
    """What was found out about a release."""

    manifest: Manifest
    receipt: ReceiptHolds
    file: FileHolds | None
    dossier: DossierHolds | None

    def lines(self) -> list[str]:
        """Return what was found, in plain words."""
        said = self.manifest.body
        checked = self.receipt.checked
        size = checked.cosigned.checkpoint.size
        regions = said["regions"]
        return [
            "This release holds.",
            *self._file(),
            f"Its manifest is on the ledger: entry {checked.entry.seq} (of {size}, "
            "counted from 0).",
            *words.witnesses(checked.cosigned, self.receipt.witnesses),
            *self.receipt.bracket(),
            f"It holds {said['samples']} samples of dataset "
            f"{words.shown(said['dataset'])}, "
            + ("all regions" if regions is None else f"{len(regions)} regions")
            + f", {said['records']} records, for request "
            f"{words.shown(said['request'])} of project "
            f"{words.shown(said['project'])}:",
            *words.fields(said["purpose"]),
            *self._emptiness(),
            *self._donors(),
            "Whether it was revoked since is not in a manifest: ask the site.",
        ]

    def _emptiness(self) -> list[str]:
        body = self.manifest.body
        if body["records"]:
            return []
        reason = emptiness.words(body.get("empty_because", []))
        return [f"It holds no record, because {reason}."]

    def as_json(self) -> dict[str, JSON]:
        """Return what was found, for machines."""
        said, found = self.manifest.body, self.dossier
        named = None if self.file is None else self.file.named
        return {
            "release": self.manifest.release,
            "file": None if named is None else named.name,
            "role": None if named is None else named.role,
            "opened": self.file is not None and self.file.opened,
            "sha256_cipher": None if named is None else named.sha256_cipher,
            "sha256_plain": None if named is None else named.sha256_plain,
            "manifest_sha256": self.manifest.sha256,
            "manifest_key": self.manifest.key_id,
            "cohort_root": canonical.encode_base64(self.manifest.cohort_root),
            "samples": said["samples"],
            "records": said["records"],
            "empty_because": said.get("empty_because", []),
            "ledger_size": self.manifest.ledger_size,
            "entry": self.receipt.as_json(),
            "dossier": None
            if found is None
            else {
                "samples": list(found.samples),
                "left_out": found.left_out,
                "reasons": dict(found.reasons),
                "erased": found.erased,
                "chosen_size": found.chosen_size,
                "chosen_on": found.chosen_on.isoformat(),
                "resolved": found.resolved,
            },
        }

    def _file(self) -> Iterator[str]:
        release = words.shown(self.manifest.release)
        if self.file is None:
            yield (
                f"It is release {release}. No file of it was looked at: name one, to "
                "see whether it is what the manifest names."
            )
            return
        named = self.file.named
        yield (
            f"The file is {words.shown(named.name)} of release {release}, byte for "
            f"byte ({named.size_bytes} bytes, {named.segments} segments)."
        )
        if self.file.opened:
            yield (
                "It opens with this key, and what is inside has the digest that the "
                "manifest names."
            )
        else:
            yield (
                "What is inside was not looked at: the secret key (--secret-key FILE) "
                "opens it."
            )

    def _donors(self) -> Iterator[str]:
        found = self.dossier
        if found is None:
            yield (
                "Whether every donor in it had consented is not in a manifest: the "
                "IRB's dossier (--dossier FILE) shows it."
            )
            return
        rules = str(self.manifest.body["versions"].get("rules"))
        yield (
            f"The decision on each of the {len(found.samples)} samples was made again, "
            f"by rules {words.shown(rules)}: every consent is on "
            f"the ledger below entry {self.manifest.ledger_size} and covers this "
            "purpose."
        )
        if found.resolved:
            yield (
                f"{found.resolved} clauses needed a person: the IRB's signed approval "
                "resolved them."
            )
        yield (
            f"The samples in it are all that were permitted below entry "
            f"{found.chosen_size}, on {found.chosen_on.isoformat()}: "
            f"{found.left_out} donors of the dataset were left out."
        )
        for why, count in found.reasons.items():
            yield f"  {count}: {words.shown(why)}"
        if found.erased:
            yield (
                f"{found.erased} of all these donors were erased since: nothing of "
                "them can be shown any more."
            )


def check(
    path: Path | None,
    *,
    manifest: bytes,
    receipt: bytes | None,
    policy: Policy,
    secret_key: bytes | None,
    dossier: bytes | None,
) -> ReleaseHolds:
    """Check a release against everything that was given.

    The receipt may be left to the dossier, which holds one; without a path no file is
    looked at, as the board has none. Raises what stands under
    ReleaseRefused, NothingChecked, and the ledger's errors for receipt and checkpoint.
    """
    said = manifests.read(manifest)
    shown = None if dossier is None else dossiers.read(dossier)
    found = receipts.check(_receipt(receipt, shown), policy, opened=None)
    manifests.check_entry(said, found)
    columns = Columns() if shown is not None and secret_key is not None else None
    file = None
    if path is not None:
        file = files.check(path, said, secret_key=secret_key, sink=columns)
    held = None
    if shown is not None:
        entry = found.checked.entry
        held = dossiers.check(shown, policy, manifest=said, entry=entry)
        if columns is not None and file is not None and file.named.role == "variants":
            _check_columns(columns, held)
    return ReleaseHolds(manifest=said, receipt=found, file=file, dossier=held)


def _receipt(receipt: bytes | None, dossier: Dossier | None) -> bytes:
    if receipt is not None:
        return receipt
    if dossier is not None:
        return dossiers.receipt_of(dossier)
    raise NothingChecked(
        "without its receipt nobody can tell whether the manifest is on the ledger: "
        "get it where the manifest came from, and name it with --receipt FILE"
    )


def _check_columns(columns: Columns, held: DossierHolds) -> None:
    names = set(columns.names or ())
    if not set(held.samples) <= names or len(names) - len(held.samples) > held.erased:
        raise DonorsDiffer(
            f"the file holds {len(names)} samples, and they are not the "
            f"{len(held.samples)} of the dossier"
        )
