"""What can be done to a dataset and to a file of it, and when: two tables.

A dataset's stage is derived from its row: while it is open, files and sample map
may change; a confirmed map locks both, so that what the second steward saw is what
researchers get; publishing locks them for good.
"""

from enum import StrEnum

from gemmule.catalog.errors import DatasetStateError
from gemmule.catalog.models import DataFileState, Dataset, DatasetState


class Stage(StrEnum):
    """How far the preparation of a dataset has come."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    PUBLISHED = "published"


# The acts are the services of the same names, without "dataset" or "sample".
ACTS: dict[Stage, frozenset[str]] = {
    Stage.OPEN: frozenset(
        {
            "describe",
            "upload_file",
            "remove_file",
            "upload_map",
            "make_donors",
            "confirm_map",
            "state_build",
        }
    ),
    Stage.CONFIRMED: frozenset({"reopen", "state_build", "publish"}),
    Stage.PUBLISHED: frozenset(),
}

# state -> act of the intake -> next state. "start" on a file being checked is for a
# check whose lease has run out: its worker is lost.
FILE_TRANSITIONS: dict[str, dict[str, str]] = {
    DataFileState.UPLOADED: {"start": DataFileState.CHECKING},
    DataFileState.CHECKING: {
        "start": DataFileState.CHECKING,
        "put_back": DataFileState.UPLOADED,
        "accept": DataFileState.ACCEPTED,
        "refuse": DataFileState.REFUSED,
    },
    DataFileState.ACCEPTED: {},
    DataFileState.REFUSED: {},
}

_WHY_NOT = {
    Stage.OPEN: "its sample map is not confirmed yet",
    Stage.CONFIRMED: (
        "its sample map is confirmed; reopen it first, "
        "and it will need to be confirmed again"
    ),
    Stage.PUBLISHED: "it is published, and what was published does not change",
}


def stage(dataset: Dataset) -> Stage:
    """Return how far the preparation of a dataset has come."""
    if dataset.state == DatasetState.PUBLISHED:
        return Stage.PUBLISHED
    if dataset.map_confirmed_at is not None:
        return Stage.CONFIRMED
    return Stage.OPEN


def allows(dataset: Dataset, act: str) -> bool:
    """Return whether `act` is possible at the dataset's present stage."""
    return act in ACTS[stage(dataset)]


def check(dataset: Dataset, act: str) -> None:
    """Refuse an act that the dataset's stage does not allow, and say why."""
    if not allows(dataset, act):
        raise DatasetStateError(
            f"cannot {act.replace('_', ' ')} for dataset {dataset.accession}: "
            f"{_WHY_NOT[stage(dataset)]}"
        )


def next_file_state(state: str, act: str) -> DataFileState:
    """Return the state of a file after an act of the intake.

    The intake looks before it acts, so an act out of place is a defect.
    """
    following = FILE_TRANSITIONS[state].get(act)
    if following is None:
        raise AssertionError(f"a file that is {state} cannot {act}")
    return DataFileState(following)
