"""Call the API as a script does: a token, JSON, and nothing of a browser."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.test import Client

from gemmule.accounts import services
from gemmule.accounts.models import User

ROOT = "/api/v1"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a token, or without one."""

    token: str = ""
    client: Client = field(default_factory=Client)

    def get(self, path: str, **headers: str) -> Any:
        return self._send("GET", path, None, headers)

    def head(self, path: str, **headers: str) -> Any:
        return self._send("HEAD", path, None, headers)

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return self._send("POST", path, body, {"Idempotency-Key": key} if key else {})

    def patch(self, path: str, body: Any) -> Any:
        return self._send("PATCH", path, body, {})

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path, None, {})

    def _send(self, method: str, path: str, body: Any, extra: dict[str, str]) -> Any:
        headers = {name.replace("_", "-"): value for name, value in extra.items()}
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.generic(
            method, ROOT + path, data, content_type="application/json", headers=headers
        )


def caller(user: User) -> Caller:
    """Return the person as a caller, with a fresh token."""
    return Caller(
        services.issue_token(user=user, name="test", expiry=timedelta(days=1))
    )


def assert_problem(
    answer: Any, status: int, *, says: str = "", code: str = "", field: str = ""
) -> dict[str, Any]:
    """Fail unless the answer is a problem of this kind; return its body."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["type"] == f"urn:gemmule:problem:{body['code']}"
    assert says in body["detail"], body
    if code:
        assert body["code"] == code, body
    if field:
        assert body.get("field") == field, body
    return body
