"""`Idempotency-Key`: a POST that is sent again has one effect and one answer.

The answer is kept in the transaction of the act itself, so that it exists exactly
when the act happened; a second request that comes meanwhile waits for the first.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from gemmule.accounts.models import User
from gemmule.api.errors import FieldRefused, KeyReused
from gemmule.api.models import IdempotentAnswer

HEADER = "Idempotency-Key"
_LONGEST = 100
# No status of HTTP: the body is what FieldRefused is made of.
_REFUSED = 0


def once(
    request: Request,
    user: User,
    act: Callable[[], tuple[int, dict[str, Any]]],
    *,
    refusals_count: bool = False,
) -> Response:
    """Run `act` unless this user's key was seen; answer the same either way.

    With a key or without, `act` happens as a whole or not at all. Where
    `refusals_count`, a FieldRefused is an outcome like others: what `act` wrote before
    it stays, and its key answers it again.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        with transaction.atomic():
            number, body = _outcome(act, refusals_count)
        return _answer(number, body)
    if len(key) > _LONGEST or not (key.isascii() and key.isprintable()):
        raise FieldRefused(
            f"{HEADER} is at most {_LONGEST} printable characters of ASCII",
            field=HEADER,
        )
    digest = _digest(request)
    try:
        with transaction.atomic():
            kept = IdempotentAnswer.objects.filter(user=user, key=key).first()
            is_first = kept is None
            if kept is None:
                # Reserve the key first: whoever comes second waits here.
                kept = IdempotentAnswer.objects.create(
                    user=user,
                    key=key,
                    request_sha256=digest,
                    status=0,
                    body={},
                    created_at=timezone.now(),
                )
                kept.status, kept.body = _outcome(act, refusals_count)
                kept.save(update_fields=["status", "body"])
        if is_first:
            return _answer(kept.status, kept.body)
    except IntegrityError:
        kept = IdempotentAnswer.objects.filter(user=user, key=key).first()
        if kept is None:
            raise
    if kept.request_sha256 != digest:
        raise KeyReused(f"this {HEADER} was used for another request; choose a new one")
    return _answer(kept.status, kept.body, headers={"Idempotency-Replayed": "true"})


def _outcome(
    act: Callable[[], tuple[int, dict[str, Any]]], refusals_count: bool
) -> tuple[int, dict[str, Any]]:
    try:
        return act()
    except FieldRefused as refusal:
        if not refusals_count:
            raise
        told = {"message": str(refusal), "field": refusal.field, "code": refusal.code}
        return _REFUSED, told


def _answer(
    number: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> Response:
    if number == _REFUSED:
        told = dict(body)
        raise FieldRefused(told.pop("message"), **told)
    return Response(body, status=number, headers=headers)


def _digest(request: Request) -> str:
    """Return the digest (hex) of method, path and body; equal values, equal digest."""
    asked = {"method": request.method, "path": request.path, "body": request.data}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
