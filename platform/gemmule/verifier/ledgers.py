"""Check a whole ledger in a folder or at an address, and that it only ever grew.

The work is done by `ledger.served`; here is what an auditor is told about it.
"""

from dataclasses import dataclass

from gemmule.verifier import words
from gemmule.verifier.errors import NothingChecked
from ledger import served
from ledger.errors import VerificationError
from ledger.served import Served
from ledger.sources import Source
from ledger.tlog import canonical
from ledger.tlog.canonical import JSON
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHolds:
    """What was found out about a ledger, and from where."""

    place: str
    served: Served
    policy: Policy
    since: Checkpoint | None

    def lines(self) -> list[str]:
        """Return what was found, in plain words."""
        signed = self.served.cosigned.checkpoint
        return [
            "The ledger holds." if self.served.replay else "The ledger's tree holds.",
            f"It is the log {words.shown(signed.origin)} at {words.shown(self.place)}, "
            f"of {signed.size} entries, with the root "
            f"{canonical.encode_base64(signed.root)}.",
            *words.witnesses(self.served.cosigned, len(self.policy.witnesses)),
            *self._entries(),
            *self._announced(),
            *self._since(),
        ]

    def as_json(self) -> dict[str, JSON]:
        """Return what was found, for machines."""
        signed, replay = self.served.cosigned.checkpoint, self.served.replay
        first = None if replay is None else replay.first_time
        last = None if replay is None else replay.last_time
        return {
            "origin": signed.origin,
            "size": signed.size,
            "root": canonical.encode_base64(signed.root),
            "entries_read": replay is not None,
            "first_time": None if first is None else words.iso(first),
            "last_time": None if last is None else words.iso(last),
            "policy_announced": self._is_announced(),
            "since": None if self.since is None else self.since.size,
            **words.witnesses_json(self.served.cosigned),
        }

    def _entries(self) -> list[str]:
        replay = self.served.replay
        if replay is None:
            return [
                "The entries were NOT read: the place shows them only to those it "
                "knows (--token-file FILE).",
                "So it is known that the hashes of the entries give the signed root, "
                "and not what the entries are, nor that each follows the one before.",
            ]
        if replay.first_time is None or replay.last_time is None:
            return ["There is no entry yet."]
        return [
            "Every entry was read: each is written as it must be, follows the one "
            "before, and is not older than it; all hash tiles are theirs.",
            f"The first is dated {words.moment(replay.first_time)}, the last "
            f"{words.moment(replay.last_time)}.",
        ]

    def _announced(self) -> list[str]:
        match self._is_announced():
            case True:
                return ["The policy is the one that the log announced last."]
            case False:
                return [
                    "The log has announced another policy than the one used here: ask "
                    "its operators for theirs, and compare."
                ]
            case None:
                return []

    def _is_announced(self) -> bool | None:
        """Tell whether the log's last announced policy is ours; None if unknown."""
        replay = self.served.replay
        if replay is None or replay.policy_sha256 is None:
            return None
        return replay.policy_sha256 == self.policy.sha256

    def _since(self) -> list[str]:
        if self.since is None:
            return []
        return [
            f"The checkpoint from before, of {self.since.size} entries, is the "
            "beginning of this log: nothing before it was changed."
        ]


def check(source: Source, policy: Policy, *, since: bytes | None) -> LedgerHolds:
    """Check the ledger of a source; `since` is a checkpoint kept from before.

    Raises what `served.check` raises, and NothingChecked when `since` is no
    checkpoint that a log of the policy signed.
    """
    kept = None
    if since is not None:
        try:
            kept = served.open_kept(since, policy)
        except VerificationError as error:
            raise NothingChecked(
                f"the checkpoint from before is not of a log of this policy: {error}"
            ) from error
    return LedgerHolds(
        place=source.place,
        served=served.check(source, policy, since=kept),
        policy=policy,
        since=kept,
    )
