"""A release as it is handed out holds, and what is said of it is true."""

import pytest

from tests.gemmule.verifier.handed_out import INCLUDED, WISHES, Desk

pytestmark = pytest.mark.django_db


def test_it_holds(desk: Desk) -> None:
    found = desk.check()
    assert found.lines()[0] == "This release holds."
    assert found.as_json()["samples"] == INCLUDED


def test_it_holds_inside_too(desk: Desk) -> None:
    found = desk.check(secret=desk.handed.secret)
    assert found.as_json()["opened"] is True


def test_every_donor(desk: Desk) -> None:
    found = desk.check(secret=desk.handed.secret, dossier=desk.handed.dossier())
    assert found.dossier is not None
    assert found.dossier.left_out == len(WISHES) - INCLUDED
