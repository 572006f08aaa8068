"""A whole release comes; no file gets a name that is not the one named."""

import json

import pytest

from tests.gemmule.downloader.far_side import ACCESSION, INDEX, VARIANTS, FarSide
from tests.gemmule.downloader.person import Run, check_whole


def test_every_file_comes_with_manifest_and_receipt(run: Run, site: FarSide) -> None:
    status, out, err = run()
    assert status == 0
    assert out.startswith(f"Release {ACCESSION} is in {run.folder}: 2 files (")
    assert "not checked: --policy" in out
    assert f"{VARIANTS}  100 %" in err
    assert len(run.names()) == 4
    check_whole(run, site)


def test_what_a_release_holds_is_said_and_that_it_may_be_nothing(
    run: Run, site: FarSide
) -> None:
    assert "It holds 1 sample and 1 record." in run()[1]
    site.says = {"records": 0, "empty_because": ["regions-outside"]}
    site.sign()
    status, out, _ = run()
    assert status == 0
    assert "no record: the dataset holds nothing in the requested regions." in out
    last = json.loads(run("--json")[1].splitlines()[-1])
    assert (last["samples"], last["records"]) == (1, 0)
    assert last["empty_because"] == ["regions-outside"]


@pytest.mark.parametrize(
    "says",
    [
        {"records": 1, "empty_because": ["no-carrier"]},
        {"records": 0, "empty_because": []},
        {"records": 0, "empty_because": "no-carrier"},
    ],
)
def test_a_manifest_that_gives_false_reasons_is_refused(
    run: Run, site: FarSide, says: dict[str, object]
) -> None:
    site.says = says
    site.sign()
    status, _, err = run()
    assert status == 1
    assert "empty_because must list reasons" in err


def test_what_is_here_already_is_not_fetched_again(run: Run, site: FarSide) -> None:
    assert run()[0] == 0
    site.asked.clear()
    status, _, err = run()
    assert status == 0
    assert f"{VARIANTS}: is here already" in err
    assert not site.asked_for(VARIANTS)


def test_machines_read_one_object_a_line(run: Run, site: FarSide) -> None:
    status, out, err = run("--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, "")
    assert {"file", "progress"} <= {one.get("event") for one in told}
    last = told[-1]
    assert (last["ok"], last["kind"], last["release"]) == (True, "download", ACCESSION)
    assert last["files"] == [VARIANTS, INDEX]
    moved = [one for one in told if one.get("event") == "progress"]
    assert moved[-1]["bytes"] == moved[-1]["size_bytes"]
    site.state = "requested"
    status, out, _ = run("--json")
    failed = json.loads(out.splitlines()[-1])
    assert (status, failed["ok"], failed["error"]) == (4, False, "NotReady")


def test_a_byte_changed_on_the_way_gets_no_name(run: Run, site: FarSide) -> None:
    for at in (0, 200, len(site.files[VARIANTS]) - 1):
        changed = bytearray(site.files[VARIANTS])
        changed[at] ^= 1
        site.files[VARIANTS] = bytes(changed)
        status, out, err = run()
        assert (status, out) == (1, "")
        assert f"{VARIANTS} came whole" in err and "not the file that" in err
        assert run.names() == []
        changed[at] ^= 1
        site.files[VARIANTS] = bytes(changed)
    assert run()[0] == 0


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "/etc/x", "..", "a/../../x", "a\\..\\x", ".hidden", "a\x00b"),
        *("a\n", "\x1b[2J", "-rf", "a.part", f"{ACCESSION}.json", "A.tbi.c4gh"),
        *(f"{ACCESSION.lower()}.tlog-proof", "x" * 101, "ä"),
    ],
)
def test_no_manifest_says_where_files_go(run: Run, site: FarSide, name: str) -> None:
    site.put(name, b"malice")
    site.sign()
    before = {path for path in run.folder.parent.rglob("*") if path.name != "token"}
    status, out, err = run()
    assert (status, out) == (1, "")
    assert "the manifest names" in err.lower() and "\x1b" not in err
    after = {path for path in run.folder.parent.rglob("*") if path.name != "token"}
    assert after - before <= {run.folder}
    assert not site.asked_for(VARIANTS)


def test_a_manifest_that_was_changed_is_not_one(run: Run, site: FarSide) -> None:
    site.manifest = site.manifest.replace(b'"samples":1', b'"samples":2')
    status, _, err = run()
    assert status == 1 and err.startswith("The manifest was changed: ")
    assert run.names() == []


def test_another_file_of_that_name_is_not_overwritten(run: Run, site: FarSide) -> None:
    run.folder.mkdir()
    (run.folder / VARIANTS).write_bytes(b"dear to somebody")
    status, _, err = run()
    assert status == 2 and "move it away" in err
    assert (run.folder / VARIANTS).read_bytes() == b"dear to somebody"
