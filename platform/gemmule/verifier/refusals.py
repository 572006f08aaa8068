"""Turn an error of a check into what a person is told, and into an exit status."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gemmule.verifier import errors as own
from gemmule.verifier import words
from gemmule.verifier.errors import ActMissing, RecordRefused, VerifierError
from ledger import errors
from ledger.tlog.canonical import JSON

EXPECTED = (VerifierError, errors.LedgerError)

_RECEIPT: Mapping[type[Exception], str] = {
    errors.VerificationError: "This receipt does not hold",
    errors.ReceiptInvalid: "This is not a receipt, or it was changed",
    errors.NoteInvalid: "This receipt does not belong to a log of this policy",
    errors.CheckpointInvalid: "This receipt does not end at a checkpoint of this log",
    errors.QuorumNotMet: "Too few witnesses stand behind this receipt",
    errors.EntryInvalid: "This receipt is not of an entry of a ledger",
    errors.ProofInvalid: "This receipt's entry is not in the tree that was signed",
    errors.OpeningInvalid: "The opening does not fit this receipt",
}
_LEDGER: Mapping[type[Exception], str] = {
    errors.VerificationError: "The ledger does not hold",
    errors.NoteInvalid: "This ledger is not a log of this policy",
    errors.QuorumNotMet: "Too few witnesses stand behind this ledger",
    errors.TailMissing: "The ledger is shorter than it was signed to be",
    errors.RootMismatch: "The ledger's history was changed",
    errors.TileMismatch: "The ledger holds a false hash",
    errors.FileNotServed: "A part of the ledger is not there",
    errors.KeyUnannounced: "The ledger was signed by a key it does not announce",
}
_RECORD: Mapping[type[Exception], str] = {
    RecordRefused: "This record does not hold",
    ActMissing: "This record is not complete",
}
_RELEASE: Mapping[type[Exception], str] = {
    **_RECEIPT,
    own.ReleaseRefused: "This release does not hold",
    own.ManifestInvalid: "This is not a manifest, or it was changed",
    own.ManifestForged: "The manifest was changed: it is not what was signed",
    own.NotOnLedger: "The manifest is not the one on the ledger",
    own.FileRefused: "This is not the file that the manifest names",
    own.FileNotNamed: "This file is not in the manifest",
    own.FileMisnamed: "This file has the name of another",
    own.FileTruncated: "The file is too short",
    own.FileExtended: "The file is too long",
    own.FileChanged: "The file was changed",
    own.HeaderChanged: "The header of the file was changed",
    own.SegmentForged: "A part of the file was changed",
    own.SegmentsMoved: "The parts of the file are not in their order",
    own.PlaintextDiffers: "The file does not hold what the manifest names",
    own.KeyWrong: "This is not the key that the release was made for",
    own.DossierRefused: "The dossier does not bear the release out",
    own.DossierInvalid: "This is not the dossier of this release",
    own.DecisionDiffers: "The decision on the request is not the one on the ledger",
    own.PlaceNotOpened: "The dossier was changed: a donor's place does not open",
    own.ConsentNotShown: "The dossier does not show a consent that was relied on",
    own.ConsentTooLate: "A consent came too late to count",
    own.ConsentDenies: "Somebody is in the release who had not permitted it",
    own.DonorsDiffer: "The donors are not those of the ledger's entry",
    own.DonorLeftOut: "Somebody is missing in the release who had permitted it",
}
_WORDS = {
    "receipt": _RECEIPT,
    "ledger": _LEDGER,
    "donor-record": _RECORD,
    "release": _RELEASE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What did not hold (`ok` is False), or could not be checked (None)."""

    ok: Literal[False] | None
    error: str
    words: str

    def as_json(self) -> dict[str, JSON]:
        """Return it for machines."""
        return {"error": self.error, "message": self.words}


def of(subject: str, error: Exception) -> Refusal:
    """Return what to tell about an error of checking a subject."""
    table = _WORDS[subject]
    # The nearest class of the error's own that has words for it.
    told = next((table[each] for each in type(error).__mro__ if each in table), None)
    return Refusal(
        ok=None if told is None else False,
        error=type(error).__name__,
        words=words.shown(f"{told or 'Nothing could be checked'}: {error}"),
    )
