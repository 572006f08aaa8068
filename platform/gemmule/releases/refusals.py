"""Say in plain words why a release hands out no bytes, and what to do now.

Asked only once the gate is shut: what it costs to find the release that takes the
place of a revoked one is not paid for each chunk.
"""

from datetime import date

from django.utils import dateformat

from gemmule.releases.errors import DeliveryRefused
from gemmule.releases.models import Release, ReleaseState

# Each withdrawal may add a release to the chain; a refusal follows it this far.
_LONGEST_CHAIN = 50


def because_closed(release: Release) -> DeliveryRefused:
    """Return the refusal of a release whose own state has shut the gate."""
    if release.state in (ReleaseState.REVOKED, ReleaseState.SUPERSEDED):
        return _revoked(release)
    if release.state == ReleaseState.SUSPENDED:
        return DeliveryRefused(
            f"release {release.accession} holds a donor who pauses. Nothing is to be "
            "deleted; it opens again when the pause is over",
            code="release-suspended",
            title="This release is suspended",
            release=release.accession,
        )
    if release.state == ReleaseState.FAILED:
        return DeliveryRefused(
            f"release {release.accession} has no files: {release.failure_reason}",
            code="release-failed",
            title="This release could not be built",
            release=release.accession,
        )
    return because_expired(release)


def because_expired(release: Release) -> DeliveryRefused:
    """Return the refusal of a release whose last day is over."""
    return DeliveryRefused(
        f"the last day of release {release.accession} was "
        f"{_day(release.expires_on)}; ask the IRB to renew the approval",
        code="release-expired",
        title="This release has expired",
        release=release.accession,
    )


def because_ended(release: Release) -> DeliveryRefused:
    """Return the refusal of a release that is open by its row alone."""
    return DeliveryRefused(
        f"release {release.accession} is open only by its row in the database: on the "
        "ledger it or its request has ended, or the row names another entry than that "
        "of its seal. Nothing is handed out; tell the IRB",
        code="ended-on-ledger",
        title="This release has ended",
        release=release.accession,
    )


def newest_in_place_of(release: Release) -> Release | None:
    """Return the release that takes this one's place by now, None while none does."""
    newest = release
    for _ in range(_LONGEST_CHAIN):
        found = Release.objects.filter(supersedes=newest).first()
        if found is None:
            break
        newest = found
    return None if newest.pk == release.pk else newest


def _revoked(release: Release) -> DeliveryRefused:
    newest = newest_in_place_of(release)
    said = [f"release {release.accession} was revoked{_on(release)}."]
    said += [release.closed_reason, "Delete every copy of it.", _instead(newest)]
    return DeliveryRefused(
        " ".join(part for part in said if part),
        code=f"release-{release.state}",
        title="This release was revoked",
        release=release.accession,
        successor=newest.accession if newest is not None and _serves(newest) else "",
    )


def _on(release: Release) -> str:
    return f" on {_day(release.closed_at.date())}" if release.closed_at else ""


def _serves(newest: Release) -> bool:
    return newest.state not in (
        ReleaseState.REVOKED,
        ReleaseState.SUPERSEDED,
        ReleaseState.EXPIRED,
        ReleaseState.FAILED,
    )


def _instead(newest: Release | None) -> str:
    if newest is None or not _serves(newest):
        return (
            "No release takes its place; open the request to see whether enough "
            "donors remain for a new one."
        )
    if newest.state == ReleaseState.AVAILABLE:
        return f"Release {newest.accession} takes its place and is ready."
    if newest.state == ReleaseState.SUSPENDED:
        return (
            f"Release {newest.accession} takes its place, and is suspended while "
            "another donor pauses."
        )
    if newest.state == ReleaseState.REQUESTED and newest.start_after is not None:
        return (
            f"Release {newest.accession} takes its place; it is built on "
            f"{_day(newest.start_after.date())}, together with what else changes "
            "until then, or at once if you ask for it on the page of the request."
        )
    return f"Release {newest.accession} takes its place and is being built."


def _day(day: date) -> str:
    return dateformat.format(day, "j F Y")
