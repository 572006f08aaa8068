"""Ask the witnesses of a policy side by side for their cosignatures. No Django.

How one is asked is `cosigning`. Proofs are made in the thread of the caller, who may
read them from a database.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime

from ledger import cosigning, errors
from ledger.tlog import cosignature, note
from ledger.tlog.policy import Policy, Witness

# A witness answers within milliseconds. One that is cut off from us must not hold up
# each publication, so the others are waited for only a little once there are enough.
TIMEOUT_S = 4.0
GRACE_S = 0.25

# From the size that a witness cosigned last to the checkpoint.
Prove = Callable[[int], Sequence[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What became of asking one witness: its signature line, or why there is none.

    `size` is what it is known to have cosigned last, None where nothing new is known.
    """

    witness: Witness
    line: str | None = None
    time: datetime | None = None
    size: int | None = None
    failure: str = ""
    # It has seen another history than the one it was shown; not a network failure.
    contradicts: bool = False


def gather(
    policy: Policy,
    signed: bytes,
    *,
    size: int,
    known: Mapping[str, int],
    prove: Prove,
    timeout_s: float = TIMEOUT_S,
    grace_s: float = GRACE_S,
) -> list[Answer]:
    """Return the answers of the witnesses of the policy, in its order.

    `signed` is the note on the checkpoint of `size` entries, `known` the size each key
    (its text) cosigned last. Who is further behind or ahead than that says so, and is
    asked once more. Ends when all have answered, shortly after there are enough, or
    when the time is up.
    """
    return _Round(policy, signed, size, prove, timeout_s, grace_s).run(known)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A question under way: to whom, from which size, and whether for a second time."""

    witness: Witness
    old_size: int
    is_again: bool


class _Round:
    def __init__(
        self,
        policy: Policy,
        signed: bytes,
        size: int,
        prove: Prove,
        timeout_s: float,
        grace_s: float,
    ) -> None:
        self._policy = policy
        self._signed = signed
        self._size = size
        self._prove = prove
        self._timeout_s = timeout_s
        self._grace_s = grace_s
        self._answers: dict[str, Answer] = {}
        self._asked: dict[Future[str], _Asked] = {}
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(policy.witnesses)))

    def run(self, known: Mapping[str, int]) -> list[Answer]:
        try:
            for witness in self._policy.witnesses:
                self._ask(witness, known.get(witness.key.text, 0), is_again=False)
            self._listen()
        finally:
            # Whoever is cut off from us is left to its own timeout.
            self._pool.shutdown(wait=False, cancel_futures=True)
        for asked in self._asked.values():
            self._refused(asked.witness, "it did not answer in time")
        return [self._answers[each.name] for each in self._policy.witnesses]

    def _listen(self) -> None:
        # For both attempts together.
        deadline = time.monotonic() + 2 * self._timeout_s
        while self._asked and (left := deadline - time.monotonic()) > 0:
            done, _ = wait(self._asked, timeout=left, return_when=FIRST_COMPLETED)
            for each in done:
                self._take(each)
            cosigned = [name for name, each in self._answers.items() if each.line]
            if self._policy.is_met(cosigned):
                deadline = min(deadline, time.monotonic() + self._grace_s)

    def _ask(self, witness: Witness, old_size: int, *, is_again: bool) -> None:
        if witness.url is None:
            self._refused(witness, "the policy names no address of it")
            return
        if old_size > self._size:
            self._refused(
                witness,
                f"it cosigned {old_size} entries, this log has {self._size}: the log "
                "was cut back, or another one goes by its name",
                size=old_size,
                contradicts=True,
            )
            return
        under_way = self._pool.submit(
            cosigning.cosign,
            witness.url,
            witness.key,
            old_size=old_size,
            proof=self._prove(old_size),
            note=self._signed,
            timeout_s=self._timeout_s,
        )
        self._asked[under_way] = _Asked(
            witness=witness, old_size=old_size, is_again=is_again
        )

    def _take(self, done: Future[str]) -> None:
        asked = self._asked.pop(done)
        try:
            line = done.result()
        except errors.WitnessUnreachable as error:
            self._refused(asked.witness, str(error))
        except errors.WitnessRefused as error:
            is_elsewhere = error.size is not None and error.size != asked.old_size
            if is_elsewhere and not asked.is_again:
                self._ask(asked.witness, error.size or 0, is_again=True)
            else:
                is_fork = error.status == 422 or error.size == asked.old_size
                self._refused(
                    asked.witness, str(error), size=error.size, contradicts=is_fork
                )
        else:
            self._cosigned(asked.witness, line)

    def _cosigned(self, witness: Witness, line: str) -> None:
        signature = note.parse_signature(line.removesuffix("\n"))
        text = note.parse(self._signed).text
        seconds = cosignature.verify(signature, text, witness.key)
        try:
            when = datetime.fromtimestamp(seconds, UTC)
        except (ValueError, OverflowError, OSError):
            self._refused(witness, "it cosigned at a time of no year")
            return
        self._answers[witness.name] = Answer(
            witness=witness, line=line, time=when, size=self._size
        )

    def _refused(
        self,
        witness: Witness,
        why: str,
        *,
        size: int | None = None,
        contradicts: bool = False,
    ) -> None:
        self._answers[witness.name] = Answer(
            witness=witness, size=size, failure=why, contradicts=contradicts
        )
