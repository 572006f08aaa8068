"""Two workers cut the parts of a release, and one of them is killed in the middle."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gemmule.demo import cast, leash, processes
from gemmule.demo.visitor import Visitor
from tests import waiting
from tests.gemmule.releases.site import Stage, staged
from tests.sites import FreshSite

pytestmark = pytest.mark.slow

PARTS = 4
# Far enough apart for windows, and so for parts.
RECORDS, APART = 12_000, 400
IN_PARTS = {
    "GEMMULE_RELEASE_SPLIT_GENOTYPES": "1",
    "GEMMULE_RELEASE_PARTS": str(PARTS),
}


@pytest.fixture(scope="module")
def stage(fresh_site: FreshSite) -> Iterator[Stage]:
    """Run one site on PostgreSQL; every test leaves all of its processes up."""
    with staged(
        {**fresh_site("postgres"), **IN_PARTS}, records=RECORDS, apart=APART
    ) as running:
        yield running


@contextmanager
def second_worker(stage: Stage) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker that does one thing at a time, beside the site's own."""
    words = {"worker@localhost": "second@localhost", "2": "1"}
    process = leash.start(
        [words.get(str(word), word) for word in processes.WORKER_COMMAND],
        log=stage.site.log_dir / "second.log",
        environment=stage.site.environment,
        when_parent_dies=signal.SIGKILL,
    )
    try:
        yield process
    finally:
        leash.kill_group(process)


def attempts(stage: Stage) -> dict[int, tuple[str, int]]:
    """Return state and attempts of each part there is."""
    rows = stage.query("SELECT number, state, attempts FROM releases_releasepart")
    return {number: (state, count) for number, state, count in rows}


def alone(stage: Stage) -> None:
    """Stop the site's worker, so that nobody stands at the broker."""
    stage.signal_worker(signal.SIGSTOP)
    waiting.until(lambda: not stage.broker_is_blocked(), what="the broker to be alone")


def kill_a_worker_in_mid_part(stage: Stage) -> None:
    alone(stage)
    accession = stage.ask()
    with second_worker(stage) as second:
        stage.cutting(second.pid)
        (mine,) = [
            n for n, (state, _) in attempts(stage).items() if state == "building"
        ]
        stage.signal_worker(signal.SIGCONT)
        waiting.until(
            lambda: "done" in [state for state, _ in attempts(stage).values()],
            what="a part by the other worker",
        )
        # Only now: its child is stopped, so that it held its part all the while.
        assert attempts(stage)[mine] == ("building", 1)
    seen: dict[int, int] = {}

    def watch() -> bool:
        seen.update({n: count for n, (_, count) in attempts(stage).items()})
        return stage.state(accession) not in ("requested", "building")

    waiting.until(watch, what="the seal", timeout_s=60)
    assert seen == {n: 2 if n == mine else 1 for n in range(PARTS)}
    stage.built(accession)
    assert stage.row(accession, "fencing_token", "attempts") == (2, 1)
    assert not stage.query("SELECT id FROM releases_splitbuild")
    stage.check_once(accession)
    # As one worker by itself cuts it, which is what this compares it with.
    stage.site.manage("rebuild_release", accession)


def test_a_worker_killed_in_mid_part_costs_that_part_alone(stage: Stage) -> None:
    kill_a_worker_in_mid_part(stage)


def test_so_it_is_on_sqlite(fresh_site: FreshSite) -> None:
    with staged(
        {**fresh_site("sqlite"), **IN_PARTS}, records=RECORDS, apart=APART
    ) as running:
        kill_a_worker_in_mid_part(running)


def test_an_emptied_broker_costs_time_and_a_withdrawal_the_build(stage: Stage) -> None:
    alone(stage)
    accession = stage.ask()
    with second_worker(stage) as second:
        child = stage.cutting(second.pid)
        assert any(b"releases.cut_part" in message for message in stage.messages())
        stage.site.broker.empty()
        ada = Visitor(stage.site.url)
        ada.sign_in(cast.ADA.email, cast.PASSWORD)
        page = ada.send(ada.open("/donor/withdraw/"), {}, having="event")
        assert page.status == 200
        # A minute later, for the parts whose messages are lost.
        stage.query(
            "UPDATE releases_releasepart SET lease_until = "
            "lease_until - interval '1 minute' WHERE state = 'waiting' RETURNING id"
        )
        os.kill(child, signal.SIGCONT)
        stage.signal_worker(signal.SIGCONT)
        stage.built(accession)
    ((donors,),) = stage.query(
        "SELECT count(*) FROM releases_releasedonor d JOIN releases_release r "
        "ON r.id = d.release_id WHERE r.accession = %s",
        accession,
    )
    assert donors == 29
    assert stage.row(accession, "attempts") == (1,)
    stage.check_once(accession)
    stage.site.manage("rebuild_release", accession)
