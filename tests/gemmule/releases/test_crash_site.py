"""A site whose processes are killed: releases are made once, downloads go on."""

import hashlib
import os
import signal
from collections.abc import Iterator
from functools import partial

import pytest
from celery import Celery

from gemmule.demo import cast, leash, processes
from gemmule.demo.visitor import Visitor
from tests import waiting
from tests.gemmule.releases.site import Download, Stage, children, staged
from tests.sites import FreshSite

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(fresh_site: FreshSite) -> Iterator[Stage]:
    """Run one site on PostgreSQL; every test leaves all of its processes up."""
    with staged(fresh_site("postgres")) as running:
        yield running


def kill_the_worker_in_mid_build(stage: Stage) -> None:
    accession = stage.ask()
    stage.cutting()
    assert stage.row(accession, "state", "fencing_token") == ("building", 1)
    stage.site.kill("worker")
    waiting.until(
        lambda: not children(stage.folder / "scratch"),
        what="the child, which dies with its worker",
    )
    assert stage.state(accession) == "building"
    stage.site.start("worker")
    stage.built(accession)
    assert stage.row(accession, "fencing_token", "attempts") == (2, 2)
    stage.check_once(accession)


def test_a_build_whose_worker_is_killed_is_done_again_once(stage: Stage) -> None:
    kill_the_worker_in_mid_build(stage)


def test_a_build_whose_child_alone_is_killed_is_done_again_once(stage: Stage) -> None:
    accession = stage.ask()
    os.kill(stage.cutting(), signal.SIGKILL)
    stage.built(accession)
    assert stage.row(accession, "fencing_token", "attempts") == (2, 2)
    stage.check_once(accession)


def test_a_build_that_loses_three_children_is_set_aside_with_a_reason(
    stage: Stage,
) -> None:
    accession = stage.ask()

    def has_begun(attempt: int) -> bool:
        return stage.row(accession, "attempts") == (attempt,)

    for attempt in (1, 2, 3):
        waiting.until(partial(has_begun, attempt), what=f"attempt {attempt}")
        os.kill(stage.cutting(), signal.SIGKILL)
    waiting.until(lambda: stage.state(accession) == "failed", what="the failure")
    code, reason = stage.row(accession, "failure_code", "failure_reason")
    assert code == "set-aside"
    assert "was lost 3 times" in reason
    stage.site.check()


def test_so_it_is_on_sqlite(fresh_site: FreshSite) -> None:
    with staged(fresh_site("sqlite"), records=12_000) as stage:
        kill_the_worker_in_mid_build(stage)


def closing_of_lost_downloads(stage: Stage, taken: int) -> None:
    """See the row that the killed server left open closed as lost, half an hour on."""
    find = "SELECT outcome, bytes_sent, finished_at FROM releases_download "
    ((outcome, _, finished),) = stage.query(f"{find} WHERE outcome = 'open'")
    assert (outcome, finished) == ("open", None)
    app = Celery(
        "sender", broker=stage.site.environment["REDIS_URL"], set_as_current=False
    )
    try:
        app.send_task("releases.tidy")
        stage.query(
            "UPDATE releases_download SET seen_at = seen_at - interval '31 minutes' "
            "WHERE outcome = 'open' RETURNING id"
        )
        app.send_task("releases.tidy")
    finally:
        app.close()
    waiting.until(
        lambda: not stage.query(f"{find} WHERE outcome = 'open'"), what="the closing"
    )
    ((_, sent, finished),) = stage.query(f"{find} WHERE outcome = 'lost'")
    assert 0 <= sent <= taken
    assert finished is not None


def test_a_download_goes_on_byte_exact_after_the_web_server_was_killed(
    stage: Stage,
) -> None:
    release = stage.built(stage.ask())
    path, whole = stage.path(release), stage.stored(release)
    first = Download(stage, path, start=0, etag="")
    assert (first.status, first.size) == (200, len(whole))
    got = first.read(300_000)
    stage.site.kill("web")
    got += first.read(len(whole))  # What the kernel still had in its buffers.
    first.close()
    assert 300_000 <= len(got) < len(whole), "the server was not in mid-download"
    closing_of_lost_downloads(stage, len(got))
    stage.site.start("web")
    rest = Download(stage, path, start=len(got), etag=first.etag)
    assert rest.status == 206
    got += rest.read(len(whole))
    rest.close()
    assert got == whole
    (said,) = [one for one in release["files"] if one["role"] == "variants"]
    assert hashlib.sha256(got).hexdigest() == said["sha256_cipher"]
    waiting.until(
        lambda: stage.entries()["data.delivered"] == 1, what="the delivery's entry"
    )
    stage.check_once(release["accession"])


def test_a_broker_emptied_after_the_request_costs_time_alone(stage: Stage) -> None:
    stage.signal_worker(signal.SIGSTOP)
    # A message would be handed to whoever stands there, stopped or not.
    waiting.until(lambda: not stage.broker_is_blocked(), what="the broker to be alone")
    accession = stage.ask()
    assert any(b"releases.build" in message for message in stage.messages())
    stage.site.broker.empty()
    stage.signal_worker(signal.SIGCONT)
    stage.built(accession)
    assert stage.row(accession, "attempts") == (1,)
    stage.check_once(accession)


def test_delivered_five_times_to_two_workers_a_task_has_one_effect(
    stage: Stage,
) -> None:
    stage.signal_worker(signal.SIGSTOP)
    waiting.until(lambda: not stage.broker_is_blocked(), what="the broker to be alone")
    accession = stage.ask()
    (number,) = stage.row(accession, "id")
    url = stage.site.environment["REDIS_URL"]
    app = Celery("sender", broker=url, set_as_current=False)
    try:
        for _ in range(5):
            app.send_task("releases.build", args=[number])
    finally:
        app.close()
    command = [
        word.replace("worker@localhost", "second@localhost")
        for word in processes.WORKER_COMMAND
    ]
    second = leash.start(
        command,
        log=stage.site.log_dir / "second.log",
        environment=stage.site.environment,
        when_parent_dies=signal.SIGKILL,
    )
    try:
        stage.signal_worker(signal.SIGCONT)
        stage.built(accession)
        waiting.until(
            lambda: not any(b"releases.build" in one for one in stage.messages()),
            what="all deliveries",
        )
    finally:
        leash.stop(second, ask=signal.SIGTERM, grace_s=20)
    assert stage.row(accession, "fencing_token", "attempts") == (1, 1)
    stage.check_once(accession)


def test_a_build_goes_on_while_the_broker_is_away(stage: Stage) -> None:
    accession = stage.ask()
    child = stage.cutting()
    with stage.without_broker():
        os.kill(child, signal.SIGCONT)
        stage.built(accession)
        assert stage.row(accession, "fencing_token", "attempts") == (1, 1)
    # The worker has lived on, and hears from the next broker.
    stage.built(stage.ask())
    stage.site.check()
    stage.check_once(accession)


def test_with_broker_and_mail_down_requests_and_withdrawals_are_taken(
    stage: Stage,
) -> None:
    release = stage.built(stage.ask())
    path, whole = stage.path(release), stage.stored(release)
    reader = Download(stage, path, start=0, etag="")
    got = reader.read(300_000)
    ada = Visitor(stage.site.url)
    ada.sign_in(cast.ADA.email, cast.PASSWORD)
    with stage.without_broker():
        accession = stage.ask()
        assert stage.state(accession) == "requested"
        page = ada.send(ada.open("/donor/withdraw/"), {}, having="event")
        assert page.status == 200
        assert stage.state(release["accession"]) == "revoked"
        for refused in (path, path + "?again"):
            resumed = Download(stage, refused, start=len(got), etag=reader.etag)
            assert resumed.status == 403
            assert b"withdrew" in resumed.read(10_000)
            resumed.close()
        # What had passed before is all that the open stream brings.
        got += reader.read(len(whole))
        reader.close()
        assert len(got) < len(whole)
    stage.built(accession)
    ((donors,),) = stage.query(
        "SELECT count(*) FROM releases_releasedonor d JOIN releases_release r "
        "ON r.id = d.release_id WHERE r.accession = %s",
        accession,
    )
    assert donors == 29
    told = stage.query(
        "SELECT id FROM notices_notice WHERE kind = 'release.revoked' AND url LIKE %s",
        f"%{release['accession']}%",
    )
    assert len(told) == 1
    assert "Connection refused" in (stage.site.log_dir / "worker.log").read_text()
    stage.check_once(accession)
