"""The way of a dataset from its description to the catalogue, as a task list.

Derived from the rows on each page; it decides nothing and stores nothing.
"""

from dataclasses import dataclass

from django.urls import reverse

from gemmule.accounts.models import User
from gemmule.catalog import permissions, selectors, states
from gemmule.catalog.models import DataFileState, Dataset
from gemmule.catalog.selectors import BuildEvidence
from gemmule.catalog.states import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step: its name, where it is done (empty: not now), how far it has come.

    `tone` is a tone of the style sheet and only repeats what `status` says.
    """

    name: str
    url: str
    status: str
    tone: str
    hint: str = ""


def tasks(dataset: Dataset, user: User) -> list[Task]:
    """Return the six steps of a dataset as this steward finds them; 6 queries."""
    counts = dict.fromkeys(DataFileState.values, 0)
    for state in dataset.files.values_list("state", flat=True):
        counts[state] += 1
    return [
        _describe(dataset),
        _files(dataset, counts),
        _build(dataset, counts),
        _map(dataset, counts),
        _confirmation(dataset, user),
        _publication(dataset),
    ]


def _describe(dataset: Dataset) -> Task:
    return Task(
        name="Describe the dataset",
        url=_url("steward_describe", dataset, "describe"),
        status="Done",
        tone="good",
    )


def _files(dataset: Dataset, counts: dict[str, int]) -> Task:
    accepted = counts[DataFileState.ACCEPTED]
    refused = counts[DataFileState.REFUSED]
    waiting = counts[DataFileState.UPLOADED] + counts[DataFileState.CHECKING]
    if waiting:
        status, tone = "Being checked", "waiting"
    elif accepted:
        status, tone = "Done", "good"
    elif refused:
        status, tone = "Needs attention", "stop"
    else:
        status, tone = "To do", "attention"
    told = [
        f"{number} {word}"
        for number, word in (
            (accepted, "accepted"),
            (waiting, "being checked"),
            (refused, "refused"),
        )
        if number
    ]
    return Task(
        name="Upload the files",
        url=reverse("steward_files", args=[dataset.accession]),
        status=status,
        tone=tone,
        hint=", ".join(told),
    )


def _build(dataset: Dataset, counts: dict[str, int]) -> Task:
    name = f"Make sure of the genome build, {dataset.build}"
    evidence = selectors.build_evidence(dataset)
    if evidence is BuildEvidence.LENGTHS:
        return Task(
            name=name,
            url="",
            status="Done",
            tone="good",
            hint="The contig lengths in the files agree.",
        )
    if evidence is BuildEvidence.STATEMENT:
        return Task(
            name=name,
            url="",
            status="Done",
            tone="good",
            hint="A steward signed that the files are on it.",
        )
    if not counts[DataFileState.ACCEPTED]:
        return _not_yet(name)
    return Task(
        name=name,
        url=_url("steward_build", dataset, "state_build"),
        status="To do",
        tone="attention",
        hint="Nothing in the files proves it, so a steward must sign for it.",
    )


def _map(dataset: Dataset, counts: dict[str, int]) -> Task:
    name = "Map samples to donors"
    url = reverse("steward_map", args=[dataset.accession])
    if dataset.map_sha256:
        return Task(name=name, url=url, status="Done", tone="good")
    if not counts[DataFileState.ACCEPTED]:
        return _not_yet(name)
    return Task(name=name, url=url, status="To do", tone="attention")


def _confirmation(dataset: Dataset, user: User) -> Task:
    name = "Have the map confirmed by a second steward"
    if states.stage(dataset) is not Stage.OPEN:
        return Task(
            name=name,
            url=reverse("steward_confirm", args=[dataset.accession]),
            status="Done",
            tone="good",
            hint=f"Confirmed by {dataset.map_confirmed_by}.",
        )
    if not dataset.map_sha256:
        return _not_yet(name)
    if permissions.can_confirm_map(user, dataset):
        return Task(
            name=name,
            url=reverse("steward_confirm", args=[dataset.accession]),
            status="Yours to do",
            tone="attention",
            hint=f"{dataset.map_uploaded_by} sent the map.",
        )
    return Task(
        name=name,
        url=reverse("steward_confirm", args=[dataset.accession]),
        status="Waits for another steward",
        tone="waiting",
        hint="You sent the map, so someone else must look at it.",
    )


def _publication(dataset: Dataset) -> Task:
    name = "Publish it in the catalogue"
    if states.stage(dataset) is Stage.PUBLISHED:
        return Task(
            name=name,
            url=reverse("dataset", args=[dataset.accession]),
            status="Done",
            tone="good",
            hint="Researchers can request it.",
        )
    if not states.allows(dataset, "publish"):
        return _not_yet(name)
    if selectors.build_evidence(dataset) is None:
        return _not_yet(name)
    return Task(
        name=name,
        url=reverse("steward_publish", args=[dataset.accession]),
        status="To do",
        tone="attention",
    )


def _not_yet(name: str) -> Task:
    return Task(name=name, url="", status="Cannot start yet", tone="plain-tone")


def _url(name: str, dataset: Dataset, act: str) -> str:
    """Return the page of an act, or nothing where the act is not possible now."""
    return (
        reverse(name, args=[dataset.accession]) if states.allows(dataset, act) else ""
    )
