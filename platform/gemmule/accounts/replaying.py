"""Take roles away again, from the ledger, that a restored database has given back."""

from datetime import datetime

import ledger.opened
from gemmule.accounts.models import RoleGrant, User
from ledger.inspection import Finding


def replay(*, now: datetime) -> list[Finding]:
    """Revoke what the ledger says was revoked; return what was done or is lost."""
    found: list[Finding] = []
    for some in ledger.opened.walk("role.revoked"):
        for each in some:
            if each.seq is None or RoleGrant.objects.filter(revoked_event=each.event):
                continue
            if each.body is None:
                what = (
                    f"{each.where}: the role {each.pub['role']} was revoked, and it is "
                    "unknown whose: find out and revoke it again"
                )
                found.append(Finding(code="role-lost", message=what))
                continue
            grants = RoleGrant.objects.active().filter(event=each.body["grant"])
            if grants.update(
                revoked_at=now,
                revoked_by=User.objects.filter(pk=each.body["revoked_by"]).first(),
                revoked_event=each.event,
            ):
                what = f"a grant of the role {each.pub['role']} was revoked again"
                found.append(Finding(code="replayed", message=f"{each.where}: {what}"))
    return found
