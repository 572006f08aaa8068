"""What a person signed, as other rooms keep it beside their decision."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A person stood by a statement and gave their password anew for it."""

    user_id: int
    method: str
    statement_sha256: str
    signed_at: datetime

    def to_json(self) -> dict[str, str | int]:
        """Return the signature as JSON values.

        >>> from datetime import UTC
        >>> Signature(
        ...     user_id=7, method="password", statement_sha256="ab",
        ...     signed_at=datetime(2026, 11, 22, 15, 43, tzinfo=UTC),
        ... ).to_json()["signed_at"]
        '2026-11-22T15:43:00+00:00'
        """
        return {
            "user": self.user_id,
            "method": self.method,
            "statement_sha256": self.statement_sha256,
            "signed_at": self.signed_at.isoformat(),
        }
