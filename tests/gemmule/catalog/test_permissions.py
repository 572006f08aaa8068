"""Stewards alone prepare datasets, and two of them confirm a sample map."""

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import Role, User
from gemmule.catalog import services, states
from gemmule.catalog.models import Dataset
from gemmule.catalog.states import Stage
from tests import factories
from tests.gemmule.catalog.acts import ACTS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", [role for role in Role if role != Role.STEWARD])
def test_only_stewards_work_on_datasets(
    act: str, role: Role, dataset: Dataset, now: datetime
) -> None:
    before = Dataset.objects.count()
    with pytest.raises(NotAllowed, match="Data steward"):
        ACTS[act](factories.person(role), dataset, now)
    assert Dataset.objects.count() == before


@pytest.mark.parametrize("act", ACTS)
def test_stranger_is_refused(
    act: str, sam: User, dataset: Dataset, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        ACTS[act](sam, dataset, now)


def test_every_act_of_the_state_table_is_tried_here() -> None:
    assert set().union(*states.ACTS.values()) == set(ACTS) - {"register"}


def test_first_steward_cannot_confirm_her_own_map(
    sven: User, mapped: Dataset, now: datetime
) -> None:
    with pytest.raises(NotAllowed, match="another steward"):
        services.confirm_sample_map(
            user=sven, dataset=mapped, map_sha256=mapped.map_sha256, now=now
        )
    mapped.refresh_from_db()
    assert states.stage(mapped) is Stage.OPEN


@pytest.mark.parametrize("changed", ["map_uploaded_by", "map_confirmed_by"])
def test_database_holds_the_second_pair_of_eyes(
    changed: str, sven: User, signe: User, confirmed: Dataset
) -> None:
    same = {"map_uploaded_by": signe, "map_confirmed_by": sven}[changed]
    row = Dataset.objects.filter(pk=confirmed.pk)
    rule = "catalog_map_confirmed_by_another"
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        row.update(**{changed: same})
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        row.update(map_uploaded_by=None)
