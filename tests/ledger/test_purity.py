"""What outsiders run to check us needs neither Django nor our settings."""

import json
import subprocess
import sys

import pytest

PURE = [
    "ledger.commitments",
    "ledger.cosigner",
    "ledger.cosigning",
    "ledger.durable",
    "ledger.errors",
    "ledger.exchange",
    "ledger.gathering",
    "ledger.memory",
    "ledger.notary",
    "ledger.notary_socket",
    "ledger.serving",
    "ledger.submission",
    "ledger.copying",
    "ledger.mirror",
    "ledger.served",
    "ledger.sources",
    "ledger.tiles",
    "ledger.tiling",
    "ledger.tlog.canonical",
    "ledger.tlog.checkpoint",
    "ledger.tlog.cosignature",
    "ledger.tlog.entry",
    "ledger.tlog.hashing",
    "ledger.tlog.note",
    "ledger.tlog.opening",
    "ledger.tlog.policy",
    "ledger.tlog.proof",
    "ledger.tlog.receipt",
    "ledger.tlog.tile",
    "ledger.tlog.vocabulary",
    "ledger.verify",
    "ledger.witness",
]


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_loads_no_framework(module: str) -> None:
    shown = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}; {shown}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    roots = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert "ledger" in roots
    assert roots.isdisjoint(
        {"django", "celery", "redis", "rest_framework", "consent", "gemmule"}
    )


@pytest.mark.parametrize(
    "program", ["ledger.witness", "ledger.notary", "ledger.mirror"]
)
def test_what_an_institution_runs_needs_two_packages(program: str) -> None:
    """docs/witness.md installs them, and nothing else."""
    loaded = (
        "import sys; before = set(sys.modules)\n"
        f"import {program}\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    foreign = set(done.stdout.split()) - sys.stdlib_module_names
    # Names that start with an underscore are the C behind cryptography.
    assert {name for name in foreign if not name.startswith("_")} == {
        *("ledger", "cryptography", "rfc8785"),
    }
