"""What ends a release on the ledger, whatever its row says.

An entry that revokes it, or ends its request, says in public the digest that its own
entry, or that of the approval, says as well: the manifest's or the request's. None of
these is ever taken back; a pause is no end and has no such entry. The row must lead to
the entry of its seal: from another one nothing would lead to its end. Asked for each
chunk: `conditions` and the two of SQL are one question in two languages.
"""

from django.db.models import Exists
from psycopg import sql

import ledger.mentions
from gemmule.access.approvals import ENDS
from gemmule.releases.models import Release

TYPES = ("data.revoked", *ENDS)
_SEALED = "data.released"

# Of a statement that calls the rows so.
IS_SEALED_SQL = sql.SQL(ledger.mentions.SAID_SQL).format(
    event=sql.SQL("release.event"),
    type=sql.Literal(_SEALED),
    digest=sql.SQL("release.manifest_sha256"),
)
IS_ENDED_SQL = sql.SQL(ledger.mentions.BESIDE_SQL).format(
    events=sql.SQL("release.event, request.event_decided"),
    types=sql.SQL(", ").join(map(sql.Literal, TYPES)),
)


def conditions(release: Release) -> tuple[Exists, Exists]:
    """Return whether the ledger has the entry of the seal, and one that ends it.

    Pending entries count. `release` comes with its request.
    """
    is_sealed = ledger.mentions.said(
        release.event, type_=_SEALED, digest=release.manifest_sha256
    )
    events = [release.event, release.request.event_decided]
    return is_sealed, ledger.mentions.beside(events, types=TYPES)
