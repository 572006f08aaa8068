"""Errors of the ledger, one class for each reason a caller can act on.

LedgerError
├── EventTypeUnknown        the type is not in the closed list
├── PubInvalid              a public key or value is not on the allow-list
├── BodyInvalid             the body cannot be written as canonical JSON
├── EventReused             one event id, two different events
├── EntryNotFound           no entry has this event id
├── SubjectUnknown          no vault key for this subject, or it was destroyed
├── KeyFileInvalid          a key file is missing or is not what it should be
├── PolicyInvalid           a text that is not a policy of logs and witnesses
├── VaultSealBroken         a wrapped key or a body does not open with its key
├── NotaryRefused           the tree does not extend what was signed last
│   ├── OldSizeStale        the proof starts at another size than was signed last
│   ├── RootForked          another root for the size that was signed last
│   ├── HistoryRewritten    the proof from what was signed last does not hold
│   └── NotaryStateLost     there is a key, but no memory of what it signed
├── NotaryUnreachable       the notary's own process does not answer
├── TileConflict            a full tile on disk is another one than the entries give
├── RotationRefused         a step of a key rotation out of turn
├── SubmissionInvalid       bytes that do not submit a checkpoint to be signed
├── LogUnknown              a checkpoint of a log that the witness does not follow
├── LogUntrusted            a checkpoint not signed by a key the witness trusts
├── WitnessFolderInvalid    a folder that is not, or already is, of a witness or notary
├── WitnessRefused          a witness answered without its cosignature
├── WitnessUnreachable      a witness did not answer in time, or not in HTTP
├── RestoreRefused          the tables cannot be gone on with from these files
├── SourceInvalid           no address, folder or token that a log is read with
├── SourceUnreachable       the place where a log is kept does not answer as it should
├── SourceForbidden         the place gives a file only to those it knows
└── VerificationError       what was checked is not what it claims to be
    ├── EntryInvalid        bytes that are not one canonical entry
    ├── NoteInvalid         bytes that are not a signed note of this key
    ├── CheckpointInvalid   a note text that is not a checkpoint
    │   └── QuorumNotMet    too few witnesses of the policy cosigned it
    ├── TileInvalid         a tile or bundle of another length, or a path of none
    ├── ReceiptInvalid      bytes that are not a receipt, or one of another entry
    ├── ProofInvalid        an inclusion or consistency proof that does not hold
    ├── OpeningInvalid      a body that is not what the entry commits to
    ├── LogForked           a signed checkpoint that contradicts the one held
    ├── LogBehind           an older checkpoint than the one held
    ├── CopyDamaged         a copy of a log that does not hold by itself
    ├── FileNotServed       a file that the checkpoint calls for is not there
    ├── FileTooLong         a file longer than any of its kind
    └── ReplayError         a whole log that does not hold together
        ├── EntryMalformed  bytes in the log that are not an entry
        ├── SequenceBroken  a gap, a repetition or another order of entries
        ├── LinkBroken      an entry that does not follow from the one before it
        ├── TimeWentBack    an entry older than the one before it
        ├── KeyUnannounced  signed by a key that the log does not announce
        ├── TileMismatch    a hash tile that is not that of the entries
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


class PolicyInvalid(LedgerError):
    """The text does not say which logs and witnesses to believe."""


class VaultSealBroken(LedgerError):
    """A wrapped key or an encrypted body does not open: altered, or another key."""


class NotaryRefused(LedgerError):
    """The tree to be signed does not extend the one that was signed last."""


class OldSizeStale(NotaryRefused):
    """The proof starts elsewhere; `size` is that of the tree signed last."""

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class RootForked(NotaryRefused):
    """Two trees of the same `size`: the log shows two histories."""

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class HistoryRewritten(NotaryRefused):
    """The proof from the tree signed last to the new one does not hold."""


class NotaryStateLost(NotaryRefused):
    """It is no longer known what was signed, so nothing is."""


class NotaryUnreachable(LedgerError):
    """The process that signs checkpoints does not answer."""


class TileConflict(LedgerError):
    """A full tile on disk holds something else than is to be written."""


class RotationRefused(LedgerError):
    """This step of a key rotation cannot be taken now; the message says what can."""


class SubmissionInvalid(LedgerError):
    """The bytes do not submit a checkpoint in the form of tlog-witness."""


class LogUnknown(LedgerError):
    """The checkpoint is of a log that this witness does not follow."""


class LogUntrusted(LedgerError):
    """No key that this witness trusts for the log signed the checkpoint."""


class WitnessFolderInvalid(LedgerError):
    """The folder is not that of a witness or notary, or already is one."""


class WitnessRefused(LedgerError):
    """The witness answered with `status`; `size` is what it saw last, if it says."""

    def __init__(self, message: str, *, status: int, size: int | None) -> None:
        super().__init__(message)
        self.status = status
        self.size = size


class WitnessUnreachable(LedgerError):
    """The witness did not answer in time, or not in HTTP."""


class RestoreRefused(LedgerError):
    """What the tables hold is not what the files begin with, or is more than it."""


class SourceInvalid(LedgerError):
    """It is no address, folder or token that a log can be read with."""


class SourceUnreachable(LedgerError):
    """The place where a log is kept does not answer, or not as it should."""


class SourceForbidden(LedgerError):
    """The place gives the file only to those it knows."""


class VerificationError(LedgerError):
    """What was checked is not what it claims to be."""


class EntryInvalid(VerificationError):
    """The bytes are not one canonical entry."""


class NoteInvalid(VerificationError):
    """The bytes are not a note signed by the expected key."""


class CheckpointInvalid(VerificationError):
    """The text is not a checkpoint of this log."""


class QuorumNotMet(CheckpointInvalid):
    """Fewer witnesses cosigned the checkpoint than the policy asks for."""


class TileInvalid(VerificationError):
    """A tile or an entry bundle is not what its path says, or the path is of none."""


class ReceiptInvalid(VerificationError):
    """The bytes are not a receipt, or it is put together from two."""


class ProofInvalid(VerificationError):
    """The proof does not lead to the root."""


class OpeningInvalid(VerificationError):
    """The body is not the one the entry commits to."""


class LogForked(VerificationError):
    """A signed checkpoint contradicts the one held: the log shows two histories."""


class LogBehind(VerificationError):
    """The checkpoint is older than the one held: a log never gets shorter."""


class CopyDamaged(VerificationError):
    """What is wrong is wrong with our own copy of the log."""


class FileNotServed(VerificationError):
    """A file is not there, although the checkpoint calls for it."""


class FileTooLong(VerificationError):
    """A file has more bytes than any file of its kind."""


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


class KeyUnannounced(ReplayError):
    """The key that signed is not one the log announces, or one it has retired."""


class TileMismatch(ReplayError):
    """A hash tile does not hold the hashes of the entries below it."""


class RootMismatch(ReplayError):
    """The entries do not hash to the root of the checkpoint."""


class TailMissing(ReplayError):
    """The checkpoint covers entries that are not there."""
