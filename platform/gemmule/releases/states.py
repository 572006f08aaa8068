"""Where a release can go: one table, used by every writer."""

from gemmule.releases.errors import ReleaseStateError
from gemmule.releases.models import Release, ReleaseState

S = ReleaseState

TRANSITIONS: dict[str, frozenset[str]] = {
    S.REQUESTED: frozenset({S.BUILDING, S.FAILED, S.REVOKED, S.EXPIRED}),
    # Back to requested when consent moved or the worker was lost.
    S.BUILDING: frozenset({S.REQUESTED, S.SEALED, S.FAILED, S.REVOKED, S.EXPIRED}),
    S.SEALED: frozenset({S.AVAILABLE, S.SUSPENDED, S.REVOKED, S.EXPIRED}),
    S.AVAILABLE: frozenset({S.SUSPENDED, S.REVOKED, S.EXPIRED}),
    # Back to where the pause found it.
    S.SUSPENDED: frozenset({S.SEALED, S.AVAILABLE, S.REVOKED, S.EXPIRED}),
    # What a newer release replaced; recorded once that one is available.
    S.REVOKED: frozenset({S.SUPERSEDED}),
    S.SUPERSEDED: frozenset(),
    S.EXPIRED: frozenset(),
    S.FAILED: frozenset(),
}

# States in which the bytes of a release exist and may have been handed out.
DELIVERED_STATES = (S.SEALED, S.AVAILABLE, S.SUSPENDED)


def move(release: Release, state: ReleaseState) -> None:
    """Set the state, or refuse a step the table does not know."""
    if state not in TRANSITIONS[release.state]:
        raise ReleaseStateError(
            f"release {release.accession} is {release.get_state_display().lower()} "
            f"and cannot become {state.label.lower()}"
        )
    release.state = state
