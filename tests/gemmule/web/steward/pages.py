"""The stewards' pages by name, and what a browser sends to them."""

import io
from collections.abc import Callable
from datetime import datetime

from django.test import Client
from django.urls import reverse

import consent.services
from gemmule.accounts.models import User
from gemmule.catalog import intake, services
from gemmule.catalog.models import DataFile, Dataset
from gemmule.catalog.states import Stage
from tests.gemmule.catalog.callsets import NAMES

SignIn = Callable[[User], Client]
TYPED = {
    "title": "A call set of the clinic",
    "summary": "Three people whose blood was sequenced at the clinic.",
    "build": "GRCh37",
    "barred_countries": "us, SE",
}

# name -> (methods, the stages at which the page opens)
ANY = frozenset(Stage)
PAGES: dict[str, tuple[set[str], frozenset[Stage]]] = {
    "steward": ({"GET"}, ANY),
    "steward_register": ({"GET", "POST"}, ANY),
    "steward_dataset": ({"GET"}, ANY),
    "steward_describe": ({"GET", "POST"}, frozenset({Stage.OPEN})),
    "steward_files": ({"GET", "POST"}, ANY),
    "steward_file": ({"GET"}, ANY),
    "steward_file_remove": ({"GET", "POST"}, frozenset({Stage.OPEN})),
    "steward_build": (
        {"GET", "POST"},
        frozenset({Stage.OPEN, Stage.CONFIRMED}),
    ),
    "steward_map": ({"GET", "POST"}, ANY),
    "steward_map_csv": ({"GET"}, ANY),
    "steward_donors": ({"GET", "POST"}, frozenset({Stage.OPEN})),
    "steward_confirm": ({"GET", "POST"}, ANY),
    "steward_reopen": ({"GET", "POST"}, frozenset({Stage.CONFIRMED})),
    "steward_publish": ({"GET", "POST"}, frozenset({Stage.CONFIRMED})),
}


def url(name: str, dataset: Dataset) -> str:
    """Return the path of a page; a file's is that of the first file."""
    if name in ("steward", "steward_register"):
        return reverse(name)
    if name.startswith("steward_file") and name != "steward_files":
        return reverse(name, args=[dataset.accession, 1])
    return reverse(name, args=[dataset.accession])


def add(dataset: Dataset, user: User, data: bytes, now: datetime) -> DataFile:
    """Return the bytes as a file of the dataset, checked."""
    file = services.upload_file(
        user=user,
        dataset=dataset,
        stream=io.BytesIO(data),
        original_name="calls.vcf",
        now=now,
    )
    intake.check(file.pk, clock=lambda: now)
    file.refresh_from_db()
    return file


def csv_of(dataset: Dataset, now: datetime) -> bytes:
    """Return a map from the samples to donors made for them."""
    donors = consent.services.register_donors(count=3, now=now)
    rows = "".join(
        f"{name},{donor.pk}\n" for name, donor in zip(NAMES, donors, strict=True)
    )
    return f"sample,donor\n{rows}".encode()
