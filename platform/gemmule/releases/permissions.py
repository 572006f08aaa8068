"""Who may do what with releases; in which state is in `states`."""

import gemmule.access.permissions as access
from gemmule.access.permissions import IRB_ROLES, READER_ROLES
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import has_role
from gemmule.releases.models import Release


def check_may_read(user: User, release: Release) -> None:
    """Let the project, the IRB and auditors read about a release."""
    if has_role(user, *READER_ROLES):
        return
    if has_role(user, Role.RESEARCHER) and access.is_member(
        user, release.request.project
    ):
        return
    raise NotFound(f"there is no release {release.accession} for you")


def check_may_download(user: User, release: Release) -> None:
    """Let only the recipient, to whose key it is encrypted, take the bytes."""
    check_may_read(user, release)
    if release.recipient_id != user.pk:
        raise NotAllowed(
            f"release {release.accession} is encrypted to another person's key; "
            "ask for one to your own"
        )


def check_may_revoke(user: User, release: Release) -> None:
    """Let the IRB and the project itself end a release at once."""
    check_may_read(user, release)
    if not has_role(user, *IRB_ROLES, Role.RESEARCHER):
        raise NotAllowed("auditors read, and change nothing")
