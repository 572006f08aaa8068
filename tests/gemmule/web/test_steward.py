"""The stewards' pages: who gets in, what each step shows and does."""

import io
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

import consent.services
import gemmule.web.urls.steward
from gemmule.accounts.models import Role, User
from gemmule.catalog import intake, selectors, services, states
from gemmule.catalog.models import DataFile, DataFileState, Dataset
from gemmule.catalog.states import Stage
from gemmule.demo import cast
from tests import factories
from tests.gemmule.catalog.callsets import DESCRIPTION, NAMES, vcf

pytestmark = pytest.mark.django_db

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


@pytest.fixture(autouse=True)
def _store(tmp_path: Any, settings: Settings) -> None:
    settings.STORE_DIR = tmp_path / "store"


@pytest.fixture
def draft(sven: User, now: datetime) -> Dataset:
    """Return a dataset without any file."""
    return services.register_dataset(user=sven, description=DESCRIPTION, now=now)


@pytest.fixture
def dataset(draft: Dataset, sven: User, now: datetime) -> Dataset:
    """Return a draft with one accepted file of three samples and no map."""
    add(draft, sven, vcf(), now)
    return draft


def add(dataset: Dataset, user: User, data: bytes, now: datetime) -> DataFile:
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
    donors = consent.services.register_donors(count=3, now=now)
    rows = "".join(
        f"{name},{donor.pk}\n" for name, donor in zip(NAMES, donors, strict=True)
    )
    return f"sample,donor\n{rows}".encode()


@pytest.fixture
def mapped(dataset: Dataset, sven: User, now: datetime) -> Dataset:
    """Return the dataset with a map that Sven sent."""
    data = csv_of(dataset, now)
    return services.upload_sample_map(user=sven, dataset=dataset, data=data, now=now)


@pytest.fixture
def confirmed(mapped: Dataset, signe: User, now: datetime) -> Dataset:
    """Return the dataset after Signe confirmed the map."""
    return services.confirm_sample_map(
        user=signe, dataset=mapped, map_sha256=mapped.map_sha256, now=now
    )


@pytest.fixture
def at_stage(
    confirmed: Dataset, sven: User, now: datetime
) -> Callable[[Stage], Dataset]:
    """Return a function that brings the dataset to a stage."""

    def bring(stage: Stage) -> Dataset:
        if stage is Stage.OPEN:
            return services.reopen_dataset(user=sven, dataset=confirmed)
        if stage is Stage.PUBLISHED:
            return services.publish_dataset(user=sven, dataset=confirmed, now=now)
        return confirmed

    return bring


def url(name: str, dataset: Dataset) -> str:
    if name in ("steward", "steward_register"):
        return reverse(name)
    if name.startswith("steward_file") and name != "steward_files":
        return reverse(name, args=[dataset.accession, 1])
    return reverse(name, args=[dataset.accession])


def page_stages() -> Iterator[tuple[str, Stage]]:
    for name, (_, _stages) in PAGES.items():
        yield from ((name, stage) for stage in Stage)


# --- who, when and how -------------------------------------------------------


def test_every_page_of_the_stewards_is_tried_here() -> None:
    names = {pattern.name for pattern in gemmule.web.urls.steward.urlpatterns}
    assert names == set(PAGES)


@pytest.mark.parametrize(("name", "stage"), [*page_stages()])
def test_page_opens_at_its_stages_alone(
    name: str,
    stage: Stage,
    at_stage: Callable[[Stage], Dataset],
    sven: User,
    signed_in: SignIn,
) -> None:
    answer = signed_in(sven).get(url(name, at_stage(stage)))
    allowed = stage in PAGES[name][1]
    assert answer.status_code == (200 if allowed else 400)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", PAGES)
def test_stranger_is_asked_to_sign_in(
    name: str, method: str, draft: Dataset, client: Client
) -> None:
    answer = getattr(client, method)(url(name, draft))
    if method.upper() not in PAGES[name][0]:
        assert answer.status_code == 405
        return
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("role", [None, *(one for one in Role if one != Role.STEWARD)])
@pytest.mark.parametrize("name", PAGES)
def test_other_roles_are_refused_alike_whether_the_dataset_is_there_or_not(
    name: str, role: Role | None, draft: Dataset, signed_in: SignIn
) -> None:
    client = signed_in(factories.person(*([role] if role else [])))
    before = Dataset.objects.values().get()
    for method in PAGES[name][0]:
        there = getattr(client, method.lower())(url(name, draft))
        assert there.status_code == 403
        draft.accession = "GMD0000000"
        nowhere = getattr(client, method.lower())(url(name, draft))
        assert nowhere.status_code == 403
        draft.refresh_from_db()
    assert Dataset.objects.values().get() == before


@pytest.mark.parametrize(
    "name", [name for name in PAGES if name not in ("steward", "steward_register")]
)
def test_unknown_dataset_is_not_found(name: str, sven: User, signed_in: SignIn) -> None:
    missing = Dataset(accession="GMD0000000")
    assert signed_in(sven).get(url(name, missing)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_other_methods_are_refused(
    name: str, draft: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - PAGES[name][0]:
        answer = getattr(client, method.lower())(url(name, draft))
        assert answer.status_code == 405


@pytest.mark.parametrize(
    "name", [name for name, (methods, _) in PAGES.items() if "POST" in methods]
)
def test_post_without_the_token_of_the_form_changes_nothing(
    name: str, draft: Dataset, sven: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(sven)
    before = (Dataset.objects.count(), DataFile.objects.count())
    sent = {**TYPED, "vcf_files": io.BytesIO(b"x")}
    assert client.post(url(name, draft), sent).status_code == 403
    assert (Dataset.objects.count(), DataFile.objects.count()) == before


# --- list and description ----------------------------------------------------


def test_empty_list_says_what_to_do_next(sven: User, signed_in: SignIn) -> None:
    page = signed_in(sven).get(reverse("steward")).content.decode()
    assert reverse("steward_register") in page
    assert "No datasets yet" in page


def test_list_shows_every_dataset(
    dataset: Dataset, signe: User, signed_in: SignIn
) -> None:
    page = signed_in(signe).get(reverse("steward")).content.decode()
    assert dataset.title in page
    assert reverse("steward_dataset", args=[dataset.accession]) in page


def test_registered_dataset_opens_as_a_task_list(sven: User, signed_in: SignIn) -> None:
    answer = signed_in(sven).post(reverse("steward_register"), TYPED, follow=True)
    dataset = Dataset.objects.get()
    assert answer.redirect_chain == [
        (reverse("steward_dataset", args=[dataset.accession]), 302)
    ]
    assert dataset.barred_countries == ["SE", "US"]
    assert dataset.steward == sven
    page = answer.content.decode()
    assert "Upload the files" in page
    assert "Cannot start yet" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("summary", "short"),
        ("build", "hg19"),
        ("barred_countries", "x1"),
    ],
)
def test_wrong_description_keeps_what_was_typed(
    field: str, value: str, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(reverse("steward_register"), TYPED | {field: value})
    assert field in answer.context["form"].errors
    kept = "summary" if field != "summary" else "title"
    assert TYPED[kept] in answer.content.decode()
    assert not Dataset.objects.exists()


def test_description_is_changed(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_describe", dataset)
    assert DESCRIPTION.title in client.get(page).content.decode()
    assert client.post(page, TYPED).status_code == 302
    dataset.refresh_from_db()
    assert dataset.title == TYPED["title"]
    answer = client.post(page, TYPED | {"build": "GRCh38"})
    assert "build" in answer.context["form"].errors


# --- files -------------------------------------------------------------------


def test_uploaded_files_are_taken_in(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    first, second = io.BytesIO(b"one"), io.BytesIO(b"two")
    first.name, second.name = "chr1.vcf", "<b>chr2</b>.vcf"
    answer = client.post(
        url("steward_files", dataset), {"vcf_files": [first, second]}, follow=True
    )
    page = answer.content.decode()
    assert "chr1.vcf" in page
    assert "&lt;b&gt;chr2" not in page  # A path's last part is kept alone.
    assert "<b>chr2" not in page
    assert dataset.files.count() == 3
    # While a check is to come, the list asks for itself anew.
    assert "hx-trigger" in page


def test_settled_list_asks_for_nothing(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    page = signed_in(sven).get(url("steward_files", dataset)).content.decode()
    assert "hx-trigger" not in page
    assert "Accepted" in page


def test_refused_upload_says_why_and_keeps_the_rest(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    again, new = io.BytesIO(vcf()), io.BytesIO(b"new")
    again.name, new.name = "again.vcf", "new.vcf"
    answer = signed_in(sven).post(
        url("steward_files", dataset), {"vcf_files": [again, new]}
    )
    (error,) = answer.context["form"].errors["vcf_files"]
    assert error.startswith("again.vcf: this is file 1")
    assert dataset.files.count() == 2


@pytest.mark.parametrize("sent", [{}, {"vcf_files": ""}, {"other": "x"}])
def test_upload_without_a_file_is_refused(
    sent: dict[str, str], dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(url("steward_files", dataset), sent)
    assert "vcf_files" in answer.context["form"].errors


def test_too_long_upload_is_refused_before_it_is_read(
    dataset: Dataset, sven: User, signed_in: SignIn, settings: Settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 50
    settings.FILE_UPLOAD_HANDLERS = ["tests.no.such.handler"]  # Reading would fail.
    answer = signed_in(sven).post(
        url("steward_files", dataset), {"vcf_files": io.BytesIO(b"x" * 100)}
    )
    assert answer.status_code == 400
    assert "longer than 50 bytes" in answer.content.decode()


def test_upload_to_a_locked_dataset_is_refused(
    confirmed: Dataset, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(
        url("steward_files", confirmed), {"vcf_files": io.BytesIO(b"x")}
    )
    assert answer.status_code == 400
    assert confirmed.files.count() == 1


def test_report_of_an_accepted_file_shows_what_was_found(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    page = signed_in(sven).get(url("steward_file", dataset)).content.decode()
    assert "Accepted" in page
    assert dataset.files.get().sha256_source in page
    assert "0/1" not in page


def test_report_of_a_refused_file_names_line_and_column(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    file = add(dataset, sven, vcf().replace(b"\t0/0\n", b"\n"), now)
    assert file.refusal is not None
    answer = signed_in(sven).get(
        reverse("steward_file", args=[dataset.accession, file.number])
    )
    page = " ".join(answer.content.decode().split())
    assert "Refused" in page
    assert f"Line {file.refusal['line']}" in page
    assert f"column {file.refusal['column']}" in page


def test_unknown_file_is_not_found(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    page = reverse("steward_file", args=[dataset.accession, 9])
    assert signed_in(sven).get(page).status_code == 404


def test_removed_file_is_gone(dataset: Dataset, sven: User, signed_in: SignIn) -> None:
    client = signed_in(sven)
    page = url("steward_file_remove", dataset)
    assert client.get(page).status_code == 200
    assert dataset.files.count() == 1
    assert client.post(page).status_code == 302
    assert dataset.files.count() == 0
    assert client.post(page).status_code == 404


# --- sample map --------------------------------------------------------------


def test_sent_map_is_kept(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    answer = signed_in(sven).post(
        url("steward_map", dataset),
        {"sample_map": io.BytesIO(csv_of(dataset, now))},
    )
    assert answer.status_code == 302
    assert dataset.samples.count() == 3


def test_mismatches_stand_first_and_nothing_is_kept(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    data = f"sample,donor\n{NAMES[0]},\n=cmd|x,\n".encode()
    answer = signed_in(sven).post(
        url("steward_map", dataset), {"sample_map": io.BytesIO(data)}
    )
    page = answer.content.decode()
    assert "sample_map" in answer.context["form"].errors
    assert NAMES[1] in page
    assert "No file of the dataset holds this" in page
    dataset.refresh_from_db()
    assert dataset.map_sha256 == ""


def test_many_mismatches_are_counted(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    rows = "".join(f"X{number},\n" for number in range(300))
    answer = signed_in(sven).post(
        url("steward_map", dataset),
        {"sample_map": io.BytesIO(f"sample,donor\n{rows}".encode())},
    )
    assert len(answer.context["problems"]) == 200
    assert answer.context["more_problems"] == 103


def test_map_before_its_files_is_refused(
    draft: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    assert "Upload the files" in client.get(url("steward_map", draft)).content.decode()
    answer = client.post(
        url("steward_map", draft), {"sample_map": io.BytesIO(b"sample,donor\n")}
    )
    (error,) = answer.context["form"].non_field_errors()
    assert error.startswith("upload a file first")


def test_downloaded_map_is_a_map(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    answer = signed_in(sven).get(url("steward_map_csv", dataset))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith("attachment; ")
    assert answer.content == b"sample,donor\n" + b"".join(
        f"{name},\n".encode() for name in NAMES
    )


def test_donors_are_made_on_request(
    dataset: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_donors", dataset)
    assert client.get(page).status_code == 200
    assert dataset.samples.count() == 0
    assert client.post(page).status_code == 302
    assert dataset.samples.count() == 3


# --- confirmation, build, publication ----------------------------------------


def test_second_steward_confirms_what_she_was_shown(
    mapped: Dataset, signe: User, signed_in: SignIn
) -> None:
    client = signed_in(signe)
    page = url("steward_confirm", mapped)
    shown = client.get(page)
    assert NAMES[2] in shown.content.decode()
    sent = {"map_sha256": shown.context["form"].initial["map_sha256"]}
    assert "has_compared" in client.post(page, sent).context["form"].errors
    assert client.post(page, sent | {"has_compared": "on"}).status_code == 302
    mapped.refresh_from_db()
    assert mapped.map_confirmed_by == signe


def test_first_steward_cannot_confirm(
    mapped: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_confirm", mapped)
    assert "has_compared" not in client.get(page).content.decode()
    sent = {"map_sha256": mapped.map_sha256, "has_compared": "on"}
    assert client.post(page, sent).status_code == 403
    mapped.refresh_from_db()
    assert states.stage(mapped) is Stage.OPEN


def test_replaced_map_is_not_confirmed(
    mapped: Dataset, signe: User, signed_in: SignIn
) -> None:
    sent = {"map_sha256": "0" * 64, "has_compared": "on"}
    answer = signed_in(signe).post(url("steward_confirm", mapped), sent)
    assert "replaced since you looked" in answer.content.decode()
    mapped.refresh_from_db()
    assert states.stage(mapped) is Stage.OPEN


def test_build_is_signed_by_password(
    dataset: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    services.remove_file(user=sven, dataset=dataset, number=1)
    add(dataset, sven, vcf(length=None), now)
    client = signed_in(sven)
    page = url("steward_build", dataset)
    wrong = client.post(page, {"password": "wrong"})
    assert "password" in wrong.context["form"].errors
    assert 'value="wrong"' not in wrong.content.decode()
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is None
    assert client.post(page, {"password": cast.PASSWORD}).status_code == 302
    dataset.refresh_from_db()
    assert selectors.build_evidence(dataset) is selectors.BuildEvidence.STATEMENT


def test_published_dataset_is_in_the_catalogue(
    confirmed: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_publish", confirmed)
    assert client.get(page).status_code == 200
    assert not selectors.published().exists()
    assert client.post(page).status_code == 302
    assert selectors.published().get() == confirmed
    assert client.post(page).status_code == 400


def test_reopened_dataset_can_change(
    confirmed: Dataset, sven: User, signed_in: SignIn
) -> None:
    client = signed_in(sven)
    page = url("steward_reopen", confirmed)
    assert client.get(page).status_code == 200
    assert client.post(page).status_code == 302
    confirmed.refresh_from_db()
    assert states.stage(confirmed) is Stage.OPEN


def test_task_list_follows_the_dataset(
    dataset: Dataset, sven: User, signe: User, now: datetime, signed_in: SignIn
) -> None:
    first, second = signed_in(sven), signed_in(signe)

    def statuses(client: Client) -> list[str]:
        page = client.get(url("steward_dataset", dataset))
        return [task.status for task in page.context["tasks"]]

    later = "Cannot start yet"
    assert statuses(first) == ["Done", "Done", "Done", "To do", later, later]
    data = csv_of(dataset, now)
    services.upload_sample_map(user=sven, dataset=dataset, data=data, now=now)
    waits = "Waits for another steward"
    assert statuses(first) == ["Done"] * 4 + [waits, later]
    assert statuses(second) == ["Done"] * 4 + ["Yours to do", later]
    dataset.refresh_from_db()
    services.confirm_sample_map(
        user=signe, dataset=dataset, map_sha256=dataset.map_sha256, now=now
    )
    assert statuses(first) == ["Done"] * 5 + ["To do"]
    services.publish_dataset(user=sven, dataset=dataset, now=now)
    assert statuses(first) == ["Done"] * 6


def test_task_list_tells_of_refused_and_running_checks(
    draft: Dataset, sven: User, now: datetime, signed_in: SignIn
) -> None:
    client = signed_in(sven)

    def files() -> tuple[str, str]:
        task = client.get(url("steward_dataset", draft)).context["tasks"][1]
        return task.status, task.hint

    assert files() == ("To do", "")
    bad = add(draft, sven, b"no VCF", now)
    assert bad.state == DataFileState.REFUSED
    assert files() == ("Needs attention", "1 refused")
    services.upload_file(
        user=sven,
        dataset=draft,
        stream=io.BytesIO(vcf()),
        original_name="x",
        now=now,
    )
    assert files() == ("Being checked", "1 being checked, 1 refused")
