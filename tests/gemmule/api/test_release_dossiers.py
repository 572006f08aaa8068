"""/releases/{accession}/dossier/: proof for the IRB, reading for auditors."""

import json
from collections.abc import Callable

import pytest

from gemmule.releases.models import Release
from gemmule.verifier import dossiers
from gemmule.verifier.errors import DossierInvalid
from ledger.models import Pending
from tests.gemmule.api.callers import Caller, assert_problem

pytestmark = pytest.mark.django_db


def address(release: Release) -> str:
    return f"/releases/{release.accession}/dossier/"


def taken() -> int:
    """Count the notes that are to be sequenced: somebody took a dossier."""
    return Pending.objects.filter(type="audit.viewed").count()


@pytest.mark.parametrize("who", ["ira", "ingrid"])
def test_the_irb_takes_all_that_proves_a_release(
    as_someone: Callable[[str], Caller], available: Release, who: str
) -> None:
    answer = as_someone(who).get(address(available))
    assert (
        f'filename="{available.accession}-dossier.json"'
        in answer.headers["Content-Disposition"]
    )
    found = dossiers.read(answer.content)
    assert len(found.proof["included"]) == available.donors.count()
    assert taken() == 1


def test_an_auditor_reads_it_without_what_opens_anybody(
    as_someone: Callable[[str], Caller], available: Release
) -> None:
    answer = as_someone("aud").get(address(available))
    assert json.loads(answer.content)["proof"] is None
    with pytest.raises(DossierInvalid, match="not of the IRB"):
        dossiers.read(answer.content)
    assert taken() == 0


def test_a_release_that_is_not_sealed_has_nothing_to_prove(
    as_someone: Callable[[str], Caller], release: Release
) -> None:
    answer = as_someone("ira").get(address(release))
    assert answer.status_code == 200 and answer.json()["proof"] is None


def test_who_has_the_release_does_not_learn_what_donors_chose(
    as_rosa: Caller, available: Release
) -> None:
    assert_problem(as_rosa.get(address(available)), 403, code="not-allowed")
