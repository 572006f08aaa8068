"""Errors of the verifier; what does not hold in the ledger's own terms is ledger's.

VerifierError
├── NothingChecked      an input that cannot be read: nothing can be said about it
├── RecordRefused       a donor record that is not one, or does not hold
│   └── ActMissing      acts of the donor that the record leaves out
└── ReleaseRefused      a release that does not hold
    ├── ManifestInvalid     not a manifest, or not as it was written
    │   └── ManifestForged  its signature is not over what it says
    ├── NotOnLedger         the receipt is not that of this manifest
    ├── FileRefused         the file is not what the manifest names
    │   ├── FileNotNamed    no file of the manifest is meant
    │   ├── FileMisnamed    it is another file of the release
    │   ├── FileTruncated   its end is missing
    │   ├── FileExtended    something was added to it
    │   ├── FileChanged     bytes were changed, nobody can say where
    │   ├── HeaderChanged   its header gives another data key, or to somebody else
    │   ├── SegmentForged   a segment was changed, or comes from another file
    │   ├── SegmentsMoved   its segments stand in another order, or twice
    │   └── PlaintextDiffers    what is inside is not what the manifest names
    ├── KeyWrong            the secret key is not the one the release was made for
    └── DossierRefused      the dossier does not bear the release out
        ├── DossierInvalid      not a dossier, or of another release
        ├── DecisionDiffers     the IRB's decision is not the one on the ledger
        ├── PlaceNotOpened      an opening does not fit its donor's commitment
        ├── ConsentNotShown     a consent's entry or opening does not hold
        ├── ConsentTooLate      a consent came after the ledger size cited
        ├── ConsentDenies       somebody in the release had not permitted it
        ├── DonorsDiffer        the donors are not those of the ledger's entry
        └── DonorLeftOut        somebody who permitted it is not in the release
"""


class VerifierError(Exception):
    """Anything the verifier refuses by itself."""


class NothingChecked(VerifierError):
    """An input cannot be read, so that nothing can be said about it."""


class RecordRefused(VerifierError):
    """The file is not a donor record, or its acts do not hold together."""


class ActMissing(RecordRefused):
    """Acts are missing between those of the record."""


class ReleaseRefused(VerifierError):
    """The release does not hold."""


class ManifestInvalid(ReleaseRefused):
    """The file is not a manifest, or not in the one form that it has."""


class ManifestForged(ManifestInvalid):
    """The signature is not over what the manifest says."""


class NotOnLedger(ReleaseRefused):
    """The receipt is of another entry than the one of this manifest."""


class FileRefused(ReleaseRefused):
    """The file is not the one that the manifest names."""


class FileNotNamed(FileRefused):
    """No file of the manifest has this name, these bytes, or this size."""


class FileMisnamed(FileRefused):
    """The file is one of the release, under the name of another one of it."""


class FileTruncated(FileRefused):
    """The file ends before it should."""


class FileExtended(FileRefused):
    """The file goes on after it should end."""


class FileChanged(FileRefused):
    """The file has its size and not its bytes."""


class HeaderChanged(FileRefused):
    """The header does not give the data key of this file to this recipient."""


class SegmentForged(FileRefused):
    """A segment does not open under the data key of the file."""


class SegmentsMoved(FileRefused):
    """All segments open, and are not those of the file in their order."""


class PlaintextDiffers(FileRefused):
    """What is inside is not what the manifest names."""


class KeyWrong(ReleaseRefused):
    """The secret key is not the one for which the release was made."""


class DossierRefused(ReleaseRefused):
    """The dossier does not bear the release out."""


class DossierInvalid(DossierRefused):
    """The file is not a dossier, or one of another release."""


class DecisionDiffers(DossierRefused):
    """What was asked, or what the IRB decided, is not what the ledger says."""


class PlaceNotOpened(DossierRefused):
    """An opening does not fit the commitment that it should open."""


class ConsentNotShown(DossierRefused):
    """The entry of a consent is not on the ledger, or does not say what is shown."""


class ConsentTooLate(DossierRefused):
    """A consent came after the ledger size that the release cites."""


class ConsentDenies(DossierRefused):
    """The consent of somebody in the release does not cover its purpose."""


class DonorsDiffer(DossierRefused):
    """The donors of the dossier are not those that the ledger's entry stands for."""


class DonorLeftOut(DossierRefused):
    """Somebody whose consent covers the purpose is not in the release."""
