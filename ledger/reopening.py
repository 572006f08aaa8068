"""Make the rows of bodies again from their copies, each checked against its entry.

A part of `restoring`. A body is not restored unless it opens, with its vault key, to
what the entry commits to: otherwise its key was destroyed or the copy was changed.
"""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from ledger import bodies, commitments, copies, errors, vault
from ledger.copies import FolderCopies
from ledger.models import Body


class Bodies:
    """The bodies of entries start..end-1, and the rows made of them so far."""

    def __init__(self, folders: Iterable[Path], *, start: int, end: int) -> None:
        places = [*map(FolderCopies, folders), *copies.everywhere()]
        self._kept = bodies.find(places, start=start, end=end)
        self._keys = vault.open_keys(
            each.key_id for each in self._kept.values() if each.key_id is not None
        )
        self.rows: list[Body] = []
        self._taken = set(
            Body.objects.filter(
                key_id__in=list(self._keys), subject_seq__isnull=False
            ).values_list("key_id", "subject_seq")
        )

    def is_erased(self, seq: int) -> bool:
        """Tell whether the body of an entry was erased, and is not lost."""
        return seq in self._kept and self._kept[seq].sealed is None

    def restore(self, seq: int, commit: bytes) -> UUID | None:
        """Return the event of an entry whose body can be put back, else None."""
        kept = self._kept.get(seq)
        if kept is None or kept.event is None or kept.key_id is None:
            return None
        key, sealed = self._keys.get(kept.key_id), kept.sealed
        if key is None or sealed is None:
            return None
        place = (kept.key_id, kept.subject_seq)
        if kept.subject_seq is not None and place in self._taken:
            return None  # The subject has acted since the restore: two histories.
        try:
            data = commitments.open_body(key, kept.event, sealed)
            commitments.check_opening(
                commit, commitments.commitment_key(key, kept.event), data
            )
        except (errors.VaultSealBroken, errors.OpeningInvalid):
            return None
        self._taken.add(place)
        self.rows.append(
            Body(
                event=kept.event,
                key_id=kept.key_id,
                subject_seq=kept.subject_seq,
                commit=commit,
                sealed=sealed,
            )
        )
        return kept.event
