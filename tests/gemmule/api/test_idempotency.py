"""`Idempotency-Key`: a POST that is sent again, also at the same time, acts once."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections

from gemmule.access.models import AccessRequest, Project, RequestState
from gemmule.accounts.models import ResearcherKey
from gemmule.api import tasks, upkeep
from gemmule.api.models import KEPT_FOR, IdempotentAnswer
from gemmule.celery import app
from gemmule.releases.models import Release
from tests.gemmule.accounts.conftest import new_pair, pair
from tests.gemmule.api.callers import Caller, assert_problem
from tests.gemmule.releases.conftest import Keyring

__all__ = ["new_pair", "pair"]

HEARTS = {"title": "Hearts", "lay_summary": "Which genes protect the heart?"}


@pytest.mark.django_db
def test_a_repeated_request_gets_the_first_answer_and_acts_once(
    as_rosa: Caller,
) -> None:
    first = as_rosa.post("/projects/", HEARTS, key="k1")
    again = as_rosa.post("/projects/", dict(reversed(HEARTS.items())), key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Project.objects.count() == 1
    assert as_rosa.post("/projects/", HEARTS, key="k2").json() != first.json()
    assert Project.objects.count() == 2


@pytest.mark.django_db
def test_a_key_used_for_another_request_is_refused(as_rosa: Caller) -> None:
    as_rosa.post("/projects/", HEARTS, key="k")
    other = {**HEARTS, "title": "Lungs"}
    answer = as_rosa.post("/projects/", other, key="k")
    assert_problem(answer, 422, says="choose a new one", code="idempotency-key")
    elsewhere = as_rosa.post("/requests/", {}, key="k")
    assert elsewhere.status_code in (400, 422)
    assert Project.objects.count() == 1


@pytest.mark.django_db
def test_keys_of_two_people_are_not_compared(as_rosa: Caller, as_rival: Caller) -> None:
    first = as_rosa.post("/projects/", HEARTS, key="k").json()
    second = as_rival.post("/projects/", HEARTS, key="k")
    # The rival has no institution, so hers is refused for that and nothing else.
    assert_problem(second, 400, says="institution")
    assert Project.objects.get().accession == first["accession"]


@pytest.mark.django_db
def test_a_refused_request_leaves_its_key_free(as_rosa: Caller) -> None:
    assert_problem(as_rosa.post("/projects/", {}, key="k"), 400)
    assert not IdempotentAnswer.objects.exists()
    assert as_rosa.post("/projects/", HEARTS, key="k").status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 101, "tab\there", "naïve"])
def test_a_key_nobody_could_repeat_is_refused(as_rosa: Caller, key: str) -> None:
    answer = as_rosa.post("/projects/", HEARTS, key=key)
    assert_problem(answer, 400, says="100 printable", field="Idempotency-Key")
    assert not Project.objects.exists()


@pytest.mark.django_db
def test_drafting_and_submitting_act_once(
    as_rosa: Caller, draft: AccessRequest
) -> None:
    body = {
        "project": draft.project.accession,
        "dataset": draft.dataset.accession,
        "purpose": draft.purpose,
    }
    first = as_rosa.post("/requests/", body, key="draft").json()
    assert as_rosa.post("/requests/", body, key="draft").json() == first
    assert AccessRequest.objects.count() == 2
    path = f"/requests/{draft.accession}/submit/"
    sent = as_rosa.post(path, key="send")
    again = as_rosa.post(path, key="send")
    assert (sent.status_code, again.status_code) == (200, 200)
    assert sent.json() == again.json()
    assert_problem(as_rosa.post(path, key="other"), 409)
    draft.refresh_from_db()
    assert draft.state == RequestState.SUBMITTED


@pytest.mark.django_db
def test_answers_are_forgotten_when_their_promised_life_is_over(
    as_rosa: Caller,
) -> None:
    first = as_rosa.post("/projects/", HEARTS, key="k")
    made = IdempotentAnswer.objects.get().created_at
    assert upkeep.forget_answers(now=made + KEPT_FOR) == 0
    assert as_rosa.post("/projects/", HEARTS, key="k").json() == first.json()
    IdempotentAnswer.objects.update(created_at=made - KEPT_FOR - timedelta(seconds=1))
    as_rosa.post("/projects/", HEARTS, key="young")
    tasks.forget_answers()
    assert [one.key for one in IdempotentAnswer.objects.all()] == ["young"]
    assert as_rosa.post("/projects/", HEARTS, key="k").json() != first.json()


def test_forgetting_is_on_the_clock() -> None:
    planned = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert tasks.forget_answers.name in planned
    assert tasks.forget_answers.name in app.tasks


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    """Make the call `count` times together, each with connections of its own."""
    barrier = threading.Barrier(count)

    def run() -> Any:
        try:
            barrier.wait(timeout=30)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return [one.result() for one in [pool.submit(run) for _ in range(count)]]


@pytest.mark.django_db(transaction=True)
def test_the_same_request_in_parallel_acts_once(as_rosa: Caller) -> None:
    answers = at_once(4, lambda: as_rosa.post("/projects/", HEARTS, key="k"))
    assert [one.status_code for one in answers] == [201] * 4
    assert all(one.json() == answers[0].json() for one in answers)
    replayed = Counter("Idempotency-Replayed" in one.headers for one in answers)
    assert replayed == {False: 1, True: 3}
    assert Project.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_release_asked_for_in_parallel_is_one(
    as_rosa: Caller, approved: AccessRequest, keyring: Keyring
) -> None:
    body = {"request": approved.accession, "key": str(keyring.key.pk)}
    answers = at_once(3, lambda: as_rosa.post("/releases/", body, key="k"))
    assert {one.status_code for one in answers} == {201}
    assert all(one.json() == answers[0].json() for one in answers)
    assert Release.objects.count() == 1
    assert ResearcherKey.objects.count() == 1
