"""Pages of researchers: projects, requests with their live verdict, releases."""

from datetime import date

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

import gemmule.catalog.selectors
import gemmule.releases.selectors
import gemmule.releases.services
import ledger.selectors
from gemmule.access import selectors, services, states
from gemmule.access.coverage import alternatives, coverage, rounded
from gemmule.access.errors import AccessError, RequestInvalid
from gemmule.access.expectation import expectation
from gemmule.access.models import AccessRequest, Project
from gemmule.accounts.errors import AccountsError, NotFound
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import check_role
from gemmule.accounts.selectors import active_keys, user_by_email
from gemmule.audit import receipts
from gemmule.releases import emptiness, holding
from gemmule.releases.http import file_response, manifest_response
from gemmule.releases.models import Release, ReleaseState
from gemmule.web.forms import instead
from gemmule.web.forms.researcher import (
    MemberForm,
    NewRequestForm,
    ProjectForm,
    PurposeForm,
    ReleaseForm,
)
from gemmule.web.member import MemberRequest

_MOVING = (ReleaseState.REQUESTED, ReleaseState.BUILDING, ReleaseState.SEALED)


@require_GET
@login_required
def home(request: MemberRequest) -> HttpResponse:
    """Show the researcher's projects, requests and releases."""
    check_role(request.user, Role.RESEARCHER)
    return render(
        request,
        "research/home.html",
        {
            "projects": selectors.projects_of(request.user),
            "requests": _own_requests(request.user)[:20],
            "releases": _own_releases(request.user)[:20],
            "has_key": active_keys(request.user).exists(),
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def project_new(request: MemberRequest) -> HttpResponse:
    """Start a project."""
    check_role(request.user, Role.RESEARCHER)
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.create_project(
                user=request.user, now=timezone.now(), **form.cleaned_data
            )
        except RequestInvalid as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return redirect("research_project", accession=made.accession)
    return _form(request, "research/project_new.html", form)


@require_http_methods(["GET", "POST"])
@login_required
def project(request: MemberRequest, accession: str) -> HttpResponse:
    """Show a project; its lead may take colleagues in."""
    found = _project(request.user, accession)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_member(
                user=request.user,
                project=found,
                member=user_by_email(form.cleaned_data["email"]),
                now=timezone.now(),
            )
        except AccountsError as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, "Your colleague is in the project.")
            return redirect("research_project", accession=accession)
    return render(
        request,
        "research/project.html",
        {
            "project": found,
            "form": form,
            "members": found.members.order_by("name"),
            "requests": found.requests.select_related("dataset"),
            "leads": found.lead_id == request.user.pk,
        },
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@login_required
def request_new(request: MemberRequest) -> HttpResponse:
    """Start a request of one of the user's projects for a dataset."""
    check_role(request.user, Role.RESEARCHER)
    projects = selectors.projects_of(request.user)
    datasets = gemmule.catalog.selectors.published()
    first = {
        "project": projects.filter(accession=_asked(request, "project")).first(),
        "dataset": datasets.filter(accession=_asked(request, "dataset")).first(),
    }
    form = NewRequestForm(
        request.POST or None, projects=projects, datasets=datasets, initial=first
    )
    if request.method == "POST" and form.is_valid():
        made = services.draft_request(
            user=request.user, now=timezone.now(), **form.cleaned_data
        )
        return redirect("research_request_edit", accession=made.accession)
    return render(
        request,
        "research/request_new.html",
        {"form": form, "projects": projects, "datasets": datasets},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@login_required
def request_edit(request: MemberRequest, accession: str) -> HttpResponse:
    """State the purpose; what is typed is kept, and the verdict shown beside it."""
    found = _request(request.user, accession)
    states.next_state(found, "update")
    sent, change = instead.taken(request.POST, "regions")
    form = PurposeForm(sent or None, initial=PurposeForm.initial_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            found = services.update_draft(
                user=request.user,
                request=found,
                purpose=form.purpose(found.purpose),
                regions_text=form.cleaned_data["regions"],
                justification=form.cleaned_data["justification"],
            )
        except RequestInvalid as refusal:
            field = "regions" if refusal.field == "regions_text" else refusal.field
            form.add_error(
                field if field in form.fields else None,
                ValidationError(instead.refusals(str(refusal), refusal.problems)),
            )
        else:
            if change:
                messages.success(request, change)
                edit = reverse("research_request_edit", args=[accession])
                return redirect(f"{edit}#id_regions")
            if not request.headers.get("HX-Request"):
                return redirect("research_request_check", accession=accession)
    context = {"found": found, "form": form, **_verdict(found)}
    if request.headers.get("HX-Request"):
        # What is wrong is told beside the number, as it is typed; 200, or htmx would
        # not show it.
        return render(request, "research/_verdict.html", {**context, "live": True})
    return render(
        request,
        "research/request_edit.html",
        context,
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@login_required
def request_check(request: MemberRequest, accession: str) -> HttpResponse:
    """Check the answers, then send the request to the IRB."""
    found = _request(request.user, accession)
    states.next_state(found, "submit")
    problem: RequestInvalid | None = None
    if request.method == "POST":
        try:
            services.submit(user=request.user, request=found, now=timezone.now())
        except RequestInvalid as refusal:
            problem = refusal
        else:
            messages.success(request, "Sent to the review board.")
            return redirect("research_request", accession=accession)
    return render(
        request,
        "research/request_check.html",
        {"found": found, "problem": problem, **_verdict(found)},
        status=422 if problem else 200,
    )


@require_GET
@login_required
def request_detail(request: MemberRequest, accession: str) -> HttpResponse:
    """Show where a request stands, its verdict and its releases."""
    found = _request(request.user, accession)
    events = [review.event for review in found.reviews.all()]
    events += [found.event_submitted] if found.event_submitted else []
    return render(
        request,
        "research/request.html",
        {
            "found": found,
            "answer_by": found.submitted_at + selectors.ANSWER_WITHIN
            if found.submitted_at
            else None,
            "reviews": found.reviews.select_related("reviewer"),
            "entries": ledger.selectors.entries_by_event(events),
            "releases": found.releases.select_related("key"),
            "release_form": ReleaseForm(keys=active_keys(request.user)),
            "has_key": active_keys(request.user).exists(),
            "may_update": states.allows(found, "update"),
            "may_close": states.allows(found, "close"),
            **_verdict(found),
        },
    )


@require_POST
@login_required
def request_close(request: MemberRequest, accession: str) -> HttpResponse:
    """Take a request back."""
    found = _request(request.user, accession)
    services.close(user=request.user, request=found, now=timezone.now())
    messages.success(request, "The request is closed.")
    return redirect("research_request", accession=accession)


@require_POST
@login_required
def release_new(request: MemberRequest, accession: str) -> HttpResponse:
    """Ask for a release to one of the user's keys."""
    found = _request(request.user, accession)
    form = ReleaseForm(request.POST, keys=active_keys(request.user))
    if not form.is_valid():
        messages.error(
            request, "Choose a key that you have registered and proved to hold."
        )
        return redirect("research_request", accession=accession)
    try:
        release = gemmule.releases.services.open_release(
            user=request.user,
            request=found,
            key=form.cleaned_data["key"],
            now=timezone.now(),
        )
    except AccessError as refusal:
        messages.error(request, str(refusal))
        return redirect("research_request", accession=accession)
    return redirect("research_release", accession=release.accession)


@require_GET
@login_required
def release_detail(request: MemberRequest, accession: str) -> HttpResponse:
    """Show a release: its progress, then its files and how to open them."""
    release = _release(request.user, accession)
    entries = ledger.selectors.entries_by_event([release.event])
    context = {
        "release": release,
        "entry": entries.get(release.event),
        "moving": release.state in _MOVING,
        "successor": Release.objects.filter(supersedes=release).first(),
        "files": release.files.all(),
        "empty_because": emptiness.words(release.empty_because),
        "held": holding.why_held(release.request.dataset_id),
        "site": request.build_absolute_uri("/").rstrip("/"),
    }
    if not request.headers.get("HX-Request"):
        return render(request, "research/release.html", context)
    if not context["moving"]:
        # Seal, manifest and receipt stand beside what is asked for again.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "research/_release.html", context)


@require_GET
@login_required
def release_manifest(request: MemberRequest, accession: str) -> HttpResponse:
    """Hand out the signed manifest."""
    return manifest_response(_release(request.user, accession))


@require_GET
@never_cache
@login_required
def release_receipt(request: MemberRequest, accession: str) -> HttpResponse:
    """Hand out the receipt, under the name by which the verifier looks for it."""
    release = _release(request.user, accession)
    return HttpResponse(
        receipts.receipt(user=request.user, event=release.event),
        content_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{accession}.tlog-proof"'
        },
    )


@require_safe
@login_required
def release_file(request: MemberRequest, accession: str, name: str) -> HttpResponseBase:
    """Hand out a file through the gate; Range resumes it."""
    release = _release(request.user, accession)
    return file_response(
        user=request.user,
        release=release,
        file=gemmule.releases.selectors.file_of(release, name),
        headers=request.headers,
        method=request.method or "GET",
        clock=timezone.now,
    )


def _asked(request: MemberRequest, name: str) -> str:
    """Return a query's text without NULs, which PostgreSQL refuses to compare."""
    return request.GET.get(name, "").replace("\x00", "")


def _verdict(found: AccessRequest) -> dict[str, object]:
    today: date = timezone.now().date()
    is_stated = bool(
        found.purpose.get("research_types") or found.purpose.get("diseases")
    )
    expected = {"expected": expectation(found)}
    if not is_stated:
        return {"verdict": None, "alternatives": [], **expected}
    reached = coverage(found, today)
    return {
        **expected,
        "verdict": rounded(reached),
        "alternatives": alternatives(found, today, base=reached),
    }


def _form(request: MemberRequest, template: str, form: object) -> HttpResponse:
    failed = bool(getattr(form, "errors", None))
    return render(request, template, {"form": form}, status=422 if failed else 200)


def _own_requests(user: User) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(project__memberships__user=user).select_related(
        "project", "dataset"
    )


def _own_releases(user: User) -> QuerySet[Release]:
    return Release.objects.filter(
        request__project__memberships__user=user
    ).select_related("request__project", "request__dataset")


def _project(user: User, accession: str) -> Project:
    check_role(user, Role.RESEARCHER)
    found = selectors.projects_of(user).filter(accession=accession).first()
    if found is None:
        raise NotFound(f"there is no project {accession} of yours")
    return found


def _request(user: User, accession: str) -> AccessRequest:
    check_role(user, Role.RESEARCHER)
    found = (
        _own_requests(user)
        .select_related("project__institution")
        .filter(accession=accession)
        .first()
    )
    if found is None:
        raise NotFound(f"there is no request {accession} of yours")
    return found


def _release(user: User, accession: str) -> Release:
    check_role(user, Role.RESEARCHER)
    return gemmule.releases.selectors.release_for(user, accession)
