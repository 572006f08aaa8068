"""Read releases: for their project, for auditors, and for the donors in them."""

from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from gemmule.access.permissions import READER_ROLES
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import User
from gemmule.accounts.permissions import has_role
from gemmule.releases import permissions
from gemmule.releases.models import Release, ReleaseDonor, ReleaseFile


def releases_for(user: User) -> QuerySet[Release]:
    """Return the releases the user may read about, newest first."""
    found = Release.objects.select_related(
        "request__project__institution", "request__dataset", "recipient", "key"
    )
    if has_role(user, *READER_ROLES):
        return found
    return found.filter(request__project__memberships__user=user)


def release_for(user: User, accession: str) -> Release:
    """Return one release the user may read about, or raise NotFound."""
    release = releases_for(user).filter(accession=accession).first()
    if release is None:
        raise NotFound(f"there is no release {accession} for you")
    permissions.check_may_read(user, release)
    return release


def file_of(release: Release, name: str) -> ReleaseFile:
    """Return the release's file of that name, or raise NotFound."""
    file = release.files.filter(name=name).first()
    if file is None:
        raise NotFound(f"release {release.accession} has no such file")
    return file


def search(*, text: str) -> QuerySet[Release]:
    """Return releases whose accessions, project or recipient match, newest first."""
    found = Release.objects.select_related(
        "request__project__institution", "request__dataset", "recipient"
    ).annotate(donor_count=Count("donors"))
    for word in text.split():
        found = found.filter(
            Q(accession__iexact=word)
            | Q(request__accession__iexact=word)
            | Q(request__project__accession__iexact=word)
            | Q(request__project__title__icontains=word)
            | Q(request__project__institution__name__icontains=word)
            | Q(request__dataset__accession__iexact=word)
            | Q(recipient__email__icontains=word)
            | Q(manifest_sha256__istartswith=word)
        )
    # A grouped query drops the order of the model.
    return found.order_by("-created_at", "pk")


def uses_of(donor_id: UUID) -> QuerySet[ReleaseDonor]:
    """Return the releases that hold the donor, newest first, with bytes delivered."""
    return (
        ReleaseDonor.objects.filter(donor_id=donor_id)
        .select_related(
            "release__request__project__institution",
            "release__request__dataset",
            "consent",
        )
        .annotate(
            downloads=Count(
                "release__files__downloads",
                filter=Q(release__files__downloads__outcome="complete"),
            ),
            bytes_sent=Sum("release__files__downloads__bytes_sent"),
        )
        .order_by("-release__created_at")
    )
