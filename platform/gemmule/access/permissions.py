"""Who may do what with projects and requests; in which state is in `states`."""

from collections.abc import Callable

from gemmule.access.models import AccessRequest, Project, ReviewDecision
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.accounts.permissions import check_role, has_role

IRB_ROLES = (Role.IRB_REVIEWER, Role.IRB_CHAIR)
READER_ROLES = (*IRB_ROLES, Role.AUDITOR)


def is_member(user: User, project: Project) -> bool:
    """Return whether the user has a place in the project."""
    return project.memberships.filter(user=user).exists()


def check_is_member(user: User, project: Project) -> None:
    """Refuse whoever is not in the project as if there were no project."""
    check_role(user, Role.RESEARCHER)
    if not is_member(user, project):
        raise NotFound(f"there is no project {project.accession} of yours")


def check_leads(user: User, project: Project) -> None:
    """Let only the lead change who is in the project."""
    check_is_member(user, project)
    if project.lead_id != user.pk:
        raise NotAllowed("only the lead of a project may change its members")


def check_may_read(user: User, request: AccessRequest) -> None:
    """Let the project and, once it was submitted, IRB and auditors read a request."""
    if has_role(user, *READER_ROLES) and request.submitted_at is not None:
        return
    if has_role(user, Role.RESEARCHER) and is_member(user, request.project):
        return
    raise NotFound(f"there is no request {request.accession} for you")


def check_may_review(user: User, request: AccessRequest) -> None:
    """Let an IRB member without a part in the project or the dataset review."""
    check_role(user, *IRB_ROLES)
    if is_member(user, request.project) or request.submitted_by_id == user.pk:
        raise NotAllowed("a member of the project cannot review its request")
    dataset = request.dataset
    stewards = {
        dataset.steward_id,
        dataset.map_uploaded_by_id,
        dataset.map_confirmed_by_id,
    }
    if user.pk in stewards:
        raise NotAllowed("a steward of the dataset cannot review requests for it")


def check_may_countersign(user: User, request: AccessRequest) -> None:
    """Let a second IRB member, never the first, sign an approval."""
    check_may_review(user, request)
    signed = request.reviews.filter(decision=ReviewDecision.PROPOSE, reviewer=user)
    if signed.filter(created_at__gte=request.submitted_at).exists():
        raise NotAllowed("the second signature must be another person's")


def check_may_deny(user: User, request: AccessRequest) -> None:
    """Let only the chair deny: one reviewer alone never can."""
    check_may_review(user, request)
    if not has_role(user, Role.IRB_CHAIR):
        raise NotAllowed("only the chair of the IRB may deny a request")


def can_review(user: User, request: AccessRequest) -> bool:
    """Return `check_may_review` as a boolean, for templates."""
    return _holds(check_may_review, user, request)


def can_countersign(user: User, request: AccessRequest) -> bool:
    """Return `check_may_countersign` as a boolean, for templates."""
    return _holds(check_may_countersign, user, request)


def can_deny(user: User, request: AccessRequest) -> bool:
    """Return `check_may_deny` as a boolean, for templates."""
    return _holds(check_may_deny, user, request)


def _holds(
    check: Callable[[User, AccessRequest], None], user: User, request: AccessRequest
) -> bool:
    try:
        check(user, request)
    except (NotAllowed, NotFound):
        return False
    return True
