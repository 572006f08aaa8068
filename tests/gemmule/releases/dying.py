"""Let a worker of its own kill itself at a named point of a build."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connections

from gemmule.releases import storage
from tests import waiting
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.site import children

_BUILDER = Path(__file__).parent / "dying_builder.py"


def address(alias: str) -> str:
    """Return where a database of this test is, as a setting."""
    chosen = connections[alias].settings_dict
    host = quote(chosen["HOST"], safe="")
    password = f":{quote(chosen['PASSWORD'])}" if chosen["PASSWORD"] else ""
    port = f":{chosen['PORT']}" if chosen["PORT"] else ""
    return f"postgresql://{chosen['USER']}{password}@{host}{port}/{chosen['NAME']}"


def build_and_die(point: str, row_id: int, clock: Clock, marker: Path) -> None:
    """Run `dying_builder.py` on a release, or a part of one, until it is dead.

    Its child process is dead as well afterwards.
    """
    done = subprocess.run(
        [
            *(sys.executable, _BUILDER, point, str(row_id)),
            *(clock().isoformat(), marker, settings.STORE_DIR, settings.RELEASE_DIR),
        ],
        env={
            **os.environ,
            **_bucket(),
            "DJANGO_SETTINGS_MODULE": "gemmule.settings",
            "GEMMULE_DATA_DIR": str(settings.DATA_DIR),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "DATABASE_URL": address("default"),
            "VAULT_DATABASE_URL": address("vault"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert marker.read_text() == point
    waiting.until(
        lambda: not children(storage.scratch()), what="the end of the child process"
    )


def _bucket() -> dict[str, str]:
    at = settings.S3
    if at is None:
        return {}
    return {
        "GEMMULE_S3_BUCKET": at.bucket,
        "GEMMULE_S3_ENDPOINT": at.endpoint,
        "GEMMULE_S3_REGION": at.region,
        "GEMMULE_S3_ACCESS_KEY_ID": at.access_key_id,
        "GEMMULE_S3_SECRET_ACCESS_KEY": at.secret_access_key,
    }
