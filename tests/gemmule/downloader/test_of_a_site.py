"""`gemmule download` from a running site, with either of the two killed on the way."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gemmule.demo import cast
from gemmule.demo.visitor import Visitor
from genomics.crypt4gh import keys
from tests import waiting
from tests.gemmule.downloader import relay
from tests.gemmule.downloader.relay import Relay
from tests.gemmule.releases.site import Stage, staged
from tests.sites import FreshSite

pytestmark = pytest.mark.slow

HELD_AFTER = 300_000


@pytest.fixture(scope="module")
def stage(fresh_site: FreshSite) -> Iterator[Stage]:
    """Run one site on PostgreSQL."""
    with staged(fresh_site("postgres")) as running:
        yield running


@pytest.fixture(scope="module")
def release(stage: Stage) -> dict[str, Any]:
    """Return a release that the first two tests share, and the last one revokes."""
    return stage.built(stage.ask())


@pytest.fixture
def line(stage: Stage) -> Iterator[Relay]:
    with relay.before(stage.site.port) as running:
        yield running


class Reader:
    """Rosa at her own machine."""

    def __init__(self, stage: Stage, folder: Path, release: dict[str, Any]) -> None:
        self.stage, self.release = stage, release
        self.folder = folder / "into"
        self.token = folder / "token"
        self.token.write_text(str(stage.told["token"]))
        self.policy = folder / "policy"
        with urllib.request.urlopen(f"{stage.site.url}/ledger/policy") as answer:
            self.policy.write_bytes(answer.read())
        secret = next(iter(stage.told["keys"].values()))
        self.secret = folder / "mine.sec"
        self.secret.write_text(keys.encode_secret_key(bytes.fromhex(secret)))
        (self.name,) = [
            one["name"] for one in release["files"] if one["role"] == "variants"
        ]

    def start(self, server: str, *options: str) -> "subprocess.Popen[str]":
        command = [
            *(sys.executable, "-m", "gemmule.cli", "download"),
            *(self.release["accession"], "--server", server),
            *("--token-file", str(self.token), "--into", str(self.folder)),
        ]
        return subprocess.Popen(
            [*command, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, server: str, *options: str) -> tuple[int, str, str]:
        process = self.start(server, *options)
        out, err = process.communicate(timeout=60)
        assert str(self.stage.told["token"]) not in out + err
        return process.returncode, out, err

    def parts(self) -> list[Path]:
        return list(self.folder.glob("*.part"))

    def wait_for_part(self, size: int) -> Path:
        waiting.until(
            lambda: any(one.stat().st_size >= size for one in self.parts()),
            what="the part",
        )
        (part,) = self.parts()
        assert not (self.folder / self.name).exists()
        return part

    def check_whole(self) -> None:
        assert (self.folder / self.name).read_bytes() == self.stage.stored(self.release)
        assert not self.parts()


@pytest.fixture
def reader(stage: Stage, tmp_path: Path, release: dict[str, Any]) -> Reader:
    return Reader(stage, tmp_path, release)


def start_and_hold(reader: Reader, line: Relay) -> "subprocess.Popen[str]":
    """Start a download and see it stand in the middle of a file."""
    line.hold(after=HELD_AFTER)
    process = reader.start(line.url)
    line.wait_until_held()
    part = reader.wait_for_part(HELD_AFTER - 4096)
    assert part.stat().st_size < len(reader.stage.stored(reader.release))
    return process


def test_a_killed_download_goes_on_byte_exact_and_opens(
    reader: Reader, line: Relay
) -> None:
    process = start_and_hold(reader, line)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (part,) = reader.parts()
    size = part.stat().st_size
    line.let_go()
    line.heads.clear()
    status, out, err = reader.run(
        *(line.url, "--secret-key", str(reader.secret), "--decrypt"),
        *("--policy", str(reader.policy)),
    )
    assert status == 0, err
    asked = [head for head in line.heads if reader.name.encode() in head]
    assert f"Range: bytes={size}-\r\n".encode() in asked[0] and len(asked) == 1
    reader.check_whole()
    assert "The manifest is on the ledger: entry " in out
    plain = (reader.folder / reader.name.removesuffix(".c4gh")).read_bytes()
    assert plain.startswith(b"\x1f\x8b")
    verified = subprocess.run(
        [
            *(sys.executable, "-m", "gemmule.cli", "verify", "release"),
            *(reader.folder / reader.name, "--policy", reader.policy),
            *("--manifest", reader.folder / f"{reader.release['accession']}.json"),
            *("--secret-key", reader.secret),
        ],
        check=False,
        capture_output=True,
    )
    assert verified.returncode == 0, verified.stderr


def test_a_site_that_is_killed_and_comes_back_is_waited_for(
    reader: Reader, line: Relay, stage: Stage
) -> None:
    process = start_and_hold(reader, line)
    stage.site.kill("web")
    line.let_go()
    stage.site.start("web")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert re.search(r"; try 1 of 8 in ", err)
    assert out.startswith(f"Release {reader.release['accession']} is in ")
    reader.check_whole()


def test_a_key_of_another_release_and_a_token_of_nobody(
    reader: Reader, stage: Stage
) -> None:
    reader.secret.write_text(keys.encode_secret_key(keys.generate()[0]))
    status, _, err = reader.run(stage.site.url, "--secret-key", str(reader.secret))
    assert status == 1
    assert err.startswith("This is not the key that the release was made for: ")
    reader.token.write_text("f" * 64)
    status, _, err = reader.run(stage.site.url)
    assert status == 3 and "make a new one on your account page" in err
    assert not reader.folder.exists()


def test_a_release_revoked_on_the_way_says_so_and_leaves_nothing_begun(
    reader: Reader, line: Relay, stage: Stage
) -> None:
    process = start_and_hold(reader, line)
    ada = Visitor(stage.site.url)
    ada.sign_in(cast.ADA.email, cast.PASSWORD)
    assert ada.send(ada.open("/donor/withdraw/"), {}, having="event").status == 200
    line.let_go()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3, err
    assert "This release was revoked" in err and "withdrew" in err
    assert "gemmule download GMR" in err, "what takes its place"
    assert list(reader.folder.iterdir()) == []
