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
from gemmule.accounts import keys, permissions, selectors
from gemmule.accounts.errors import KeyRefused, ProofRefused, SecretKeyRefused
from gemmule.accounts.models import ResearcherKey
from gemmule.api.errors import FieldRefused, WrongState
from gemmule.api.idempotency import once
from gemmule.api.pagination import CursorPagination
from gemmule.api.parsing import BoundedJSONParser
from gemmule.api.schema import IDEMPOTENCY_KEY, PAGING, READING, WRITING, answers
from gemmule.api.serializing import ListedFieldsOnly
from gemmule.api.views import GemmuleView


class KeySerializer(serializers.ModelSerializer[ResearcherKey]):
    """A registered key."""

    class Meta:
        """The key itself is its owner's; its fingerprint is enough."""

        model = ResearcherKey
        fields = ("id", "name", "fingerprint", "state", "created_at", "registered_at")
        read_only_fields = fields


class KeyTextField(serializers.CharField):
    """A text that only the parser of keys judges, so that it says everywhere the same.

    No character is refused here: a file in UTF-16 has null characters, and the parser
    reads it.
    """

    def __init__(self, **options: Any) -> None:  # Any: DRF's own options
        super().__init__(trim_whitespace=False, **options)
        self.validators = []


class KeyTextParser(BoundedJSONParser):
    """Leave the text of a key to the parser of keys: the text itself is not kept."""

    unkept_fields = frozenset({"public_key"})


class NewKeySerializer(ListedFieldsOnly):
    """A public key file, as text."""

    name = serializers.CharField(max_length=100)
    public_key = KeyTextField(
        help_text="The text of a public key file (at most 4096 characters): Crypt4GH, "
        "one line of ssh-ed25519, or PEM of X25519 or Ed25519. Never a secret key.",
    )

    def validate_name(self, name: str) -> str:
        """Refuse a secret key that was sent as the name of the public one."""
        try:
            keys.refuse_secret_key(name)
        except SecretKeyRefused as refusal:
            raise _at(refusal, "name") from None
        return name


class ProofSerializer(ListedFieldsOnly):
    """The decrypted text of the challenge."""

    answer = serializers.CharField(max_length=4000)


class KeyPagination(CursorPagination):
    """Keys have random ids, so their time of registration orders them."""

    ordering = ("-created_at", "-id")


class KeyList(GemmuleView):
    """The user's keys."""

    roles = permissions.KEY_ROLES
    parser_classes = (KeyTextParser,)
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
        parameters=[IDEMPOTENCY_KEY],
        request=NewKeySerializer,
        responses=answers({201: KeySerializer}, 422, *WRITING),
    )
    def post(self, request: Request) -> Response:
        """Register a public key; it is used once its secret was proved.

        A secret key sent by mistake is refused and not kept. A key that waits for
        its proof is sent again to get a new challenge.
        """
        fields = NewKeySerializer(data=request.data)
        fields.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            try:
                key = gemmule.accounts.services.begin_key(
                    user=self.user,
                    name=fields.validated_data["name"],
                    public_key_text=fields.validated_data["public_key"],
                    now=self.now,
                )
            except KeyRefused as refusal:
                raise _at(refusal, "public_key") from None
            return status.HTTP_201_CREATED, dict(KeySerializer(key).data)

        return once(request, self.user, act)


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
    """The proof that the user holds the secret of a key."""

    roles = permissions.KEY_ROLES

    @extend_schema(
        operation_id="keys_prove",
        parameters=[IDEMPOTENCY_KEY],
        request=ProofSerializer,
        responses=answers({200: KeySerializer}, 404, 409, 422, *WRITING),
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        """Send the decrypted challenge; the key becomes active.

        Five answers may be wrong; one sent again with its `Idempotency-Key` counts
        once.
        """
        fields = ProofSerializer(data=request.data)
        fields.is_valid(raise_exception=True)

        def act() -> tuple[int, dict[str, Any]]:
            _check_waits(selectors.key_of(self.user, key_id))
            try:
                key = gemmule.accounts.services.prove_key(
                    user=self.user,
                    key_id=key_id,
                    answer=fields.validated_data["answer"],
                    now=self.now,
                )
            except (ProofRefused, SecretKeyRefused) as refusal:
                raise _at(refusal, "answer") from None
            return status.HTTP_200_OK, dict(KeySerializer(key).data)

        # The count of a wrong answer stays.
        return once(request, self.user, act, refusals_count=True)


def _check_waits(key: ResearcherKey) -> None:
    if key.state != ResearcherKey.State.PENDING:
        raise WrongState(f"this key is {key.state} and waits for no proof")


def _at(refusal: KeyRefused | ProofRefused, field: str) -> FieldRefused:
    is_secret = isinstance(refusal, SecretKeyRefused)
    code = "secret-key" if is_secret else "refused"
    return FieldRefused(str(refusal), field=field, code=code)
