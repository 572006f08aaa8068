"""Guessing comes to a halt."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache

from gemmule.accounts import tries


def test_tries_are_allowed_up_to_the_limit() -> None:
    assert [tries.take("a") for _ in range(7)] == [True] * 5 + [False] * 2


def test_one_person_does_not_use_up_the_tries_of_another() -> None:
    for _ in range(9):
        tries.take("a")

    assert tries.take("b")


def test_right_answer_starts_the_count_over() -> None:
    for _ in range(5):
        tries.take("a")
    tries.forget("a")

    assert tries.take("a")


def test_tries_side_by_side_gain_nothing() -> None:
    with ThreadPoolExecutor(16) as pool:
        allowed = list(pool.map(tries.take, ["a"] * 64))

    assert allowed.count(True) == tries.MAX_TRIES


def test_window_that_ends_while_a_try_is_counted_begins_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries.take("a")

    def ends_now(name: str) -> int:
        tries.forget("a")
        raise ValueError

    monkeypatch.setattr(cache, "incr", ends_now)

    assert tries.take("a")
