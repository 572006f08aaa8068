"""Read consents: a donor's own, and what many donors say to one purpose."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import QuerySet

from consent import policy
from consent.errors import FormNotFound
from consent.models import Consent, Donor, FormState, FormVersion
from consent.policy import Decision, Purpose
from consent.terms import Terms


@dataclass(frozen=True, slots=True, kw_only=True)
class DonorDecision:
    """What one donor's standing consent says; without a consent it denies."""

    consent: Consent | None
    decision: Decision


def current(donor: Donor) -> Consent | None:
    """Return the donor's standing decision, None before the first."""
    return (
        Consent.objects.select_related("form")
        .filter(donor=donor, is_current=True)
        .first()
    )


def history(donor: Donor) -> QuerySet[Consent]:
    """Return all of the donor's decisions, the newest first."""
    return (
        Consent.objects.select_related("form").filter(donor=donor).order_by("-number")
    )


def current_for(donor_ids: Iterable[UUID]) -> dict[UUID, Consent]:
    """Return the standing decision of each donor who has one; one query."""
    found = Consent.objects.filter(donor__in=list(donor_ids), is_current=True)
    return {one.donor_id: one for one in found}


def decide_for(
    *,
    purpose: Purpose,
    donor_ids: Collection[UUID],
    on: date,
    first_release: date | None = None,
    asked_until: date | None = None,
) -> dict[UUID, DonorDecision]:
    """Return every donor's decision on the purpose; one query, equal terms once.

    `first_release` and `asked_until` bound time limits as in `policy.decide`.
    """
    standing = current_for(donor_ids)
    made: dict[str, Decision] = {}
    found = {}
    for donor_id in donor_ids:
        one = standing.get(donor_id)
        terms = _terms_on(one, on)
        key = repr(terms)
        if key not in made:
            made[key] = policy.decide(
                purpose,
                terms,
                on,
                first_release=first_release,
                asked_until=asked_until,
            )
        found[donor_id] = DonorDecision(consent=one, decision=made[key])
    return found


def published_form(language: str = "en") -> FormVersion:
    """Return the form that donors sign now; raises FormNotFound."""
    form = (
        FormVersion.objects.filter(state=FormState.PUBLISHED, language=language)
        .order_by("-published_at")
        .first()
    )
    if form is None:
        raise FormNotFound(f"no consent form in {language!r} is published")
    return form


def _terms_on(one: Consent | None, on: date) -> Terms:
    if one is None:
        return Terms(permission=None)
    # The row may not have been marked expired yet: the day decides.
    is_over = one.valid_until is not None and one.valid_until < on
    return one.to_terms(state="expired" if is_over else None)
