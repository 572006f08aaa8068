"""Who may see the donor's pages: the signed-in donor, and only her own."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from consent.models import Donor
from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import has_role
from gemmule.accounts.selectors import donor_of
from gemmule.web.member import MemberRequest

P = ParamSpec("P")
View = Callable[Concatenate[MemberRequest, P], HttpResponse]
DonorView = Callable[Concatenate[MemberRequest, Donor, P], HttpResponse]


def donor_page(*methods: str) -> Callable[[DonorView[P]], View[P]]:
    """Return a decorator that hands a view the donor who is signed in.

    Nothing of these pages is kept by a browser: a shared computer would show it.
    """

    def decorate(view: DonorView[P]) -> View[P]:
        @require_http_methods(methods)
        @never_cache
        @login_required
        def page(
            request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            return view(request, own_donor(request.user), *args, **kwargs)

        return page

    return decorate


def own_donor(user: User) -> Donor:
    """Return the donor this person is; raises NotAllowed for everyone else."""
    donor = donor_of(user) if has_role(user, Role.DONOR) else None
    if donor is None:
        raise NotAllowed(
            "these pages are for people who gave a sample, and your account is not "
            "tied to one. If you gave a sample, ask the people who took it"
        )
    return donor
