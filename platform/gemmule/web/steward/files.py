"""Pages on which files are uploaded, and the report of each one's check."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods

from gemmule.catalog import selectors, services, states, storage
from gemmule.catalog.errors import CatalogError
from gemmule.catalog.models import Dataset
from gemmule.web.bodies import limited_to
from gemmule.web.forms.steward import UploadForm
from gemmule.web.member import MemberRequest


# Comparing the form's token reads the whole body, so it comes last: nobody but a
# steward makes us write an upload to disk, and nobody one that is too long.
@limited_to(None)
@csrf_exempt
@require_http_methods(["GET", "POST"])
@login_required
def file_list(request: MemberRequest, accession: str) -> HttpResponse:
    """List a dataset's files with their checks, and take in new ones."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    if request.method == "GET":
        return _page(request, dataset, UploadForm())
    states.check(dataset, "upload_file")
    # The web server gives us no more bytes than this header announces.
    storage.check_length(int(request.META.get("CONTENT_LENGTH") or 0))
    return _upload(request, dataset)


@csrf_protect
def _upload(request: MemberRequest, dataset: Dataset) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, dataset, form)
    taken = []
    for sent in form.chosen():
        try:
            file = services.upload_file(
                user=request.user,
                dataset=dataset,
                stream=sent,
                original_name=sent.name or "",
                now=timezone.now(),
            )
        except CatalogError as refusal:
            form.add_error("vcf_files", f"{sent.name}: {refusal}")
        else:
            taken.append(file.number)
    if taken:
        names = ", ".join(f"file {number}" for number in taken)
        messages.success(request, f"Taken in, the check comes next: {names}.")
    if form.errors:
        return _page(request, dataset, form)
    return redirect("steward_files", accession=dataset.accession)


@require_GET
@login_required
def file_report(request: MemberRequest, accession: str, number: int) -> HttpResponse:
    """Show what the check of a file has found."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    return render(
        request,
        "steward/file.html",
        {
            "dataset": dataset,
            "file": selectors.file_for_steward(request.user, dataset, number),
            "can_remove": states.allows(dataset, "remove_file"),
        },
    )


@require_http_methods(["GET", "POST"])
@login_required
def file_remove(request: MemberRequest, accession: str, number: int) -> HttpResponse:
    """Ask whether the file shall go, then delete it and its bytes."""
    dataset = selectors.dataset_for_steward(request.user, accession)
    states.check(dataset, "remove_file")
    file = selectors.file_for_steward(request.user, dataset, number)
    if request.method == "POST":
        services.remove_file(user=request.user, dataset=dataset, number=number)
        messages.success(request, f"File {number} and its bytes are gone.")
        return redirect("steward_files", accession=accession)
    return render(
        request,
        "steward/file_remove.html",
        {
            "dataset": dataset,
            "file": file,
            "drops_map": selectors.is_last_accepted(file) and dataset.map_sha256,
        },
    )


def _page(request: MemberRequest, dataset: Dataset, form: UploadForm) -> HttpResponse:
    return render(
        request,
        "steward/files.html",
        {
            "dataset": dataset,
            "files": selectors.files_of(dataset),
            "form": form,
            "can_upload": states.allows(dataset, "upload_file"),
            # While a check runs, the list asks for itself anew.
            "is_settled": selectors.is_settled(dataset),
        },
    )
