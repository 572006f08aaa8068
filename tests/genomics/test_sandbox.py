"""What the child may use, see and reach."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genomics import child, starting
from genomics.errors import ChildKilled
from genomics.sandbox import Resources
from tests.genomics.children import LIMIT_S, job, make_room, private_dirs
from tests.genomics.release import source


@pytest.fixture
def room(tmp_path: Path) -> Path:
    return make_room(tmp_path)


def test_the_child_gets_nothing_of_its_parent(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script stands in for the interpreter, notes what it got and goes on as it."""
    seen = room / "seen.json"
    witness = room / "witness"
    witness.write_text(
        f"#!{sys.executable} -I\n"
        "import json, os, sys\n"
        "links = ['/proc/self/fd/' + name for name in os.listdir('/proc/self/fd')]\n"
        "links = [link for link in links if os.path.exists(link)]\n"
        "seen = {'environment': dict(os.environ), 'directory': os.getcwd(),\n"
        "        'files': [os.readlink(link) for link in links],\n"
        "        'mode': os.stat('.').st_mode & 0o777}\n"
        f"open({str(seen)!r}, 'w').write(json.dumps(seen))\n"
        f"os.execv({sys.executable!r}, [{sys.executable!r}, *sys.argv[1:]])\n"
    )
    witness.chmod(0o700)
    monkeypatch.setenv("GEMMULE_SECRET_KEY", "top secret")
    monkeypatch.setattr(sys, "executable", str(witness))
    (room / "secret.txt").write_text("x")
    with (room / "secret.txt").open("rb") as secret:
        os.set_inheritable(secret.fileno(), True)
        result = child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
    assert result.records_out == 59
    found = json.loads(seen.read_text())
    assert found["environment"] == starting.ENVIRONMENT
    assert starting.ENVIRONMENT.keys() == {
        "LC_ALL",
        "OPENBLAS_NUM_THREADS",
        "MALLOC_MMAP_THRESHOLD_",
        "MALLOC_TRIM_THRESHOLD_",
    }
    directory = Path(found["directory"])
    assert directory.parent == room / "temp"
    assert directory.name.startswith(child.PRIVATE_PREFIX)
    assert found["mode"] == 0o700
    assert str(room / "secret.txt") not in found["files"]
    assert not any("socket" in name for name in found["files"])


CONFINED = """
import json, os, resource, socket
from genomics import sandbox
from genomics.jsonfields import JSON
wanted = sandbox.Resources(
    memory_bytes=3 << 30, cpu_s=50, file_bytes=1 << 20, open_files=40
)
is_isolated = sandbox.enter(wanted, parent=os.getppid())
status = open("/proc/self/status").read()
print(json.dumps({
    "limits": [resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
               for name in ("AS", "CPU", "FSIZE", "NOFILE", "CORE")],
    "no_new_privileges": "NoNewPrivs:\\t1" in status,
    "interfaces": [name for _, name in socket.if_nameindex()],
    "is_isolated": is_isolated,
    "umask": os.umask(0),
}))
"""


def test_the_child_is_confined() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", CONFINED],
        capture_output=True,
        check=True,
    )
    found = json.loads(done.stdout)
    limits = [3 << 30, 50, 1 << 20, 40, 0]
    assert found["limits"] == [[limit, limit] for limit in limits]
    assert found["no_new_privileges"] is True
    assert found["umask"] == 0o077
    if found["is_isolated"]:
        assert not {"eth0", "wlan0"} & set(found["interfaces"])


@pytest.mark.parametrize("has_network", [True, False])
def test_a_child_that_keeps_its_network_shows_in_the_log(
    has_network: bool,
    room: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = room / "python"
    line = json.dumps({"sandbox": {"network": has_network}})
    script.write_text(f"#!/bin/sh\necho '{line}'\nexit 3\n")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(ChildKilled):
        child.run(job(room), timeout_s=LIMIT_S, temp_root=room / "temp")
    assert ("leave the network" in caplog.text) is has_network


def test_too_little_memory_is_said_to_be_so(room: Path) -> None:
    path = room / "wide.vcf.gz"
    row = "20 1 . A C . . . GT 0/1 0/0 1/1"
    wide = source(row, header="##x=" + "A" * (200 << 20)).encode()
    path.write_bytes(gzip.compress(wide, 1))
    with pytest.raises(ChildKilled, match="memory"):
        child.run(
            job(room, path),
            timeout_s=LIMIT_S,
            temp_root=room / "temp",
            resources=Resources(memory_bytes=400 << 20),
        )
    assert private_dirs(room) == []


def test_a_file_over_the_limit_is_not_written(room: Path) -> None:
    with pytest.raises(ChildKilled, match="read and write as asked"):
        child.run(
            job(room),
            timeout_s=LIMIT_S,
            temp_root=room / "temp",
            resources=Resources(file_bytes=100),
        )
    assert list((room / "out").iterdir()) == []


def test_processor_time_is_limited(room: Path) -> None:
    many = [f"20 {n} . A C . . . GT 0/1 0/0 1/1" for n in range(1, 400_000)]
    path = room / "many.vcf.gz"
    path.write_bytes(gzip.compress(source(*many).encode(), 1))
    with pytest.raises(ChildKilled, match="processor time"):
        child.run(
            job(room, path),
            timeout_s=LIMIT_S,
            temp_root=room / "temp",
            resources=Resources(cpu_s=1),
        )


def test_the_modules_that_the_platform_loads_do_not_load_htslib() -> None:
    code = "import genomics.child, genomics.job, sys; print('pysam' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"
