"""Authenticate API requests by knox token, and say why a token is refused."""

from datetime import datetime

from django.utils import timezone
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication as KnoxTokenAuthentication
from knox.models import AuthToken
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(
    KnoxTokenAuthentication  # type: ignore[misc]  # knox has no types
):
    """Knox's scheme, but an expired token is told apart from an unknown one.

    Knox deletes expired tokens and then calls them invalid; who reads that in a
    log at night cannot know what to do. They stay listed until their owner
    revokes them.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[object, AuthToken]:
        """Return user and token; raises AuthenticationFailed (401)."""
        try:
            text = token.decode("ascii")
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None
        user, auth_token = super().authenticate_credentials(text.encode())
        expiry: datetime | None = auth_token.expiry
        if expiry is not None and expiry <= timezone.now():
            raise AuthenticationFailed(
                f"This token expired on {expiry:%Y-%m-%d} at {expiry:%H:%M} UTC. "
                "Make a new one under Account, API tokens."
            )
        return user, auth_token

    def _cleanup_token(self, auth_token: AuthToken) -> bool:
        return False


class TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]  # has no types
    """Describe the scheme in the OpenAPI file as knox's own."""

    target_class = "gemmule.accounts.authentication.TokenAuthentication"
