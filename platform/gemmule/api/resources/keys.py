"""/keys/: Crypt4GH public keys, registered with proof of possession."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

import gemmule.accounts.services
from gemmule.accounts.errors import NotFound
from gemmule.accounts.models import ResearcherKey, User
from gemmule.api.idempotency import once
from gemmule.api.pagination import CursorPagination
from gemmule.api.views import GemmuleView


class KeySerializer(serializers.ModelSerializer[ResearcherKey]):
    """A registered key."""

    class Meta:
        """The key itself is its owner's; its fingerprint is enough."""

        model = ResearcherKey
        fields = ("id", "name", "fingerprint", "state", "registered_at")
        read_only_fields = fields


class NewKeySerializer(serializers.Serializer[ResearcherKey]):
    """A Crypt4GH public key file, as text."""

    name = serializers.CharField(max_length=100)
    public_key = serializers.CharField(max_length=4000)


class ProofSerializer(serializers.Serializer[ResearcherKey]):
    """The decrypted text of the challenge."""

    answer = serializers.CharField(max_length=200)


class KeyList(GemmuleView):
    """The user's keys."""

    @extend_schema(operation_id="keys_list", responses=KeySerializer(many=True))
    def get(self, request: Request) -> Response:
        """List the user's keys."""
        paginator = CursorPagination()
        paginator.ordering = "-created_at"
        page = paginator.paginate_queryset(
            ResearcherKey.objects.filter(user=self.user), request, view=self
        )
        shown: Any = KeySerializer(page, many=True).data
        return paginator.get_paginated_response(shown)

    @extend_schema(
        operation_id="keys_create",
        request=NewKeySerializer,
        responses={201: KeySerializer},
    )
    def post(self, request: Request) -> Response:
        """Register a public key; it is used once its secret was proved.

        A secret key sent by mistake is refused and not kept.
        """
        fields = NewKeySerializer(data=request.data)
        fields.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            key = gemmule.accounts.services.begin_key(
                user=self.user,
                name=fields.validated_data["name"],
                public_key_text=fields.validated_data["public_key"],
                now=self.now,
            )
            return status.HTTP_201_CREATED, dict(KeySerializer(key).data)

        return once(request, self.user, act)


class KeyChallenge(GemmuleView):
    """The challenge of a key that waits for its proof."""

    @extend_schema(
        operation_id="keys_challenge",
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)
        },
    )
    def get(self, request: Request, key_id: UUID) -> HttpResponse:
        """Download the challenge, a small Crypt4GH file."""
        key = _key(self.user, key_id)
        answer = HttpResponse(
            gemmule.accounts.services.challenge_file(key),
            content_type="application/octet-stream",
        )
        answer["Content-Disposition"] = 'attachment; filename="challenge.c4gh"'
        return answer


class KeyProof(GemmuleView):
    """The proof that the user holds the secret of a key."""

    @extend_schema(
        operation_id="keys_prove", request=ProofSerializer, responses=KeySerializer
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        """Send the decrypted challenge; the key becomes active."""
        fields = ProofSerializer(data=request.data)
        fields.is_valid(raise_exception=True)
        key = gemmule.accounts.services.prove_key(
            user=self.user,
            key_id=key_id,
            answer=fields.validated_data["answer"],
            now=self.now,
        )
        return Response(KeySerializer(key).data)


def _key(user: User, key_id: UUID) -> ResearcherKey:
    key = ResearcherKey.objects.filter(user=user, pk=key_id).first()
    if key is None:
        raise NotFound("there is no such key of yours")
    return key
