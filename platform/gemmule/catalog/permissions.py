"""Who may do what with datasets; in which state is in `states`.

Stewards bring data in and never get it back: no service here returns a genotype.
"""

from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import check_role
from gemmule.catalog.models import Dataset


def check_is_steward(user: User) -> None:
    """Let data stewards alone work on datasets."""
    check_role(user, Role.STEWARD)


def check_may_confirm_map(user: User, dataset: Dataset) -> None:
    """Let a second steward, never the one who sent it, confirm the sample map."""
    check_is_steward(user)
    if dataset.map_uploaded_by_id == user.pk:
        raise NotAllowed(
            "you sent this sample map; another steward must confirm it, "
            "so that two people have looked at it"
        )


def can_confirm_map(user: User, dataset: Dataset) -> bool:
    """Return `check_may_confirm_map` as a boolean, for templates."""
    try:
        check_may_confirm_map(user, dataset)
    except NotAllowed:
        return False
    return True
