"""What is on stage when the demo opens; set twice, it is the same stage."""

from datetime import datetime, timedelta

import pytest

import ledger.selectors
from consent import selectors
from gemmule.accounts.models import User
from gemmule.accounts.selectors import donor_of, roles_of
from gemmule.catalog.models import Dataset, DatasetState, Sample
from gemmule.demo import cast, population, scene
from gemmule.demo.cohorts import EXOMES

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def test_scene_is_set_once_however_often_it_is_asked_for(now: datetime) -> None:
    scene.prepare(now=now, call_sets=(EXOMES,))
    entries = ledger.selectors.tree_size()
    scene.prepare(now=now + timedelta(days=1), call_sets=(EXOMES,))
    assert ledger.selectors.tree_size() == entries
    assert User.objects.count() == len(cast.CAST)

    for member in cast.CAST:
        user = User.objects.get(email=member.email)
        assert [role.value for role in roles_of(user)] == list(member.roles)
        assert user.check_password(cast.PASSWORD)

    dataset = Dataset.objects.get()
    assert dataset.state == DatasetState.PUBLISHED
    assert dataset.map_uploaded_by != dataset.map_confirmed_by
    assert Sample.objects.filter(dataset=dataset).count() == 100

    ada = donor_of(User.objects.get(email=cast.ADA.email))
    assert ada is not None
    assert Sample.objects.get(donor=ada).dataset == dataset
    assert selectors.current(ada) is None, "she has decided nothing yet"


def test_donors_wish_the_same_for_the_same_seed_and_vary_as_people_do() -> None:
    wishes = population.wishes(seed="pilot", count=628)
    assert wishes == population.wishes(seed="pilot", count=628)
    assert wishes != population.wishes(seed="exomes", count=628)
    permissions = {wish.terms["permission"] for wish in wishes if wish.terms}
    assert permissions == {"NRES", "GRU", "HMB", "DS", "POA"}
    assert any(wish.terms is None for wish in wishes), "some refuse"
    assert any(wish.withdraws for wish in wishes)
    assert any(wish.withheld for wish in wishes)
    assert any(wish.terms and wish.terms["modifiers"] for wish in wishes)
