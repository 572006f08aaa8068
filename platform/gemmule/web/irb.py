"""Pages of the IRB: the queue, one request beside its verdict, and the signed acts."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

import ledger.selectors
from gemmule.access import permissions, reviews, selectors, states
from gemmule.access.coverage import Coverage, coverage
from gemmule.access.errors import AccessError, ReviewInvalid
from gemmule.access.expectation import expectation
from gemmule.access.models import AccessRequest
from gemmule.accounts.errors import NotFound, SignatureRefused
from gemmule.accounts.models import User
from gemmule.accounts.permissions import check_role
from gemmule.catalog import megabases
from gemmule.web.forms.irb import ApprovalForm, SignedForm
from gemmule.web.member import MemberRequest


@require_GET
@login_required
def queue(request: MemberRequest) -> HttpResponse:
    """List what waits for the IRB, oldest first, and what was decided last."""
    check_role(request.user, *permissions.IRB_ROLES)
    return render(
        request,
        "irb/queue.html",
        {
            "waiting": selectors.queue(),
            "late_before": timezone.now() - selectors.ANSWER_WITHIN,
            "decided": selectors.requests_for(request.user)
            .filter(decided_at__isnull=False)
            .order_by("-decided_at")[:20],
        },
    )


@require_GET
@login_required
def detail(request: MemberRequest, accession: str) -> HttpResponse:
    """Show a request side by side with the machine's verdict and its clauses."""
    found = _request(request.user, accession)
    events = [review.event for review in found.reviews.all()]
    events += [found.event_submitted] if found.event_submitted else []
    return render(
        request,
        "irb/request.html",
        {
            "found": found,
            "coverage": coverage(found, timezone.now().date()),
            **_content(found),
            "reviews": found.reviews.select_related("reviewer"),
            "entries": ledger.selectors.entries_by_event(events),
            "releases": found.releases.all(),
            "may_approve": permissions.can_review(request.user, found)
            and states.allows(found, "approve"),
            "may_countersign": permissions.can_countersign(request.user, found)
            and states.allows(found, "countersign"),
            "may_deny": permissions.can_deny(request.user, found)
            and states.allows(found, "deny"),
            "may_return": permissions.can_review(request.user, found)
            and states.allows(found, "return"),
            "may_verify": permissions.can_review(request.user, found)
            and states.allows(found, "verify_ethics")
            and found.purpose.get("ethics_approval") == "unverified",
        },
    )


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def approve(request: MemberRequest, accession: str) -> HttpResponse:
    """Approve with a reason, an end date and a signature."""
    found = _request(request.user, accession)
    permissions.check_may_review(request.user, found)
    states.next_state(found, "approve")
    counted = coverage(found, timezone.now().date())
    form = ApprovalForm(request.POST or None, codes=_codes(counted))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            done = reviews.approve(
                reviewer=request.user,
                request=found,
                reason=given["reason"],
                expires_on=given["expires_on"],
                resolve=given.get("resolve", []),
                password=given["password"],
                now=timezone.now(),
            )
        except (AccessError, SignatureRefused) as refusal:
            _show(form, refusal)
        else:
            messages.success(request, f"Signed: {done.get_state_display().lower()}.")
            return redirect("irb_request", accession=accession)
    return render(
        request,
        "irb/approve.html",
        {"found": found, "form": form, "coverage": counted, **_content(found)},
        status=422 if form.errors else 200,
    )


def _signed_act(
    name: str,
    act: Callable[..., AccessRequest],
    may: Callable[[User, AccessRequest], None],
    done: str,
) -> Callable[[MemberRequest, str], HttpResponse]:
    """Return the view of an act that takes a reason and a signature, no more.

    `name` is the act's in `states.TRANSITIONS`. Whether it is the reader's, and
    possible now, is asked before she is shown a form to fill in.
    """

    @sensitive_post_parameters("password")
    @require_http_methods(["GET", "POST"])
    @login_required
    def view(request: MemberRequest, accession: str) -> HttpResponse:
        found = _request(request.user, accession)
        may(request.user, found)
        states.next_state(found, name)
        form = SignedForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                act(
                    reviewer=request.user,
                    request=found,
                    now=timezone.now(),
                    **form.cleaned_data,
                )
            except (AccessError, SignatureRefused) as refusal:
                _show(form, refusal)
            else:
                messages.success(request, done)
                return redirect("irb_request", accession=accession)
        return render(
            request,
            f"irb/{act.__name__}.html",
            {
                "found": found,
                "form": form,
                "first": found.reviews.filter(decision="propose").last(),
            },
            status=422 if form.errors else 200,
        )

    return view


countersign = _signed_act(
    "countersign", reviews.countersign, permissions.check_may_countersign, "Approved."
)
deny = _signed_act(
    "deny", reviews.deny, permissions.check_may_deny, "Denied; the project was told."
)
send_back = _signed_act(
    "return", reviews.send_back, permissions.check_may_review, "Sent back."
)
verify_ethics = _signed_act(
    "verify_ethics",
    reviews.verify_ethics,
    permissions.check_may_review,
    "The approval counts as seen.",
)


def _request(user: User, accession: str) -> AccessRequest:
    check_role(user, *permissions.READER_ROLES)
    found = (
        selectors.requests_for(user)
        # A draft of the reader's own, who is a researcher too, is no request yet.
        .filter(accession=accession, submitted_at__isnull=False)
        .first()
    )
    if found is None:
        raise NotFound(f"there is no request {accession}")
    return found


def _content(access_request: AccessRequest) -> dict[str, object]:
    """Return what a release would be cut from, counted exactly: for the IRB alone."""
    return {
        "expected": expectation(access_request),
        "source_records": megabases.source_records(
            access_request.dataset, access_request.regions
        ),
    }


def _codes(found: Coverage) -> list[tuple[str, str]]:
    """Return the review clauses that a reviewer may turn into permit."""
    return [
        (clause.code, f"{clause.code}: {clause.reason} ({clause.donors} donors)")
        for clause in found.clauses()
        if clause.verdict == "review"
    ]


def _show(form: SignedForm, refusal: Exception) -> None:
    field: str | None = None
    if isinstance(refusal, SignatureRefused):
        field = "password"
    elif isinstance(refusal, ReviewInvalid) and refusal.field in form.fields:
        field = refusal.field
    form.add_error(field, str(refusal))
