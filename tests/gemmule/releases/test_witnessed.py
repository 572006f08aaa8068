"""A release opens when enough witnesses have cosigned its entry, and not before."""

import logging
from pathlib import Path

import pytest

import ledger.selectors
from gemmule.accounts.models import User
from gemmule.releases import build, delivery, tasks, upkeep
from gemmule.releases.errors import NotYetOnLedger
from gemmule.releases.models import Release, ReleaseState
from ledger import errors, keys, services
from tests.gemmule.releases.conftest import Clock
from tests.ledger.circle import Circle


@pytest.fixture
def circle(release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Circle:
    return Circle(tmp_path / "circle", monkeypatch)


def test_a_release_stays_shut_until_the_quorum_is_met(
    rosa: User, release: Release, clock: Clock, circle: Circle
) -> None:
    circle.away = {"w1"}
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    for _ in range(2):
        assert upkeep.settle(now=clock()) == 0
    release.refresh_from_db()
    assert release.state == ReleaseState.SEALED
    assert ledger.selectors.entry(release.event).state == "sequenced"
    with pytest.raises(NotYetOnLedger) as refused:
        delivery.open_file(
            user=rosa,
            release=release,
            file=release.files.get(role="variants"),
            range_header=None,
            if_range=None,
            clock=clock,
        )
    assert refused.value.code == "not-on-ledger"

    circle.away = set()
    assert upkeep.settle(now=clock()) == 1
    release.refresh_from_db()
    assert release.state == ReleaseState.AVAILABLE
    latest = ledger.selectors.latest_checkpoint()
    assert latest is not None
    cosigned = ledger.selectors.policy().check(latest.note.encode())
    assert len(cosigned.cosigners) == 2


def test_the_round_goes_on_while_witnesses_are_away(
    release: Release,
    clock: Clock,
    circle: Circle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    circle.away = {"w0", "w1"}
    sent: list[int] = []
    monkeypatch.setattr(tasks, "nudge", lambda task, pk: sent.append(pk))
    caplog.set_level(logging.INFO)
    for _ in range(3):
        tasks.reap_releases()
    assert sent == [release.pk]
    assert caplog.text.count("witness w0 does not cosign") == 1
    assert "Traceback" not in caplog.text


def test_a_notary_that_is_away_stops_no_round(
    release: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise errors.NotaryUnreachable("the notary does not answer")

    services.sequence_all(now=clock())
    monkeypatch.setattr(keys, "open_notary", away)
    assert upkeep.settle(now=clock()) == 0


def test_a_log_that_was_rewritten_is_an_alarm_and_no_delay(
    release: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*, now: object) -> None:
        raise errors.HistoryRewritten("history was rewritten")

    monkeypatch.setattr(services, "publish", refuse)
    with pytest.raises(errors.HistoryRewritten):
        upkeep.settle(now=clock())
