"""The ledger for everyone: its head, and any entry with its proof checked at once."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

import ledger.recent
import ledger.selectors
from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.errors import NotFound
from gemmule.accounts.permissions import has_role
from gemmule.audit import receipts
from gemmule.web import edge, witnessing
from gemmule.web.member import MemberRequest
from ledger import inclusion
from ledger.errors import EntryNotFound, LedgerError
from ledger.selectors import CheckpointView
from ledger.tlog.hashing import leaf_hash
from ledger.tlog.receipt import Checked

_CHECKPOINTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What checking an entry's receipt came to; `checked` is None when it failed."""

    checked: Checked | None
    leaf_hash: bytes
    steps: int
    problem: str


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show size, root, checkpoints and witnesses, and what all of it can show."""
    latest = ledger.selectors.latest_checkpoint()
    size = latest.size if latest else 0
    return render(
        request,
        "ledger/overview.html",
        {
            "latest": latest,
            "picture": _picture(latest),
            "pending": ledger.selectors.pending_count(),
            "policy": ledger.selectors.policy(),
            "witnesses": witnessing.witness_rows(
                ledger.selectors.witnesses(), size=size
            ),
            "checkpoints": witnessing.checkpoint_rows(
                ledger.selectors.checkpoints(_CHECKPOINTS)
            ),
            "site": request.build_absolute_uri("/").rstrip("/"),
            "may_see_health": has_role(request.user, *READER_ROLES),
        },
    )


@require_GET
def join(request: HttpRequest) -> HttpResponse:
    """Tell an institution how it becomes a witness or keeps a mirror."""
    return render(
        request,
        "ledger/join.html",
        {
            "verifier_key": ledger.selectors.verifier_key(),
            "site": request.build_absolute_uri("/").rstrip("/"),
        },
    )


@require_GET
def entry(request: HttpRequest, event: UUID) -> HttpResponse:
    """Verify one entry there and then; inside a page, answer with that alone."""
    try:
        found = ledger.selectors.entry(event)
    except EntryNotFound as error:
        raise NotFound("the ledger has no such entry") from error
    inside = bool(request.headers.get("HX-Request"))
    answer = render(
        request,
        "ledger/_proof.html" if inside else "ledger/entry.html",
        {"entry": found, "verified": _verify(event)},
    )
    patch_vary_headers(answer, ["HX-Request"])
    return answer


@require_GET
@never_cache
@login_required
def receipt(request: MemberRequest, event: UUID) -> HttpResponse:
    """Hand out the receipt of an entry to those whose it is."""
    return _file(
        receipts.receipt(user=request.user, event=event),
        "text/plain; charset=utf-8",
        f"{event}.tlog-proof",
    )


@require_GET
@never_cache
@login_required
def opening(request: MemberRequest, event: UUID) -> HttpResponse:
    """Hand out what opens an entry to those whose it is."""
    return _file(
        receipts.opening(user=request.user, event=event),
        "application/json",
        f"{event}.json",
    )


def _verify(event: UUID) -> Verified | None:
    """Check an entry's receipt as a stranger would; None while it waits for one."""
    try:
        found = inclusion.prove(event)
    except EntryNotFound:
        return None
    except LedgerError as error:
        # Tables or tiles no longer give a proof: that is a finding, not a crash.
        return Verified(checked=None, leaf_hash=b"", steps=0, problem=str(error))
    checked, problem = None, ""
    try:
        checked = inclusion.check(found)
    except LedgerError as error:
        problem = str(error)
    return Verified(
        checked=checked,
        leaf_hash=leaf_hash(found.entry),
        steps=len(found.proof),
        problem=problem,
    )


def _picture(latest: CheckpointView | None) -> str:
    if latest is None:
        return ""
    leaves = ledger.recent.last_leaves(size=latest.size, count=edge.SHOWN)
    if len(leaves) < min(latest.size, edge.SHOWN):
        return ""  # Rows are missing; the health page says so.
    return edge.picture(
        blocks=[edge.Block(seq=one.seq, leaf_hash=one.leaf_hash) for one in leaves],
        size=latest.size,
        root=latest.root,
    )


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
