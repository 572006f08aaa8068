"""Addresses of the administrators' pages."""

from django.urls import path

from gemmule.web import holds, people

urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite, name="people_invite"),
    path("people/propose/", people.role_propose, name="role_propose"),
    path(
        "people/proposals/<int:proposal_id>/confirm/",
        people.role_confirm,
        name="role_confirm",
    ),
    path(
        "people/proposals/<int:proposal_id>/decline/",
        people.role_decline,
        name="role_decline",
    ),
    path("people/holds/", holds.hold_list, name="holds"),
    path("people/holds/<int:hold_id>/", holds.hold_sign, name="hold_sign"),
    path("people/roles/<int:grant_id>/revoke/", people.role_revoke, name="role_revoke"),
]
