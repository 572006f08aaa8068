"""Write the log out as files that any institution can pull, mirror and verify.

The files are made from the rows, not from what was published before, and are checked on
the way as everybody checks them: rows that were changed do not become an export. What
is there already is kept, so exporting again writes what is new. Source of the layout:
C2SP tlog-tiles.
"""

from collections.abc import Iterator
from pathlib import Path

from ledger import copying, errors, policies
from ledger.copying import Copied
from ledger.models import Checkpoint, Entry
from ledger.tlog.policy import Policy
from ledger.tlog.tile import WIDTH


def export(folder: Path) -> Copied:
    """Let the files in the folder grow to the newest checkpoint.

    Raises EntryNotFound before the first checkpoint, and what `copying.extend` raises.
    """
    newest = Checkpoint.objects.order_by("-size").first()
    if newest is None:
        raise errors.EntryNotFound("no checkpoint covers any entry yet")
    return copying.extend(
        folder,
        signed=bytes(newest.note),
        policy=_policy_of(newest),
        bundles=bundles,
    )


def bundles(start: int, size: int) -> Iterator[list[bytes]]:
    """Yield the entries start..size-1 from the table, 256 at a time."""
    for at in range(start, size, WIDTH):
        end = min(at + WIDTH, size)
        rows = Entry.objects.filter(seq__gte=at, seq__lt=end).order_by("seq")
        found = dict(rows.values_list("seq", "data"))
        if len(found) != end - at:
            missing = next(seq for seq in range(at, end) if seq not in found)
            raise errors.SequenceBroken(
                f"entry {missing} is missing from the table", seq=missing
            )
        yield [bytes(data) for data in found.values()]


def _policy_of(newest: Checkpoint) -> Policy:
    """Return the policy that the checkpoint was published under.

    The one of the file may be newer: nothing has been published under it yet.
    """
    if newest.policy is None:
        return policies.current()
    return policies.parsed(newest.policy)
