"""What a researcher has received, opened and compared with what she should have."""

import gzip
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from playwright.sync_api import Download

from gemmule.demo.processes import Site, data_dir_of
from tests import pilot
from tests.genomics.checker import samples_of, tell
from tests.genomics.consistency import check_self_consistent


def opened(download: Download, secret: Path) -> bytes:
    """Decrypt what the browser has saved, by the command of the GA4GH library."""
    return subprocess.run(
        [Path(sys.executable).with_name("crypt4gh"), "decrypt", "--sk", secret],
        input=download.path().read_bytes(),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout


def assert_holds(content: bytes, names: Mapping[str, str], kept: set[str]) -> None:
    """Assert that a release holds exactly these samples, with the source's genotypes.

    `names` gives each sample's name in the release by its name in the source.
    """
    source, text = pilot.source(), gzip.decompress(content).decode()
    assert set(names) == kept
    assert sorted(names.values()) == samples_of(text)
    assert tell(source, list(names)) == tell(text, list(names.values()))
    check_self_consistent(text)
    assert not any(name in text for name in samples_of(source))


def sample_names(site: Site, release: str) -> Mapping[str, str]:
    """Return each name in the release by its source name, which only the site knows."""
    path = data_dir_of(site.environment) / "gemmule.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute(
            "SELECT sample.source_name, held.sample_name"
            " FROM releases_releasedonor AS held"
            " JOIN releases_release AS made ON made.id = held.release_id"
            " JOIN access_accessrequest AS asked ON asked.id = made.request_id"
            " JOIN catalog_sample AS sample ON sample.donor_id = held.donor_id"
            " AND sample.dataset_id = asked.dataset_id"
            " WHERE made.accession = ?",
            [release],
        ).fetchall()
    return dict(rows)
