"""Requests of people who have signed in."""

from django.http import HttpRequest

from gemmule.accounts.models import User


class MemberRequest(HttpRequest):
    """A request behind `login_required`: its user is a person."""

    user: User
