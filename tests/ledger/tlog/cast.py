"""The keys of a log and of witnesses, a policy that names them, a cosigned note."""

import hashlib

from ledger.tlog import checkpoint, cosignature, note
from ledger.tlog.checkpoint import Checkpoint
from ledger.tlog.note import SignerKey

LOG = SignerKey(name="example.com/log", seed=bytes(range(32)))
HEAD = Checkpoint(origin=LOG.name, size=20852163, root=bytes(range(32)))
SIGNED = checkpoint.sign(HEAD, LOG)
TIME = 1679315147


def witness_key(number: int) -> SignerKey:
    return SignerKey(
        name=f"witness{number}.example.com",
        seed=hashlib.sha256(b"%d" % number).digest(),
        algorithm=note.COSIGNATURE,
    )


KEYS = {name: witness_key(at) for at, name in enumerate(["X1", "X2", "X3", "Y1", "Y2"])}
WITNESSES = "".join(
    f"witness {name} {key.verifier.text}\n" for name, key in KEYS.items()
)
LOG_LINE = f"log {LOG.verifier.text}\n"
# The example of the specification, with one witness less.
EXAMPLE = f"""\
# Two organizations: from each, somebody must have looked.
{LOG_LINE}
{WITNESSES}
group X-witnesses 2 X1 X2 X3
group Y-witnesses any Y1 Y2
group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def cosigned(*names: str, time: int = TIME) -> bytes:
    lines = [cosignature.cosign(HEAD.text, KEYS[name], time=time) for name in names]
    return SIGNED + "".join(lines).encode()
