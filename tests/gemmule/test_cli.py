"""The `gemmule` command says plainly what holds, and its exit status says it again."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gemmule import cli
from tests.gemmule.verifier.acts import Scene
from tests.ledger import written

SCENE = Scene()
FORBIDDEN = {"django", "rest_framework", "celery", "redis", "pysam"}


class Run:
    """The files a person may have, and the command run on them in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder = folder
        self._capsys = capsys
        self.policy = self.file("policy", written.policy_text().encode())

    def file(self, name: str, data: bytes) -> str:
        path = self._folder / name
        path.write_bytes(data)
        return str(path)

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        status = cli.main(["verify", *arguments, "--policy", self.policy])
        out, err = self._capsys.readouterr()
        return status, out, err

    def json(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        status, out, err = self(*arguments, "--json")
        assert not err and out.count("\n") == 1
        found: dict[str, Any] = json.loads(out)
        return status, found


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    return Run(tmp_path, capsys)


def test_a_receipt_that_holds(run: Run) -> None:
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    status, out, err = run("receipt", receipt)
    assert (status, err) == (0, "")
    assert out.startswith("This receipt holds.\n")
    status, found = run.json("receipt", receipt)
    assert status == 0
    assert (found["ok"], found["kind"], found["index"]) == (True, "receipt", 1)
    assert (found["size"], found["type"], found["body"]) == (9, "consent.given", None)
    assert found["latest"] == "2026-03-02T09:30:09.000Z"


def test_a_receipt_with_its_opening(run: Run) -> None:
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    opening = run.file("opening.json", SCENE.openings[0].encode())
    status, out, _ = run("receipt", receipt, "--opening", opening)
    assert status == 0 and "  subject seq: 1" in out
    _, found = run.json("receipt", receipt, "--opening", opening)
    assert found["body"] == SCENE.openings[0].body
    other = run.file("other.json", SCENE.openings[1].encode())
    status, out, err = run("receipt", receipt, "--opening", other)
    assert (status, out) == (1, "")
    assert err.startswith("The opening does not fit this receipt: ")


def test_each_refusal_of_a_receipt_has_its_words(run: Run) -> None:
    good = SCENE.receipt(1)
    lines = good.split(b"\n")
    moved = [*lines[:3], bytes(lines[4]), bytes(lines[3]), *lines[5:]]
    cases = {
        "This is not a receipt, or it was changed: ": good[1:],
        "This receipt does not belong to a log of this policy: ": SCENE.receipt(
            1, key=written.THIEF
        ),
        "Too few witnesses stand behind this receipt: ": SCENE.receipt(1, witnesses=()),
        "This receipt's entry is not in the tree that was signed: ": b"\n".join(moved),
        "This receipt is not of an entry of a ledger: ": good.replace(
            lines[1], b"extra e30="
        ),
    }
    for words, data in cases.items():
        status, out, err = run("receipt", run.file("bad", data))
        assert (status, out) == (1, "")
        assert err.startswith(words)
        assert err.count("\n") == 1
        status, found = run.json("receipt", run.file("bad", data))
        assert status == 1
        assert found["ok"] is False and found["message"] == err.rstrip("\n")


def test_a_ledger_that_holds_and_one_that_does_not(run: Run, tmp_path: Path) -> None:
    folder = written.write(tmp_path / "log", SCENE.log)
    assert run("ledger", str(folder))[0] == 0
    status, found = run.json("ledger", str(folder))
    assert (status, found["ok"], found["size"]) == (0, True, 9)
    kept = run.file("kept", written.signed(SCENE.log[:4]))
    assert run.json("ledger", str(folder), "--since", kept)[1]["since"] == 4
    written.write(folder, written.log_of(9), key=written.KEY)
    status, out, err = run("ledger", str(folder), "--since", kept)
    assert (status, out) == (1, "")
    assert err.startswith("The ledger's history was changed: the first 4 entries")
    (folder / written.path_of("0", 0, 9)).unlink()
    assert run("ledger", str(folder))[2].startswith("A part of the ledger is not there")
    (folder / "checkpoint").write_bytes(b"text\n")
    assert run("ledger", str(folder))[2].startswith("This ledger is not a log of this")


def test_a_record_that_is_complete_and_one_that_is_not(run: Run) -> None:
    status, out, _ = run("donor-record", run.file("record", SCENE.record()))
    assert status == 0 and "None is missing from act 1 to act 4" in out
    status, found = run.json("donor-record", run.file("record", SCENE.record()))
    assert (found["complete_up_to"], found["erased"]) == (4, 0)
    assert [each["index"] for each in found["acts"]] == [1, 3, 5, 7]
    status, _, err = run("donor-record", run.file("gap", SCENE.record(1, 3)))
    assert status == 1
    assert err.startswith("This record is not complete: 1 act(s) of this donor are")
    status, _, err = run("donor-record", run.file("bad", b"{}"))
    assert status == 1 and err.startswith("This record does not hold: ")


def test_what_cannot_be_read_is_not_called_false(run: Run, tmp_path: Path) -> None:
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    cases = [
        ("receipt", str(tmp_path / "none")),
        ("receipt", str(tmp_path)),
        ("receipt", run.file("long", bytes(10_000_000))),
        ("receipt", receipt, "--opening", str(tmp_path / "none")),
        ("ledger", str(tmp_path / "none")),
        ("ledger", "ftp://example.org/log"),
        ("ledger", "http://127.0.0.1:9/log"),
        ("ledger", str(tmp_path), "--token-file", str(tmp_path / "none")),
        ("ledger", str(tmp_path), "--since", run.file("kept", b"text")),
        ("donor-record", str(tmp_path / "none")),
    ]
    for arguments in cases:
        status, out, err = run(*arguments)
        assert (status, out) == (2, ""), arguments
        assert err.startswith("Nothing could be checked: ")
        status, found = run.json(*arguments)
        assert status == 2 and found["ok"] is None


def test_a_policy_that_is_none_checks_nothing(run: Run) -> None:
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    for policy in (b"", b"quorum none", b"log text\nquorum none\n", b"\x00"):
        run.policy = run.file("policy", policy)
        status, _, err = run("receipt", receipt)
        assert status == 2 and "is not a policy" in err


def test_no_character_of_a_file_moves_the_cursor(run: Run) -> None:
    evil = SCENE.record(origin="\x1b[2J\x1b[1;1HThis record holds.")
    for arguments in (("donor-record", run.file("evil", evil)),):
        _, out, err = run(*arguments)
        assert "\x1b" not in out + err
        _, out, err = run(*arguments, "--json")
        assert "\x1b" not in out + err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["verify"],
        ["verify", "release"],
        ["download"],
        ["download", "GMR000001"],
        ["download", "GMR000001", "--server", "https://example.org"],
        ["verify", "receipt"],
        ["verify", "receipt", "file"],
        ["verify", "ledger", "--policy", "file"],
    ],
)
def test_another_use_of_the_command_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def gemmule(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = Path(sys.executable).with_name("gemmule")
    return subprocess.run(
        [command, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_installed_command_ends_with_the_status(run: Run) -> None:
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    good = gemmule("verify", "receipt", receipt, "--policy", run.policy)
    assert (good.returncode, good.stderr) == (0, "")
    bad = run.file("bad", SCENE.receipt(1, witnesses=()))
    assert gemmule("verify", "receipt", bad, "--policy", run.policy).returncode == 1
    assert gemmule("verify", "receipt", bad).returncode == 2
    assert gemmule("--version").stdout == "gemmule 0.1.0\n"


def test_two_packages_and_the_sources_are_enough(run: Run, tmp_path: Path) -> None:
    # docs/verify.md installs them, and nothing else; the sources are not installed.
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("cryptography", "rfc8785", "cffi", "_cffi_backend"):
        found = importlib.util.find_spec(name)
        assert found is not None and found.origin is not None
        place = Path(found.origin)
        place = place.parent if place.name == "__init__.py" else place
        (packages / place.name).symlink_to(place)
    root = Path(cli.__file__).parents[2]
    paths = [str(packages), str(root), str(root / "platform")]
    program = f"import sys; sys.path[:0] = {paths!r}; from gemmule.cli import main; "
    for arguments in (["--version"], ["verify", "receipt", receipt]):
        policy = [] if arguments == ["--version"] else ["--policy", run.policy]
        done = subprocess.run(
            # Isolated, without site-packages.
            [
                *(sys._base_executable, "-I", "-S", "-c"),  # type: ignore[attr-defined] # undocumented
                f"{program} sys.exit(main({[*arguments, *policy]!r}))",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("This receipt holds.")


def test_the_command_loads_no_framework_and_starts_at_once(run: Run) -> None:
    receipt = run.file("act.tlog-proof", SCENE.receipt(1))
    program = (
        "import json, sys; from gemmule import cli; "
        f"cli.main(['verify', 'receipt', {receipt!r}, '--policy', {run.policy!r}]); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    times = []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        times.append(time.perf_counter() - start)
    roots = {
        name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])
    }
    assert "ledger" in roots and roots.isdisjoint(FORBIDDEN)
    # 0.3 s on a machine that is doing nothing else; see docs/verify.md.
    assert min(times) < 1
