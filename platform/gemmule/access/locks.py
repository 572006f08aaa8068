"""Hold a request's row, so that one act at a time changes it."""

from gemmule.access.models import AccessRequest


def locked(request: AccessRequest) -> AccessRequest:
    """Return the request read anew and locked to the end of the transaction.

    With its project, institution and dataset, which are not locked.
    """
    return (
        AccessRequest.objects.select_for_update(of=("self",))
        .select_related("project__institution", "dataset")
        .get(pk=request.pk)
    )
