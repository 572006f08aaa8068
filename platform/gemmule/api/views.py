"""What every view of the API shares: who asks, and when."""

from datetime import datetime

from django.utils import timezone
from rest_framework.views import APIView

from gemmule.accounts.models import User


class GemmuleView(APIView):
    """A view for signed-in users whose services take a user and a time."""

    @property
    def user(self) -> User:
        """Return who asks; authentication has already refused everybody else."""
        user = self.request.user
        if not isinstance(user, User):
            raise AssertionError("an anonymous request passed authentication")
        return user

    @property
    def now(self) -> datetime:
        """Return the time of the request."""
        return timezone.now()
