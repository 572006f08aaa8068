"""`manage.py demo --once DIR`: the main job, judged by other programs than ours."""

import base64
import contextlib
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools
import pytest

from consent.purpose import Purpose
from tests import pilot
from tests.genomics.checker import samples_of, tell
from tests.genomics.consistency import check_self_consistent

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

_ROOT = Path(__file__).resolve().parents[3]
_BIN = Path(sys.executable).parent
_KEYS = {
    *("donors", "permitted", "records_in", "records_out", "ledger_size"),
    *("ledger_root_b64", "sha256_plain", "sha256_cipher", "seconds"),
}
_FILES = {
    *("release.vcf.gz.c4gh", "release.vcf.gz.tbi.c4gh", "manifest.json"),
    *("recipient.sec", "recipient.pub", "release.vcf.gz", "kept_samples.txt"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """The command after its end."""

    out: Path
    mark: str
    answer: "subprocess.CompletedProcess[str]"

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.answer.stdout.splitlines()[-1])
        return found

    @property
    def manifest(self) -> dict[str, Any]:
        content = json.loads((self.out / "manifest.json").read_bytes())
        found: dict[str, Any] = content["manifest"]
        return found

    @property
    def kept(self) -> list[str]:
        return (self.out / "kept_samples.txt").read_text().splitlines()

    @property
    def text(self) -> str:
        return gzip.decompress(self.bytes_of("release.vcf.gz")).decode()

    def bytes_of(self, name: str) -> bytes:
        return (self.out / name).read_bytes()


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Run the command once; every test looks at what it left.

    The addresses of some other site are in the environment: it has to make a state
    of its own whatever they say.
    """
    folder = tmp_path_factory.mktemp("once")
    out = folder / "made" / "by the command"
    mark = uuid.uuid4().hex
    environment = {
        **os.environ,
        "ONCE_MARK": mark,
        "GEMMULE_DATA_DIR": str(folder / "another site"),
        "DATABASE_URL": "postgresql://nobody@192.0.2.1/nothing",
        "VAULT_DATABASE_URL": "postgresql://nobody@192.0.2.1/nothing",
        "REDIS_URL": "redis://192.0.2.1:6379/0",
    }
    return Once(out=out, mark=mark, answer=_run(out, environment))


def test_it_ends_well_and_says_so_in_one_object(once: Once) -> None:
    assert once.answer.returncode == 0, once.answer.stderr[-4000:]
    result = once.result
    assert result.keys() == _KEYS
    assert result["donors"] == 629
    assert result["permitted"] == len(once.kept)
    assert result["records_in"] == 381
    assert result["records_out"] == once.text.count("\n2\t")
    assert result["ledger_size"] > 629
    assert len(base64.b64decode(result["ledger_root_b64"], validate=True)) == 32
    assert result["seconds"]
    assert all(seconds >= 0 for seconds in result["seconds"].values())
    assert {path.name for path in once.out.iterdir()} == {*_FILES, "state"}


def test_nothing_runs_on(once: Once) -> None:
    assert _processes_marked(once.mark) == []


def test_the_command_of_ga4gh_opens_both_files(once: Once) -> None:
    assert _decrypted(once, "release.vcf.gz.c4gh") == once.bytes_of("release.vcf.gz")
    index = _decrypted(once, "release.vcf.gz.tbi.c4gh")
    variants = once.out / "release.vcf.gz"
    with _file(once.out / "state" / "opened.tbi", index) as opened:
        table = pysam.TabixFile(str(variants), index=str(opened))
        rows = [
            row
            for contig in table.contigs
            for row in table.fetch(contig)
            if isinstance(row, str)
        ]
        table.close()
    assert rows == [line for line in once.text.splitlines() if line[0] != "#"]


def test_digests_are_those_of_the_files(once: Once) -> None:
    plain = hashlib.sha256(once.bytes_of("release.vcf.gz")).hexdigest()
    cipher = hashlib.sha256(once.bytes_of("release.vcf.gz.c4gh")).hexdigest()
    assert once.result["sha256_plain"] == plain
    assert once.result["sha256_cipher"] == cipher
    by_role = {file["role"]: file for file in once.manifest["files"]}
    assert by_role["variants"]["sha256_plain"] == plain
    assert by_role["variants"]["sha256_cipher"] == cipher
    index = once.bytes_of("release.vcf.gz.tbi.c4gh")
    assert by_role["index"]["sha256_cipher"] == hashlib.sha256(index).hexdigest()


def test_kept_are_exactly_those_whose_wishes_allow_it(once: Once) -> None:
    """Judge the wishes that the demo's donors were given, not rows of a database."""
    purpose = Purpose.from_json(once.manifest["purpose"])
    allowed = {*pilot.allowed(purpose), pilot.ada()}
    assert set(once.kept) == allowed
    assert len(once.kept) == len(allowed), "each stands there once"
    assert 20 < len(allowed) < 629
    assert once.manifest["samples"] == len(allowed)


def test_genotypes_are_the_sources_for_every_kept_donor(
    once: Once,
) -> None:
    columns = samples_of(once.text)
    assert len(columns) == len(once.kept)
    assert tell(pilot.source(), once.kept) == tell(once.text, columns)
    check_self_consistent(once.text)


def test_genotypes_are_those_that_bcftools_cuts(once: Once, tmp_path: Path) -> None:
    whole = tmp_path / "source.vcf"
    # bcftools wants every contig declared before it subsets.
    whole.write_text(pilot.source().replace("\n", "\n##contig=<ID=2>\n", 1))
    kept = once.out / "kept_samples.txt"
    trimmed = tmp_path / "trimmed.vcf"
    trimmed.write_text(_bcftools("view", "-S", kept, "--trim-alt-alleles", whole))
    carried = tmp_path / "carried.vcf"
    carried.write_text(_bcftools("view", "--min-ac", "1", trimmed))
    format_ = "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n"
    expected = _bcftools("query", "-f", format_, carried)
    assert _bcftools("query", "-f", format_, once.out / "release.vcf.gz") == expected
    assert expected.count("\n") == once.result["records_out"]


def test_no_name_of_any_donor_is_in_what_the_researcher_gets(
    once: Once,
) -> None:
    index = gzip.decompress(_decrypted(once, "release.vcf.gz.tbi.c4gh"))
    handed_out = b"\0".join(
        [
            once.text.encode(),
            index,
            *(once.bytes_of(name) for name in sorted(_FILES - {"kept_samples.txt"})),
        ]
    )
    assert b"#CHROM" in handed_out
    names = samples_of(pilot.source())
    assert len(names) == 629
    found = [name for name in names if name.encode() in handed_out]
    assert found == []
    assert re.search(rb"\b(?:HG|NA)\d{5}\b", handed_out) is None


def test_release_after_the_withdrawal_lacks_one_donor_and_no_other(once: Once) -> None:
    following = once.out / "state" / "following" / "release.vcf.gz"
    columns = samples_of(gzip.decompress(following.read_bytes()).decode())
    before = samples_of(once.text)
    gone = set(before) - set(columns)
    assert len(gone) == 1
    assert columns == [name for name in before if name not in gone]
    ada = once.kept[before.index(gone.pop())]
    assert ada == pilot.ada()


def test_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    thesis = tmp_path / "thesis.txt"
    thesis.write_text("unsaved")
    answer = _run(tmp_path, dict(os.environ))
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr == (
        f"CommandError: {tmp_path} is not an empty directory; name another\n"
    )
    assert list(tmp_path.iterdir()) == [thesis]
    assert thesis.read_text() == "unsaved"


def test_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("mine")
    answer = _run(taken, dict(os.environ))
    assert answer.returncode == 1
    assert "is not an empty directory" in answer.stderr
    assert taken.read_text() == "mine"


def _run(out: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(_ROOT / "manage.py"), "demo", "--once", str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


def _decrypted(once: Once, name: str) -> bytes:
    return subprocess.run(
        [_BIN / "crypt4gh", "decrypt", "--sk", once.out / "recipient.sec"],
        input=once.bytes_of(name),
        capture_output=True,
        check=True,
        timeout=60,
    ).stdout


def _bcftools(command: str, *arguments: str | Path) -> str:
    told = getattr(pysam.bcftools, command)(*map(str, arguments))
    assert isinstance(told, str)
    return told


@contextlib.contextmanager
def _file(path: Path, content: bytes) -> Iterator[Path]:
    path.write_bytes(content)
    yield path
    path.unlink()


def _processes_marked(mark: str) -> list[str]:
    """Return the command lines of living processes that were started by the run."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"ONCE_MARK={mark}".encode() in (path / "environ").read_bytes():
                found.append((path / "cmdline").read_text())
    return found
