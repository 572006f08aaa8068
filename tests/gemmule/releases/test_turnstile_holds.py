"""Windows stay shut while releases are held, as the gate does."""

import psycopg
import pytest
from django.db import connection

import ledger.selectors
from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from gemmule.releases import holds
from gemmule.releases.hold import Hold, HoldCode
from gemmule.releases.models import Release
from gemmule.releases.turnstile import _Window
from ledger import rollback
from ledger.tlog.checkpoint import Checkpoint
from tests.gemmule.releases.conftest import Clock

pytestmark = pytest.mark.django_db(transaction=True)


def is_open(built: Release, user: User) -> bool:
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    with psycopg.connect(**parameters, autocommit=True) as link:
        window = _Window(link, {user.pk}, built.expires_on)
        window.open(built.pk)
        link.rollback()
    return window.allowed == {user.pk}


def test_a_hold_of_all_or_of_the_dataset_shuts_the_window(
    built: Release, rosa: User, sven: User, alma: User, alan: User, clock: Clock
) -> None:
    other = Dataset.objects.create(
        accession="GMD0000001", title="Other", build="GRCh37", steward=sven,
        created_at=clock(),
    )  # fmt: skip
    holds.place(code=HoldCode.BY_HAND, dataset=other, reason="Other.", now=clock())
    assert is_open(built, rosa)
    for dataset in (None, built.request.dataset):
        hold = holds.place(
            code=HoldCode.BY_HAND, dataset=dataset, reason="Wait.", now=clock()
        )
        assert not is_open(built, rosa)
        Hold.objects.filter(pk=hold.pk).update(
            read_by=alma, lifted_by=alan, lifted_at=clock()
        )
        assert is_open(built, rosa)


def test_rows_behind_what_this_process_has_seen_signed_shut_the_window(
    built: Release, rosa: User
) -> None:
    assert is_open(built, rosa)
    size = ledger.selectors.tree_size()
    rollback.learn(Checkpoint(origin="x", size=size, root=bytes(32)))
    assert is_open(built, rosa)
    rollback.learn(Checkpoint(origin="x", size=size + 1, root=bytes(32)))
    assert not is_open(built, rosa)
