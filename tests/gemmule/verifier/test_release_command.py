"""`gemmule verify release`: its answers, its exit status, what it needs and takes."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gemmule import cli
from tests.gemmule.verifier.forged import NAME, Forged, Someone

CHR2 = {"genes": ["TMEM18"], "regions": []}
PEOPLE = [
    *(Someone(is_in=True) for _ in range(4)),
    Someone(is_in=True, withheld=CHR2),
    Someone(is_in=False, permission="POA"),
    Someone(is_in=False, permission=None),
]
FORBIDDEN = {"django", "rest_framework", "celery", "redis", "pysam", "numpy"}


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return what to type to check a release that holds."""
    return Forged(PEOPLE).write(tmp_path_factory.mktemp("release"))


def beside(command: list[str], name: str) -> str:
    return str(Path(command[2]).with_name(name))


def answer(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, Any]]:
    status = cli.main([*arguments, "--json"])
    out, err = capsys.readouterr()
    assert not err and out.count("\n") == 1
    found: dict[str, Any] = json.loads(out)
    assert found["kind"] == "release"
    return status, found


def test_it_holds(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(command) == 0
    assert capsys.readouterr().out.startswith("This release holds.\n")
    status, found = answer(capsys, *command)
    assert (status, found["ok"], found["file"]) == (0, True, NAME)
    assert (found["opened"], found["dossier"]) == (False, None)


def test_it_holds_inside(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    key = f"--secret-key={beside(command, 'me.sec')}"
    assert answer(capsys, *command, key)[1]["opened"] is True


def test_every_decision_holds(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    dossier = f"--dossier={beside(command, 'dossier.json')}"
    found = answer(capsys, *command, dossier)[1]["dossier"]
    assert (len(found["samples"]), found["left_out"]) == (5, 2)


def test_the_board_has_no_file_and_checks_the_decisions(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    alone = [*command[:2], *command[3:]]
    dossier = f"--dossier={beside(command, 'dossier.json')}"
    status, found = answer(capsys, *alone, dossier)
    assert (status, found["file"], found["opened"]) == (0, None, False)
    assert len(found["dossier"]["samples"]) == 5
    assert cli.main(alone) == 0
    assert "No file of it was looked at" in capsys.readouterr().out
    key = f"--secret-key={beside(command, 'me.sec')}"
    assert answer(capsys, *alone, key)[0] == 2


def test_a_file_that_was_cut(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    short = tmp_path / NAME
    short.write_bytes(Path(command[2]).read_bytes()[:-1])
    cut = [*command[:2], str(short), *command[3:]]
    status, found = answer(capsys, *cut)
    assert (status, found["ok"], found["error"]) == (1, False, "FileTruncated")
    assert cli.main(cut) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{found['message']}\n")


@pytest.mark.parametrize(
    "given",
    [
        ["--manifest=nowhere"],
        ["--receipt=nowhere"],
        ["--secret-key=nowhere"],
        ["--secret-key=policy"],
        ["--dossier=nowhere"],
        ["--passphrase-file=nowhere", "--secret-key=me.sec"],
        ["--policy=me.sec"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_read_is_not_called_false(
    given: list[str], command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    options = [one.split("=") for one in given]
    placed = [f"{name}={beside(command, file)}" for name, file in options]
    status, found = answer(capsys, *command, *placed)
    assert (status, found["ok"], found["error"]) == (2, None, "NothingChecked")


def test_without_its_receipt_nothing_is_checked(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    alone = tmp_path / "manifest.json"
    alone.write_bytes(Path(beside(command, "GMR000001.json")).read_bytes())
    status, found = answer(capsys, *command, f"--manifest={alone}")
    assert status == 2 and "--receipt FILE" in found["message"]


def run_apart(
    program: str, *options: str, python: str = sys.executable
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, *options, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_two_packages_and_the_sources_are_enough(
    command: list[str], tmp_path: Path
) -> None:
    # docs/verify.md installs them, and nothing else; the sources are not installed.
    for name in ("cryptography", "rfc8785", "cffi", "_cffi_backend"):
        found = importlib.util.find_spec(name)
        assert found is not None and found.origin is not None
        place = Path(found.origin)
        place = place.parent if place.name == "__init__.py" else place
        (tmp_path / place.name).symlink_to(place)
    root = Path(cli.__file__).parents[2]
    paths = [str(tmp_path), str(root), str(root / "platform")]
    arguments = [*command, f"--dossier={beside(command, 'dossier.json')}"]
    done = run_apart(
        f"import sys; sys.path[:0] = {paths!r}; from gemmule import cli; "
        f"sys.exit(cli.main({arguments!r}))",
        "-I",
        "-S",
        python=sys._base_executable,  # type: ignore[attr-defined] # undocumented
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "The decision on each of the 5 samples was made again" in done.stdout


def test_it_loads_no_framework_and_starts_at_once(command: list[str]) -> None:
    arguments = [*command, f"--secret-key={beside(command, 'me.sec')}"]
    program = (
        f"import json, sys; from gemmule import cli; cli.main({arguments!r}); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    times = []
    for _ in range(3):
        start = time.perf_counter()
        done = run_apart(program)
        times.append(time.perf_counter() - start)
    roots = {
        name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])
    }
    assert "genomics" in roots and roots.isdisjoint(FORBIDDEN)
    # 0.3 s on a machine that is doing nothing else; see docs/verify.md.
    assert min(times) < 1


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for number, megabytes in enumerate((1, 48)):
        folder = tmp_path / str(number)
        folder.mkdir()
        arguments = Forged(PEOPLE, inside=bytes(megabytes << 20)).write(folder)
        arguments.append(f"--secret-key={folder / 'me.sec'}")
        done = run_apart(
            f"from gemmule import cli; assert cli.main({arguments!r}) == 0; "
            # Not `ru_maxrss`, which begins with that of the process that forked.
            "print(*[line for line in open('/proc/self/status') if 'VmHWM' in line])"
        )
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout.split()[-2]))
    # Kilobytes; what was allocated and given back differs a little.
    assert peaks[1] - peaks[0] < 8 * 1024
