"""What ends a release on the ledger, whatever its row says.

An entry that revokes it, or ends its request, says in public the digest that its own
entry, or that of the approval, says as well: the manifest's or the request's. None of
these is ever taken back; a pause is no end and has no such entry. Asked for each chunk:
`condition` and `SQL` are one question in two languages.
"""

from django.db.models import Exists
from psycopg import sql

import ledger.mentions
from gemmule.access.approvals import ENDS
from gemmule.releases.models import Release

TYPES = ("data.revoked", *ENDS)

# Of a statement that calls the rows so.
SQL = sql.SQL(ledger.mentions.BESIDE_SQL).format(
    events=sql.SQL("release.event, request.event_decided"),
    types=sql.SQL(", ").join(map(sql.Literal, TYPES)),
)


def condition(release: Release) -> Exists:
    """Return whether the ledger has an entry, pending or not, that ends the release.

    `release` comes with its request.
    """
    return ledger.mentions.beside(
        [release.event, release.request.event_decided], types=TYPES
    )
