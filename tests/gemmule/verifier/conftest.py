"""A real release and its dossier, made once, and handed out as the files people get."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings
from django.test import TestCase, override_settings
from pytest_django.plugin import DjangoDbBlocker

from tests.gemmule.verifier import handed_out
from tests.gemmule.verifier.handed_out import HandedOut


class Site(TestCase):
    """Rolls both databases back, and is known to them as a test."""

    databases = {"default", "vault"}


@pytest.fixture(scope="package")
def handed(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> HandedOut:
    """Return what a site hands out; the site itself is gone again by then."""
    folder = tmp_path_factory.mktemp("site")
    # As before every test with a database: a log of an earlier one is not this one.
    shutil.rmtree(settings.DATA_DIR / "ledger", ignore_errors=True)
    settings.LEDGER_KEY_FILE.unlink(missing_ok=True)
    places = override_settings(
        STORE_DIR=folder / "store",
        RELEASE_DIR=folder / "releases",
        RELEASE_MIN_DONORS=5,
    )
    # The databases are made for tests that are marked so, as those with this one are.
    with django_db_blocker.unblock(), places:
        Site.setUpClass()
        try:
            made = handed_out.make()
        finally:
            Site.tearDownClass()
            Site.doClassCleanups()
    shutil.rmtree(folder)
    return made


@pytest.fixture
def desk(tmp_path: Path, handed: HandedOut) -> handed_out.Desk:
    """Return a folder in which somebody checks what she was handed."""
    return handed_out.Desk(tmp_path, handed)
