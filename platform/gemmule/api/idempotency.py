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


def once(
    request: Request,
    user: User,
    act: Callable[[], tuple[int, dict[str, Any]]],
) -> Response:
    """Run `act` unless this user's key was seen; answer the same either way.

    With a key or without, `act` happens as a whole or not at all.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        with transaction.atomic():
            number, body = act()
        return Response(body, status=number)
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
                kept.status, kept.body = act()
                kept.save(update_fields=["status", "body"])
        if is_first:
            return Response(kept.body, status=kept.status)
    except IntegrityError:
        kept = IdempotentAnswer.objects.filter(user=user, key=key).first()
        if kept is None:
            raise
    if kept.request_sha256 != digest:
        raise KeyReused(f"this {HEADER} was used for another request; choose a new one")
    return Response(
        kept.body, status=kept.status, headers={"Idempotency-Replayed": "true"}
    )


def _digest(request: Request) -> str:
    """Return the digest (hex) of method, path and body; equal values, equal digest."""
    asked = {"method": request.method, "path": request.path, "body": request.data}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
