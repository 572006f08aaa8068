"""A setting that is wrong stops the start; a secret is made once and kept private."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gemmule import environment

NAME = "GEMMULE_OF_A_TEST"


@pytest.mark.parametrize(
    ("raw", "expected"), [("yes", True), ("ON", True), ("0", False), ("False", False)]
)
def test_boolean_is_read_from_a_word(
    raw: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)
    assert environment.env_bool(NAME, not expected) is expected


@pytest.mark.parametrize("raw", ["maybe", "2", "tru"])
def test_other_word_is_no_boolean(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)
    with pytest.raises(ImproperlyConfigured, match="must be true or false"):
        environment.env_bool(NAME, default=True)


@pytest.mark.parametrize(
    ("raw", "message"),
    [("ten", "whole number"), ("1.5", "whole number"), ("4", "at least 5")],
)
def test_number_that_is_none_or_too_small_is_refused(
    raw: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)
    with pytest.raises(ImproperlyConfigured, match=message):
        environment.env_int(NAME, 7, minimum=5)


def test_unset_and_empty_variables_give_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert environment.env_int(NAME, 7, minimum=5) == 7
    monkeypatch.setenv(NAME, "")
    assert environment.env_bool(NAME, default=True) is True
    assert environment.env_list(NAME, ["a"]) == ["a"]


def test_list_is_read_without_empty_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "a, b,,c ")
    assert environment.env_list(NAME, []) == ["a", "b", "c"]


def test_choice_outside_the_list_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "smtp")
    with pytest.raises(ImproperlyConfigured, match="one of console, file"):
        environment.env_choice(NAME, "file", choices=("console", "file"))


def test_secret_is_read_from_the_variable_or_from_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, "v" * 32)
    assert environment.env_secret(NAME) == "v" * 32
    (tmp_path / "secret").write_text("f" * 32 + "\n")
    monkeypatch.setenv(f"{NAME}_FILE", str(tmp_path / "secret"))
    assert environment.env_secret(NAME) == "f" * 32


@pytest.mark.parametrize("raw", ["", "short", "x" * 31])
def test_missing_and_short_secrets_are_refused_and_not_shown(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(f"{NAME}_FILE", raising=False)
    monkeypatch.setenv(NAME, raw)
    with pytest.raises(ImproperlyConfigured, match=f"set {NAME} or") as refused:
        environment.env_secret(NAME)
    assert not raw or raw not in str(refused.value)


def test_secret_of_the_embedded_default_is_made_once_for_us_alone(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys" / "django.secret"
    made = environment.secret_kept_in(path)
    assert len(made) >= 32
    assert environment.secret_kept_in(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
