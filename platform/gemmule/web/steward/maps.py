"""Pages on which samples are mapped to donors, and a second steward looks at it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from gemmule.catalog import permissions, samplemap, selectors, services, states
from gemmule.catalog.errors import DatasetStateError, Problem, SampleMapInvalid
from gemmule.catalog.models import Dataset
from gemmule.web.bodies import limited_to
from gemmule.web.forms.steward import ConfirmMapForm, SampleMapForm
from gemmule.web.member import MemberRequest

SAMPLES_PER_PAGE = 50
_MAX_SHOWN = 200
# What a form adds around its file: boundaries, names and the token.
_FORM_BYTES = 64 * 2**10


@limited_to(samplemap.MAX_BYTES + _FORM_BYTES)
# As for files: comparing the form's token reads the body, so it comes last.
@csrf_exempt
@require_http_methods(["GET", "POST"])
@login_required
def sample_map(request: MemberRequest, accession: str) -> HttpResponse:
    """Show the sample map, and take a new one; mismatches stand first."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    return _sample_map(request, dataset)


@csrf_protect
def _sample_map(request: MemberRequest, dataset: Dataset) -> HttpResponse:
    form = SampleMapForm(request.POST or None, request.FILES or None)
    problems: tuple[Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        try:
            services.upload_sample_map(
                user=request.user,
                dataset=dataset,
                data=form.data_of_map(),
                now=timezone.now(),
            )
        except SampleMapInvalid as refusal:
            problems = refusal.problems
            form.add_error("sample_map", _told(problems))
        except DatasetStateError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, "The map is kept. Another steward must confirm it now."
            )
            return redirect("steward_dataset", accession=dataset.accession)
    return render(
        request,
        "steward/map.html",
        {
            "dataset": dataset,
            "form": form,
            "problems": problems[:_MAX_SHOWN],
            "more_problems": max(len(problems) - _MAX_SHOWN, 0),
            "can_upload": states.allows(dataset, "upload_map"),
            "is_settled": selectors.is_settled(dataset),
            "samples": len(selectors.sample_names(dataset)),
            **_figures(dataset),
        },
    )


@require_GET
@login_required
def sample_map_csv(request: MemberRequest, accession: str) -> HttpResponse:
    """Send the map as it stands, with a row for every sample, to be filled in."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    return HttpResponse(
        samplemap.write(selectors.map_rows(dataset)),
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{accession}-samples.csv"',
            "Cache-Control": "no-store",
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def make_donors(request: MemberRequest, accession: str) -> HttpResponse:
    """Say what registering new donors means, then do it."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    states.check(dataset, "make_donors")
    if request.method == "POST":
        services.make_donors(user=request.user, dataset=dataset, now=timezone.now())
        messages.success(
            request,
            "The donors are registered and mapped. Keep the map in a safe place.",
        )
        return redirect("steward_map", accession=accession)
    return render(
        request, "steward/donors.html", {"dataset": dataset, **_figures(dataset)}
    )


@require_http_methods(["GET", "POST"])
@login_required
def confirm(request: MemberRequest, accession: str) -> HttpResponse:
    """Show the whole map, and let a second steward confirm just that one."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    form = ConfirmMapForm(
        request.POST or None, initial={"map_sha256": dataset.map_sha256}
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.confirm_sample_map(
                user=request.user,
                dataset=dataset,
                map_sha256=form.cleaned_data["map_sha256"],
                now=timezone.now(),
            )
        except DatasetStateError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The map is confirmed and locked.")
            return redirect("steward_dataset", accession=dataset.accession)
    rows = Paginator(selectors.map_rows(dataset), SAMPLES_PER_PAGE)
    return render(
        request,
        "steward/confirm.html",
        {
            "dataset": dataset,
            "form": form,
            "page": rows.get_page(request.GET.get("page")),
            "can_confirm": states.allows(dataset, "confirm_map")
            and permissions.can_confirm_map(request.user, dataset),
            **_figures(dataset),
        },
    )


def _told(problems: tuple[Problem, ...]) -> str:
    if len(problems) == 1:
        return "it was not kept: one mismatch, listed below"
    return f"it was not kept: {len(problems):,} mismatches, listed below"


def _figures(dataset: Dataset) -> dict[str, object]:
    nobodys = selectors.samples_without_donor(dataset)
    return {
        "donors": selectors.donor_count(dataset),
        "nobodys": nobodys[:_MAX_SHOWN],
        "nobodys_count": len(nobodys),
    }
