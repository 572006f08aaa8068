"""Know which policy is in force: what the file says, and what the log has announced.

A policy says which witnesses must have cosigned a checkpoint before it is published.
The log announces each new one, so that nobody is shown weaker rules than others. Who
is asked, and when, is in `publishing`.
"""

from datetime import datetime

from django.conf import settings

from ledger import errors, keys
from ledger.models import PolicyVersion
from ledger.tlog.note import VerifierKey
from ledger.tlog.policy import Policy


def current() -> Policy:
    """Return the policy of the file; without one, the log's own keys and no witness.

    Raises PolicyInvalid when the file cannot be read, or names none of the keys that
    sign this log.
    """
    signers = keys.verifiers()
    policy = from_file()
    if policy is None:
        return _alone(signers)
    if not set(signers).intersection(policy.logs):
        labels = ", ".join(key.label for key in signers)
        raise errors.PolicyInvalid(
            f"the policy {settings.LEDGER_POLICY_FILE} must name the key that signs "
            f"this log, {labels}"
        )
    return policy


def from_file() -> Policy | None:
    """Return what the policy file says, if one is set."""
    path = settings.LEDGER_POLICY_FILE
    if path is None:
        return None
    try:
        return Policy.from_bytes(path.read_bytes())
    except OSError as error:
        raise errors.PolicyInvalid(f"cannot read the policy {path}: {error}") from error
    except errors.PolicyInvalid as error:
        raise errors.PolicyInvalid(f"{path}: {error}") from error


def names_witnesses() -> bool:
    """Tell whether somebody else must be asked before a checkpoint is published."""
    policy = from_file()
    return policy is not None and bool(policy.witnesses)


def announced() -> PolicyVersion | None:
    """Return the policy that the log announced last. One query."""
    return PolicyVersion.objects.order_by("-id").first()


def is_announced(policy: Policy) -> bool:
    """Tell whether the log announced this policy last. One query."""
    last = announced()
    return last is not None and last.sha256 == policy.sha256


def note_announced(policy: Policy, *, now: datetime) -> None:
    """Keep what the entry accepted in this transaction announces."""
    PolicyVersion.objects.create(
        sha256=policy.sha256,
        text=policy.text.encode("utf-8", "surrogateescape"),
        announced_at=now,
    )


def parsed(version: PolicyVersion) -> Policy:
    """Return the policy of a row."""
    return Policy.from_bytes(bytes(version.text))


def _alone(signers: tuple[VerifierKey, ...]) -> Policy:
    """Return the policy that believes the keys of the log and asks for no witness."""
    if len(signers) == 1:
        return Policy.single(signers[0])
    # While one key follows the other, who fetches the policy now believes both.
    lines = "".join(f"log {key.text}\n" for key in signers)
    return Policy.parse(f"{lines}quorum none\n")
