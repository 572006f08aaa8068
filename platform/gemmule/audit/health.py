"""Say how the ledger is: what waits, whether its tiles fit, what was found last.

Reads only; the replay of the whole is a task (`gemmule.audit.tasks`).
"""

from dataclasses import dataclass

from django.conf import settings

import ledger.recent
import ledger.rollback
import ledger.selectors
import ledger.verifications
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.models import User
from gemmule.accounts.permissions import check_role
from gemmule.releases import holds
from gemmule.releases.errors import RowsDiffer
from gemmule.releases.hold import Hold
from gemmule.releases.models import Release
from ledger import policies
from ledger.errors import LedgerError, VerificationError
from ledger.recent import Backlog
from ledger.rollback import Contradiction
from ledger.selectors import CheckpointView, WitnessView
from ledger.tiles import TileStore
from ledger.tlog import proof
from ledger.tlog.hashing import LeafHash
from ledger.tlog.tile import TileTree
from ledger.verifications import Outcome

_STOPPED_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the ledger at one moment."""

    latest: CheckpointView | None
    backlog: Backlog
    witnesses: list[WitnessView]
    # Why the tiles do not give the last checkpoint; empty when they do.
    tiles_problem: str
    # Why releases are held, and who contradicts the rows; empty when nobody does.
    holds: list[Hold]
    contradictions: tuple[Contradiction, ...]
    verified: Outcome | None
    awaited: Outcome | None
    # Releases that were not built because rows differ from the ledger, newest first.
    stopped: list[Release]


def health(user: User) -> Health:
    """Return the ledger's health, for the IRB and auditors."""
    check_role(user, *READER_ROLES)
    latest = ledger.selectors.latest_checkpoint()
    return Health(
        latest=latest,
        backlog=ledger.recent.backlog(),
        witnesses=ledger.selectors.witnesses(),
        tiles_problem=_tiles_problem(latest) if latest else "",
        holds=list(holds.open_holds()),
        contradictions=ledger.rollback.check(),
        verified=ledger.verifications.last(),
        awaited=ledger.verifications.awaited(),
        stopped=list(
            Release.objects.filter(failure_code=RowsDiffer.code)
            .select_related("request")
            .order_by("-closed_at")[:_STOPPED_SHOWN]
        ),
    )


def _tiles_problem(latest: CheckpointView) -> str:
    """Return why the published files are not those of the checkpoint; "" if they are.

    The path of the newest entry leads over the right edge of the tree, where a crash
    would have left a gap: a dozen tiles at most, however long the log.
    """
    store = TileStore(settings.LEDGER_PUBLIC_DIR)
    shown = store.read_checkpoint()
    if shown != latest.note.encode() and not _follows(shown, latest):
        return "the checkpoint among them is not the last one"
    tree, newest = TileTree(latest.size, store.read), latest.size - 1
    try:
        proof.verify_inclusion(
            index=newest,
            size=latest.size,
            leaf=LeafHash(tree(0, newest)),
            proof=proof.inclusion_proof(newest, latest.size, tree),
            root=latest.root,
        )
    except VerificationError as error:
        return str(error)
    return ""


def _follows(shown: bytes | None, latest: CheckpointView) -> bool:
    """Tell whether a newer checkpoint is in place: its file comes before its row."""
    try:
        cosigned = policies.current().check(shown or b"")
    except LedgerError:
        return False
    return cosigned.checkpoint.size > latest.size
