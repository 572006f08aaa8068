"""Revoke again, from the ledger, roles that are active in a restored database."""

from datetime import datetime

import ledger.opened
from gemmule.accounts.models import RoleGrant, User
from ledger.inspection import Finding


def replay(*, now: datetime) -> list[Finding]:
    """Revoke the roles that the ledger revoked; return what was done and is lost."""
    findings: list[Finding] = []
    for entry in ledger.opened.walk_log("role.revoked"):
        if RoleGrant.objects.filter(revoked_event=entry.event):
            continue
        role = entry.pub["role"]
        if entry.body is None:
            message = (
                f"{entry.where}: the role {role} was revoked, and it is unknown whose: "
                "find out and revoke it again"
            )
            findings.append(Finding(code="role-lost", message=message))
            continue
        grants = RoleGrant.objects.active().filter(event=entry.body["grant"])
        if grants.update(
            revoked_at=now,
            revoked_by=User.objects.filter(pk=entry.body["revoked_by"]).first(),
            revoked_event=entry.event,
        ):
            message = f"{entry.where}: a grant of the role {role} was revoked again"
            findings.append(Finding(code="replayed", message=message))
    return findings
