"""Pages on which a dataset is registered, described, signed for and published."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from gemmule.accounts.errors import SignatureRefused
from gemmule.catalog import permissions, selectors, services, states
from gemmule.catalog.errors import DatasetInvalid, DatasetStateError
from gemmule.web.forms.steward import DescriptionForm, SignatureForm
from gemmule.web.member import MemberRequest
from gemmule.web.steward import tasklist


@require_GET
@login_required
def dataset_list(request: MemberRequest) -> HttpResponse:
    """List every dataset, the newest first."""
    datasets = selectors.for_steward(request.user)
    return render(request, "steward/datasets.html", {"datasets": datasets})


@require_http_methods(["GET", "POST"])
@login_required
def register(request: MemberRequest) -> HttpResponse:
    """Open a new dataset by describing it."""
    permissions.check_is_steward(request.user)
    form = DescriptionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            dataset = services.register_dataset(
                user=request.user, description=form.description(), now=timezone.now()
            )
        except DatasetInvalid as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, "The dataset is open: upload its files next.")
            return redirect("steward_dataset", accession=dataset.accession)
    return render(request, "steward/register.html", {"form": form})


@require_GET
@login_required
def detail(request: MemberRequest, accession: str) -> HttpResponse:
    """Show what is done for a dataset and what comes next."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    return render(
        request,
        "steward/dataset.html",
        {
            "dataset": dataset,
            "stage": states.stage(dataset),
            "tasks": tasklist.tasks(dataset, request.user),
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def describe(request: MemberRequest, accession: str) -> HttpResponse:
    """Change what is said of a draft."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    states.check(dataset, "describe")
    form = DescriptionForm(
        request.POST or None, initial=DescriptionForm.initial_of(dataset)
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.describe_dataset(
                user=request.user, dataset=dataset, description=form.description()
            )
        except DatasetInvalid as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            messages.success(request, "The description was changed.")
            return redirect("steward_dataset", accession=accession)
    return render(request, "steward/describe.html", {"form": form, "dataset": dataset})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@login_required
def build(request: MemberRequest, accession: str) -> HttpResponse:
    """Take a steward's signature that the files are on the genome build."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    states.check(dataset, "state_build")
    form = SignatureForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.state_build(
                user=request.user,
                dataset=dataset,
                password=form.cleaned_data["password"],
                now=timezone.now(),
            )
        except SignatureRefused as refusal:
            form.add_error("password", str(refusal))
        except DatasetStateError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "Signed: the genome build is certain now.")
            return redirect("steward_dataset", accession=accession)
    return render(
        request,
        "steward/build.html",
        {
            "form": form,
            "dataset": dataset,
            "files": selectors.accepted_files(dataset),
            "evidence": selectors.build_evidence(dataset),
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def publish(request: MemberRequest, accession: str) -> HttpResponse:
    """Say what publishing means, then do it."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    states.check(dataset, "publish")
    if request.method == "POST":
        services.publish_dataset(user=request.user, dataset=dataset, now=timezone.now())
        messages.success(request, "The dataset is in the catalogue.")
        return redirect("steward_dataset", accession=accession)
    return render(
        request,
        "steward/publish.html",
        {
            "dataset": dataset,
            "files": selectors.accepted_files(dataset),
            "donors": selectors.donor_count(dataset),
            "evidence": selectors.build_evidence(dataset),
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def reopen(request: MemberRequest, accession: str) -> HttpResponse:
    """Ask whether the confirmation shall be taken back, then take it back."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    states.check(dataset, "reopen")
    if request.method == "POST":
        services.reopen_dataset(user=request.user, dataset=dataset)
        messages.success(request, "Files and sample map can be changed again.")
        return redirect("steward_dataset", accession=accession)
    return render(request, "steward/reopen.html", {"dataset": dataset})
