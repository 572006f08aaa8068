"""Witnesses of a demo: made once, found again, and gone with their parent."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from gemmule.demo import processes, state, witnesses
from gemmule.demo.processes import Site
from gemmule.demo.witnesses import Witnesses
from ledger import cosigning
from ledger.tlog.note import VerifierKey
from ledger.tlog.policy import Policy
from tests import waiting
from tests.sites import FreshSite
from tests.witnesses import KEY, LOG, NEXT_KEY


def make(
    data_dir: Path, count: int | None, *logs: VerifierKey, port: int = 0
) -> Witnesses:
    """Return the witnesses, their ports given back."""
    with witnesses.made(
        data_dir, count=count, logs=logs or [KEY.verifier], first_port=port
    ) as found:
        return found


def policy_of(found: Witnesses) -> Policy:
    assert found.policy_file is not None
    return Policy.from_bytes(found.policy_file.read_bytes())


def test_a_demo_that_was_asked_for_none_has_none(tmp_path: Path) -> None:
    found = make(tmp_path, None)
    assert (found.environment, found.witnesses, found.publisher) == ({}, {}, {})
    assert list(tmp_path.iterdir()) == []


def test_each_has_a_key_and_a_folder_and_all_are_needed(tmp_path: Path) -> None:
    found = make(tmp_path, 2)
    policy = policy_of(found)
    assert policy.logs == (KEY.verifier,)
    assert len({each.key for each in policy.witnesses}) == 2
    assert tuple(each.url for each in policy.witnesses) == found.urls
    assert policy.is_met(["witness1", "witness2"])
    assert not policy.is_met(["witness1"]) and not policy.is_met(["witness2"])
    assert found.environment == {
        "GEMMULE_LEDGER_POLICY": str(tmp_path / "witnesses" / "policy")
    }
    assert set(found.witnesses) == {"witness1", "witness2"}
    state.check_is_ours(tmp_path)


@pytest.mark.parametrize("asked", [2, None])
def test_they_are_found_again_as_they_were(tmp_path: Path, asked: int | None) -> None:
    before = policy_of(make(tmp_path, 2)).text
    assert policy_of(make(tmp_path, asked)).text == before


@pytest.mark.parametrize("asked", [1, 3])
def test_another_number_is_refused_with_what_to_do(tmp_path: Path, asked: int) -> None:
    make(tmp_path, 2)
    with pytest.raises(state.StateRefused, match="start it with --witnesses 2 or"):
        make(tmp_path, asked)


def test_a_port_that_was_taken_meanwhile_is_replaced_in_the_policy(
    tmp_path: Path,
) -> None:
    before = policy_of(make(tmp_path, 2))
    taken = int(str(before.witnesses[0].url).rpartition(":")[2])
    with socket.create_server(("127.0.0.1", taken)):
        after = policy_of(make(tmp_path, None))
    assert after.witnesses[0].url != before.witnesses[0].url
    assert after.witnesses[1].url == before.witnesses[1].url
    keys = [[each.key for each in policy.witnesses] for policy in (before, after)]
    assert keys[0] == keys[1]


def test_a_start_that_was_cut_short_is_made_good(tmp_path: Path) -> None:
    folder = tmp_path / "witnesses" / "witness1"
    folder.mkdir(parents=True)
    (folder / "logs").write_text("half a")
    assert len(policy_of(make(tmp_path, 1)).witnesses) == 1


def test_they_trust_the_next_key_of_the_log(tmp_path: Path) -> None:
    make(tmp_path, 1)
    both = (KEY.verifier, NEXT_KEY.verifier)
    assert policy_of(make(tmp_path, 1, *both)).logs == both
    assert policy_of(make(tmp_path, 1, NEXT_KEY.verifier)).logs == (NEXT_KEY.verifier,)
    logs = (tmp_path / "witnesses" / "witness1" / "logs").read_text().splitlines()
    assert logs == [KEY.verifier.text, NEXT_KEY.verifier.text]


def cosign(found: Witnesses) -> list[str]:
    return [
        cosigning.cosign(
            str(each.url),
            each.key,
            old_size=0,
            proof=[],
            note=LOG.note(5),
            timeout_s=10,
        )
        for each in policy_of(found).witnesses
    ]


def test_they_run_before_anything_is_prepared_and_meet_the_policy(
    fresh_site: FreshSite,
) -> None:
    environment = fresh_site("sqlite")
    data_dir = Path(environment["GEMMULE_DATA_DIR"])
    with (
        witnesses.made(data_dir, count=2, logs=[KEY.verifier], first_port=0) as found,
        processes.running(
            environment=environment, prepare=(), start=(), first=found.witnesses
        ) as site,
    ):
        note = LOG.note(5) + "".join(cosign(found)).encode()
        assert len(policy_of(found).check(note).cosigners) == 2
        children = [site.pid(name) for name in found.witnesses]
        _check_kill_is_noticed(site)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def _check_kill_is_noticed(site: Site) -> None:
    site.kill("witness1")
    site.start("witness1")
    site.check()


_PROGRAM = """
import json, os
from pathlib import Path
from gemmule.demo import processes, witnesses
from tests.witnesses import KEY

data_dir = Path(os.environ["GEMMULE_DATA_DIR"])
with (
    witnesses.made(data_dir, count=2, logs=[KEY.verifier], first_port=0) as found,
    processes.running(
        environment=os.environ, prepare=(), start=(), first=found.witnesses
    ) as site,
):
    pids = [site.pid(name) for name in found.witnesses]
    print(json.dumps({"pids": pids, "urls": found.urls}), flush=True)
    site.watch()
"""


def _has_ended(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_none_outlives_its_parent(
    fresh_site: FreshSite, number: signal.Signals
) -> None:
    environment = fresh_site("sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**environment, "PYTHONPATH": ":".join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as parent:
        assert parent.stdout is not None
        told = json.loads(parent.stdout.readline())
        for url in told["urls"]:
            with urlopen(url) as answer:
                assert answer.read().startswith(b"Witness witness")
        parent.send_signal(number)
        parent.wait(timeout=40)
    waiting.until(
        lambda: all(_has_ended(pid) for pid in told["pids"]),
        what="the end of every witness",
    )
