"""/keys/: the user's Crypt4GH public keys; they are registered on the pages alone."""

from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.accounts.services
from gemmule.accounts import permissions, selectors
from gemmule.accounts.models import ResearcherKey
from gemmule.api.errors import SignInNeeded, WrongState
from gemmule.api.pagination import CursorPagination
from gemmule.api.schema import PAGING, READING, answers
from gemmule.api.views import GemmuleView


class KeySerializer(serializers.ModelSerializer[ResearcherKey]):
    """A registered key."""

    class Meta:
        """The key itself is its owner's; its fingerprint is enough."""

        model = ResearcherKey
        fields = ("id", "name", "fingerprint", "state", "created_at", "registered_at")
        read_only_fields = fields


class KeyPagination(CursorPagination):
    """Keys have random ids, so their time of registration orders them."""

    ordering = ("-created_at", "-id")


class KeyList(GemmuleView):
    """The user's keys."""

    roles = permissions.KEY_ROLES
    pagination_class = KeyPagination

    @extend_schema(
        operation_id="keys_list",
        parameters=PAGING,
        responses=answers({200: KeySerializer(many=True)}, 400, *READING),
    )
    def get(self, request: Request) -> Response:
        """List the user's keys, newest first."""
        return self.page(self.user.researcher_keys.all(), KeySerializer)

    @extend_schema(
        operation_id="keys_create",
        request=None,
        responses=answers({}, *READING),
        deprecated=True,
    )
    def post(self, request: Request) -> Response:
        """Refuse: a key is registered on the pages, with the password given again."""
        raise _not_by_token()


class KeyChallenge(GemmuleView):
    """The challenge of a key that waits for its proof."""

    roles = permissions.KEY_ROLES

    @extend_schema(
        operation_id="keys_challenge",
        responses=answers(
            {(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
            404,
            409,
            *READING,
        ),
    )
    def get(self, request: Request, key_id: UUID) -> HttpResponse:
        """Download the challenge, a small Crypt4GH file."""
        key = selectors.key_of(self.user, key_id)
        _check_waits(key)
        return HttpResponse(
            gemmule.accounts.services.challenge_file(key),
            content_type="application/octet-stream",
            headers={
                "Content-Disposition": 'attachment; filename="challenge.c4gh"',
                "Cache-Control": "no-store",
            },
        )


class KeyProof(GemmuleView):
    """The address at which a token could prove a key in older versions."""

    roles = permissions.KEY_ROLES

    @extend_schema(
        operation_id="keys_prove",
        request=None,
        responses=answers({}, *READING),
        deprecated=True,
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        """Refuse: a key is proved on the pages, with the password given again."""
        raise _not_by_token()


def _check_waits(key: ResearcherKey) -> None:
    if key.state != ResearcherKey.State.PENDING:
        raise WrongState(f"this key is {key.state} and waits for no proof")


def _not_by_token() -> SignInNeeded:
    address = f"{settings.PUBLIC_URL.rstrip('/')}{reverse('key_new')}"
    return SignInNeeded(
        "A token cannot register or prove a key, because anyone with a copy of the "
        f"token could then read your files. Sign in at {address} and enter your "
        "password there."
    )
