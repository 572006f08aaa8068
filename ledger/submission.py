"""Write and read the body of `add-checkpoint`: a proof, then what it leads to.

Whether the proof holds and who signed is left to `memory` and `cosigner`.
Source: C2SP tlog-witness (https://c2sp.org/tlog-witness), "add-checkpoint".

    old 20852014
    PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=

    example.com/log
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/log Az3grlgtzPICa5OS8npVmf1Myq...
"""

import re
from dataclasses import dataclass

from ledger import errors
from ledger.tlog import canonical, hashing

# tlog-witness: "The client MUST NOT send more than 63 consistency proof lines."
MAX_PROOF = 63

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """The size signed last, the proof from there, and the checkpoint.

    A witness is sent a signed note; a notary, which is to sign it, the text alone.
    """

    old_size: int
    consistency: tuple[bytes, ...]
    checkpoint: bytes

    def encode(self) -> bytes:
        """Return the body of the request."""
        lines = [
            f"old {self.old_size}",
            *map(canonical.encode_base64, self.consistency),
        ]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint


def parse(body: bytes) -> Submission:
    """Return what was submitted; raise SubmissionInvalid unless the form is exact."""
    head, gap, rest = body.partition(b"\n\n")
    if not gap:
        raise errors.SubmissionInvalid("an empty line stands before the checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise errors.SubmissionInvalid(
            f"what stands before the checkpoint must be ASCII: {error}"
        ) from error
    old = _OLD.fullmatch(first)
    if old is None:
        raise errors.SubmissionInvalid("the first line must be: old SIZE")
    old_size = int(old[1])
    if len(lines) > MAX_PROOF:
        raise errors.SubmissionInvalid(
            f"a proof has at most {MAX_PROOF} lines, {len(lines)} came"
        )
    if lines and not old_size:
        raise errors.SubmissionInvalid("a proof from size 0 is empty")
    return Submission(
        old_size=old_size,
        consistency=tuple(map(_hash, lines)),
        checkpoint=rest,
    )


def _hash(line: str) -> bytes:
    try:
        found = canonical.decode_base64(line)
    except ValueError as error:
        raise errors.SubmissionInvalid(f"a line of the proof is {error}") from error
    if len(found) != hashing.HASH_BYTES:
        raise errors.SubmissionInvalid(
            f"a line of the proof has {hashing.HASH_BYTES} bytes, not {len(found)}"
        )
    return found
