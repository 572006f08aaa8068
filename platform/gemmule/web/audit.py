"""Pages of those who audit: releases, one release's dossier, the ledger's health."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from gemmule.access.permissions import IRB_ROLES, READER_ROLES
from gemmule.accounts.models import User
from gemmule.accounts.permissions import check_role, has_role
from gemmule.audit import dossier, services, verification
from gemmule.audit.health import health
from gemmule.releases import closing, selectors
from gemmule.releases.http import manifest_response
from gemmule.releases.models import Release, ReleaseState
from gemmule.web import witnessing
from gemmule.web.forms.audit import RevokeForm
from gemmule.web.member import MemberRequest

RELEASES_PER_PAGE = 25


@require_GET
@login_required
def home(request: MemberRequest) -> HttpResponse:
    """Lead auditors to the list."""
    check_role(request.user, *READER_ROLES)
    return redirect("audit_releases")


@require_GET
@login_required
def releases(request: MemberRequest) -> HttpResponse:
    """List releases, newest first, with a search over what they are cited by."""
    check_role(request.user, *READER_ROLES)
    # PostgreSQL refuses to compare a NUL.
    text = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    pages = Paginator(selectors.search(text=text), RELEASES_PER_PAGE)
    return render(
        request,
        "audit/releases.html",
        {"text": text, "page": pages.get_page(request.GET.get("page"))},
    )


@require_GET
@login_required
def release(request: MemberRequest, accession: str) -> HttpResponse:
    """Show the dossier of a release; `?verify` derives it again there and then."""
    found = _release(request.user, accession)
    checks = verification.verify(found) if "verify" in request.GET else None
    is_of_the_board = has_role(request.user, *IRB_ROLES)
    return render(
        request,
        "audit/dossier.html",
        {
            "dossier": dossier.dossier(found),
            "checks": checks,
            "holds": checks is not None and all(check.holds for check in checks),
            "now": timezone.now(),
            "may_prove": is_of_the_board,
            "may_revoke": is_of_the_board
            and found.state
            in (
                ReleaseState.AVAILABLE,
                ReleaseState.SEALED,
                ReleaseState.SUSPENDED,
            ),
        },
    )


@require_GET
@login_required
def export(request: MemberRequest, accession: str) -> HttpResponse:
    """Hand out the dossier as JSON; to the IRB with all that proves the release."""
    found = _release(request.user, accession)
    return JsonResponse(
        services.export_dossier(user=request.user, release=found, now=timezone.now()),
        json_dumps_params={"indent": 2},
        headers={
            "Content-Disposition": f'attachment; filename="{accession}-dossier.json"'
        },
    )


@require_GET
@login_required
def manifest(request: MemberRequest, accession: str) -> HttpResponse:
    """Hand out the signed manifest, which a dossier is checked against."""
    return manifest_response(_release(request.user, accession))


@require_http_methods(["GET", "POST"])
@login_required
def revoke(request: MemberRequest, accession: str) -> HttpResponse:
    """End a release at once, with a reason."""
    check_role(request.user, *IRB_ROLES)
    found = _release(request.user, accession)
    form = RevokeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        closing.revoke(
            user=request.user,
            release=found,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
        return redirect("audit_release", accession=accession)
    return render(
        request,
        "audit/revoke.html",
        {"release": found, "form": form},
        status=422 if form.errors else 200,
    )


@require_GET
@login_required
def ledger_health(request: MemberRequest) -> HttpResponse:
    """Show what waits, who signs, whether tiles fit, and what the last replay found."""
    found = health(request.user)
    size = found.latest.size if found.latest else 0
    return render(
        request,
        "audit/ledger.html",
        {
            "health": found,
            "witnesses": witnessing.witness_rows(found.witnesses, size=size),
            "now": timezone.now(),
        },
    )


@require_POST
@login_required
def ledger_verify(request: MemberRequest) -> HttpResponse:
    """Have the whole ledger replayed; the page shows the outcome."""
    services.verify_ledger(user=request.user, now=timezone.now())
    return redirect("audit_ledger")


def _release(user: User, accession: str) -> Release:
    check_role(user, *READER_ROLES)
    return selectors.release_for(user, accession)
