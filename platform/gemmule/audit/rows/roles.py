"""Hold the roles that people have against the grants on the ledger.

Who makes herself a reviewer in the database has a row that no entry knows.
"""

from collections.abc import Iterator

import ledger.opened
from gemmule.accounts.models import Role, RoleGrant
from gemmule.audit.rows.finding import found
from ledger.inspection import Finding


def findings() -> Iterator[Finding]:
    """Yield what the rows of grants say otherwise than the ledger."""
    for some in ledger.opened.walk("role.granted"):
        rows = RoleGrant.objects.in_bulk(
            [each.event for each in some], field_name="event"
        )
        for each in some:
            row = rows.get(each.event)
            if row is None:
                yield found(each, "role-row-missing", "the grant was deleted")
            elif row.role != each.pub.get("role") or (
                each.body is not None and each.body.get("user") != row.user_id
            ):
                yield found(each, "role-row", "it grants another role, or to another")
    for some in ledger.opened.walk("role.revoked"):
        revoked = RoleGrant.objects.in_bulk(
            [each.event for each in some], field_name="revoked_event"
        )
        for each in some:
            row = revoked.get(each.event)
            if row is None or row.revoked_at is None:
                yield found(each, "role-row", "the role revoked here is held again")
    yield from _without_entry()


def _without_entry() -> Iterator[Finding]:
    # Being a donor gives no power over others, and is not on the ledger.
    powers = RoleGrant.objects.exclude(role=Role.DONOR)
    named = {row.event: row for row in powers if row.event is not None}
    unknown = ledger.opened.unknown(named, "role.granted")
    nameless = [row for row in powers if row.event is None]
    for row in [*nameless, *(named[event] for event in unknown)]:
        yield Finding(
            code="role-without-entry",
            message=f"user {row.user_id} was made {row.role} without the ledger",
            event=row.event,
        )
