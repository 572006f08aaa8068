"""Errors of the ledger, one class for each reason a caller can act on.

LedgerError
├── EventTypeUnknown        the type is not in the closed list
├── PubInvalid              a public key or value is not on the allow-list
├── BodyInvalid             the body cannot be written as canonical JSON
├── EventReused             one event id, two different events
├── EntryNotFound           no entry has this event id
├── SubjectUnknown          no vault key for this subject, or it was destroyed
├── KeyFileInvalid          a key file is missing or is not what it should be
├── VaultSealBroken         a wrapped key or a body does not open with its key
├── NotaryRefused           the tree does not extend what the notary signed
│   └── NotaryStateLost     the notary has a key but no memory of what it signed
└── VerificationError       what was checked is not what it claims to be
    ├── EntryInvalid        bytes that are not one canonical entry
    ├── NoteInvalid         bytes that are not a signed note of this key
    ├── CheckpointInvalid   a note text that is not a checkpoint
    ├── ProofInvalid        an inclusion or consistency proof that does not hold
    ├── OpeningInvalid      a body that is not what the entry commits to
    └── ReplayError         a whole log that does not hold together
        ├── EntryMalformed  bytes in the log that are not an entry
        ├── SequenceBroken  a gap, a repetition or another order of entries
        ├── LinkBroken      an entry that does not follow from the one before it
        ├── TimeWentBack    an entry older than the one before it
        ├── RootMismatch    the entries do not give the signed root
        └── TailMissing     fewer entries than the checkpoint covers
"""


class LedgerError(Exception):
    """Anything the ledger refuses."""


class EventTypeUnknown(LedgerError):
    """The event type is not in the closed list."""


class PubInvalid(LedgerError):
    """The public part holds a key or a value that its event type does not allow."""


class BodyInvalid(LedgerError):
    """The body cannot be written as canonical JSON."""


class EventReused(LedgerError):
    """The event id already stands for another event."""


class EntryNotFound(LedgerError):
    """No entry, pending or sequenced, has this event id."""


class SubjectUnknown(LedgerError):
    """The subject has no key in the vault, or no longer."""


class KeyFileInvalid(LedgerError):
    """A key file is missing, or does not hold the key it should."""


class VaultSealBroken(LedgerError):
    """A wrapped key or an encrypted body does not open: altered, or another key."""


class NotaryRefused(LedgerError):
    """The tree to be signed does not extend the one that was signed last."""


class NotaryStateLost(NotaryRefused):
    """The notary no longer knows what it signed, so it signs nothing."""


class VerificationError(LedgerError):
    """What was checked is not what it claims to be."""


class EntryInvalid(VerificationError):
    """The bytes are not one canonical entry."""


class NoteInvalid(VerificationError):
    """The bytes are not a note signed by the expected key."""


class CheckpointInvalid(VerificationError):
    """The text is not a checkpoint of this log."""


class ProofInvalid(VerificationError):
    """The proof does not lead to the root."""


class OpeningInvalid(VerificationError):
    """The body is not the one the entry commits to."""


class ReplayError(VerificationError):
    """The log does not hold together; `seq` says where."""

    def __init__(self, message: str, *, seq: int) -> None:
        super().__init__(message)
        self.seq = seq


class EntryMalformed(ReplayError):
    """What stands at a place of the log is not one canonical entry."""


class SequenceBroken(ReplayError):
    """An entry stands where another one belongs."""


class LinkBroken(ReplayError):
    """`prev` is not the leaf hash of the entry before."""


class TimeWentBack(ReplayError):
    """An entry claims to be older than the entry before it."""


class RootMismatch(ReplayError):
    """The entries do not hash to the root of the checkpoint."""


class TailMissing(ReplayError):
    """The checkpoint covers entries that are not there."""
