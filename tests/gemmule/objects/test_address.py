"""Half a configuration of the bucket stops the start; the secret is never shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from gemmule.objects.address import s3_address

SECRET = "s" * 40


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GEMMULE_S3_", "AWS_")):
            monkeypatch.delenv(name)


def put(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def test_without_any_variable_files_stay_where_they_are() -> None:
    assert s3_address(is_production=True) is None


@pytest.mark.parametrize("prefix", ["GEMMULE_S3", "AWS"])
def test_a_bucket_with_credentials_of_either_name_is_used(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        monkeypatch,
        GEMMULE_S3_BUCKET="genomes",
        GEMMULE_S3_ENDPOINT="https://s3.example.org",
        **{f"{prefix}_ACCESS_KEY_ID": "me", f"{prefix}_SECRET_ACCESS_KEY": SECRET},
    )
    found = s3_address(is_production=True)
    assert found is not None
    assert (found.bucket, found.endpoint) == ("genomes", "https://s3.example.org")
    assert (found.access_key_id, found.secret_access_key) == ("me", SECRET)
    assert SECRET not in repr(found)


def test_our_credentials_come_before_those_of_aws_and_may_be_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    put(
        monkeypatch,
        GEMMULE_S3_BUCKET="genomes",
        GEMMULE_S3_ACCESS_KEY_ID="ours",
        GEMMULE_S3_SECRET_ACCESS_KEY_FILE=str(tmp_path / "secret"),
        AWS_ACCESS_KEY_ID="other",
        AWS_SECRET_ACCESS_KEY="other",
    )
    found = s3_address(is_production=True)
    assert found is not None
    assert (found.access_key_id, found.secret_access_key) == ("ours", SECRET)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"GEMMULE_S3_ENDPOINT": "https://s3.example.org"},
            "without GEMMULE_S3_BUCKET",
        ),
        ({"GEMMULE_S3_ACCESS_KEY_ID": "me"}, "without GEMMULE_S3_BUCKET"),
        ({"GEMMULE_S3_SECRET_ACCESS_KEY": SECRET}, "without GEMMULE_S3_BUCKET"),
        ({"GEMMULE_S3_BUCKET": "genomes"}, "set GEMMULE_S3_ACCESS_KEY_ID and"),
        (
            {"GEMMULE_S3_BUCKET": "genomes", "GEMMULE_S3_ACCESS_KEY_ID": "me"},
            "set GEMMULE_S3_ACCESS_KEY_ID and GEMMULE_S3_SECRET_ACCESS_KEY",
        ),
        (
            {"GEMMULE_S3_BUCKET": "genomes", "AWS_SECRET_ACCESS_KEY": SECRET},
            "or both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        (
            {"GEMMULE_S3_BUCKET": "genomes", "GEMMULE_S3_ENDPOINT": "s3.example.org"},
            "must be an address that begins with https://",
        ),
        (
            # Genotypes would go over the network for all to read.
            {"GEMMULE_S3_BUCKET": "g", "GEMMULE_S3_ENDPOINT": "http://s3.example.org"},
            "must be an address that begins with https://",
        ),
    ],
)
def test_half_a_configuration_is_refused_with_what_is_missing(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(monkeypatch, **variables)
    with pytest.raises(ImproperlyConfigured, match=said) as refused:
        s3_address(is_production=True)
    assert SECRET not in str(refused.value)


def test_check_refuses_half_a_configuration(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, root / "manage.py", "check"],
        env={
            "PATH": os.defpath,
            "GEMMULE_DATA_DIR": str(tmp_path),
            "GEMMULE_S3_BUCKET": "genomes",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "set GEMMULE_S3_ACCESS_KEY_ID and" in done.stderr
