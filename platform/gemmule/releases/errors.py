"""What a caller of `gemmule.releases` can act on.

ReleasesError (a kind of AccountsError, so that pages and API answer it alike)
├── ReleaseStateError    the release is not in a state that allows this
├── DeliveryRefused      the gate refuses bytes; `code` and the next step say why
│   ├── NotYetOnLedger   sealed, but its entry is not under a checkpoint yet
│   └── ReleasesHeld     nothing is handed out until administrators lift a hold
├── HoldStands           a hold cannot be lifted like this; the message says why
├── RangeInvalid         the byte range cannot be satisfied
├── ErasureWaits         something still runs that holds the person; later it goes on
├── RebuildRefused       a release cannot be built as it was; `code` says why
└── BuildAbandoned       this build may not go on
    ├── LeaseLost        another worker holds the release now
    ├── ConsentMoved     an included donor's consent changed while it was built
    ├── SourceMoved      a store was rewritten without somebody while it was read
    ├── PartsUnusable    parts of a split build are lost, damaged or do not fit
    └── BuildImpossible  a person must act; `code` is stored with the release
        └── RowsDiffer   rows say something else than the ledger: an incident
"""

from collections.abc import Sequence
from typing import Final

from gemmule.accounts.errors import AccountsError


class ReleasesError(AccountsError):
    """Any refusal of this room."""


class ReleaseStateError(ReleasesError):
    """The release is not in a state that allows what was asked."""


class DeliveryRefused(ReleasesError):
    """The gate refuses to hand out bytes; `code` names the rule.

    `title` says in a line what happened; `release` is the accession of what was
    asked for, `successor` that of what takes its place, where there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str,
        title: str,
        release: str = "",
        successor: str = "",
    ) -> None:
        """Keep what a page or a program says beside the message."""
        super().__init__(message)
        self.code = code
        self.title = title
        self.release = release
        self.successor = successor


class NotYetOnLedger(DeliveryRefused):
    """No byte leaves before the release is under a signed checkpoint."""


class ReleasesHeld(DeliveryRefused):
    """Releases are held: by hand, or because the database is behind the ledger."""

    # For programs: two people have to read findings before anything changes.
    retry_after_s: Final = 3600


class HoldStands(ReleasesError):
    """The hold stays: the same person, other findings, or rows that are behind."""


class RangeInvalid(ReleasesError):
    """The byte range lies outside the file, whose size is `size_bytes`."""

    def __init__(self, message: str, *, size_bytes: int) -> None:
        """Keep the size, which the answer states."""
        super().__init__(message)
        self.size_bytes = size_bytes


class ErasureWaits(ReleasesError):
    """An erasure cannot go on yet; the periodic task looks again."""


class RebuildRefused(ReleasesError):
    """What a release was built from is no longer there as it was."""

    def __init__(self, message: str, *, code: str) -> None:
        """Keep the code that a program is told."""
        super().__init__(message)
        self.code = code


class BuildAbandoned(ReleasesError):
    """A build that may not go on."""


class LeaseLost(BuildAbandoned):
    """Another worker holds the release now."""


class ConsentMoved(BuildAbandoned):
    """An included donor's consent changed while the release was built."""


class SourceMoved(BuildAbandoned):
    """A store that the build read has been replaced by one without somebody."""


class PartsUnusable(BuildAbandoned):
    """The parts of a split build cannot be joined; they must be cut again."""


class BuildImpossible(BuildAbandoned):
    """The build cannot succeed until a person acts."""

    def __init__(self, message: str, *, code: str) -> None:
        """Keep the code that is stored with the failed release."""
        super().__init__(message)
        self.code = code


class RowsDiffer(BuildImpossible):
    """Rows that a release depends on differ from the ledger; nobody is named.

    `findings` say what differs, for those who audit; `essence` is equal for the same
    differences, so that they are reported once.
    """

    code = "rows-altered"

    def __init__(self, findings: Sequence[str], *, essence: str) -> None:
        """Keep what those who audit are told; the message is for the recipient."""
        super().__init__(
            "rows of the request, the dataset or the consents in the database differ "
            "from the ledger, so nothing was released. The IRB and the auditors were "
            "notified; ask for a new release once they have found the reason",
            code=self.code,
        )
        self.findings = tuple(findings)
        self.essence = essence
