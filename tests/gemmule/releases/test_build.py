"""Builds: what is in a release, what is said of it, and builds that may not go on."""

import hashlib
import json
import os
import signal
import subprocess
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings

import consent.services
import gemmule.accounts.services
import genomics.child
import ledger.selectors
from consent.models import Donor
from gemmule.access.models import AccessRequest
from gemmule.accounts.models import User
from gemmule.audit.verification import verify
from gemmule.releases import build, cohort, services, storage, upkeep
from gemmule.releases.models import Release, ReleaseFile, ReleaseState
from tests import cohorts
from tests.gemmule.releases.cohort_file import NAMES, private_position
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import (
    builds,
    columns,
    lies_at,
    plaintext,
    positions,
    stored,
)

pytestmark = pytest.mark.django_db


def test_a_release_holds_the_consenting_donors_and_nobody_else(
    built: Release, variants: ReleaseFile, keyring: Keyring
) -> None:
    text = plaintext(variants, keyring)
    assert len(columns(text)) == 28
    found = positions(text)
    for index in range(28):
        assert private_position(index) in found
    for index in (28, 29):
        assert private_position(index) not in found
    assert not any(name in text for name in NAMES)
    assert "AF=0.123" not in text


def test_columns_are_the_projects_names_in_order(
    built: Release, variants: ReleaseFile, keyring: Keyring
) -> None:
    names = columns(plaintext(variants, keyring))
    assert names == sorted(names)
    assert set(names) == set(built.donors.values_list("sample_name", flat=True))
    key = bytes(built.request.project.pseudonym_key)
    for row in built.donors.all():
        assert row.sample_name == cohort.sample_name(key, row.donor_id)


def test_the_manifest_says_what_the_ledger_says(
    built: Release, variants: ReleaseFile
) -> None:
    content = bytes(built.manifest or b"")
    assert hashlib.sha256(content).hexdigest() == built.manifest_sha256
    body = json.loads(content)["manifest"]
    entry = ledger.selectors.entry(built.event)
    assert entry.state == "published"
    assert entry.pub["manifest_sha256"] == built.manifest_sha256
    assert entry.pub["cohort_root"] == body["cohort_root"]
    assert body["samples"] == len(body["commitments"]) == 28
    assert entry.seq is not None
    assert body["ledger_size"] <= entry.seq
    on_disk = stored(variants)
    named = {file["name"]: file for file in body["files"]}
    assert named[variants.name]["sha256_cipher"] == hashlib.sha256(on_disk).hexdigest()


def test_every_check_of_the_auditor_holds(built: Release) -> None:
    checks = verify(built)
    assert [check.question for check in checks if not check.holds] == []
    assert len(checks) >= 7


def test_the_auditor_sees_a_stored_byte_changed(
    built: Release, variants: ReleaseFile
) -> None:
    path = lies_at(variants)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    broken = [check for check in verify(built) if not check.holds]
    assert [check.question for check in broken] == [
        "Are the stored files the sealed ones?"
    ]


def test_the_auditor_sees_a_donor_slipped_in(
    built: Release, donors: list[Donor]
) -> None:
    row = built.donors.first()
    assert row is not None
    row.donor = donors[29]
    row.save()
    broken = [check.question for check in verify(built) if not check.holds]
    assert "Are these the donors on the ledger?" in broken


def test_asking_again_returns_the_live_release(
    rosa: User,
    release: Release,
    approved: AccessRequest,
    keyring: Keyring,
    clock: Clock,
) -> None:
    again = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    assert again == release
    assert Release.objects.count() == 1


def test_a_task_delivered_again_has_no_further_effect(
    built: Release, clock: Clock
) -> None:
    manifest = bytes(built.manifest or b"")
    size = ledger.selectors.tree_size()
    for _ in range(3):
        assert build.run(built.pk, clock=clock) is None
        upkeep.settle(now=clock())
    built.refresh_from_db()
    assert bytes(built.manifest or b"") == manifest
    assert ledger.selectors.tree_size() == size


def test_a_build_in_hand_is_not_taken_by_another_worker(
    release: Release, clock: Clock
) -> None:
    Release.objects.filter(pk=release.pk).update(
        state=ReleaseState.BUILDING,
        fencing_token=1,
        lease_until=clock() + timedelta(seconds=30),
    )
    assert build.run(release.pk, clock=clock) is None
    clock.tick(seconds=31)
    assert upkeep.left_behind(now=clock()) == [release.pk]
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_a_build_that_lost_its_worker_three_times_is_set_aside(
    release: Release, clock: Clock
) -> None:
    Release.objects.filter(pk=release.pk).update(
        state=ReleaseState.BUILDING,
        attempts=build.MAX_ATTEMPTS,
        lease_until=clock() - timedelta(seconds=1),
    )
    assert build.run(release.pk, clock=clock) is None
    release.refresh_from_db()
    assert release.state == ReleaseState.FAILED
    assert release.failure_code == "worker-lost"
    assert "worker" in release.failure_reason


@dataclass
class Deadly:
    """What kills every child that cuts, once it has begun, until it is spared."""

    killed: int = 0
    is_spared: bool = False


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> Deadly:
    """Kill the real child with a real signal, and nobody else's."""
    fate = Deadly()
    run, popen = genomics.child.run, subprocess.Popen

    def begin(*args: Any, **kwargs: Any) -> Any:
        process = popen(*args, **kwargs)
        os.kill(process.pid, signal.SIGKILL)
        fate.killed += 1
        return process

    def run_and_die(*args: Any, **kwargs: Any) -> Any:
        with monkeypatch.context() as patch:
            if not fate.is_spared:
                patch.setattr(subprocess, "Popen", begin)
            return run(*args, **kwargs)

    monkeypatch.setattr(genomics.child, "run", run_and_die)
    return fate


def test_a_killed_child_costs_a_try_and_is_picked_up_like_a_lost_worker(
    release: Release, clock: Clock, deadly: Deadly
) -> None:
    assert build.run(release.pk, clock=clock) is None
    release.refresh_from_db()
    assert (release.state, release.attempts) == (ReleaseState.REQUESTED, 1)
    assert release.failure_reason == ""
    assert release.progress == {"stage": "waiting to try again"}
    assert upkeep.left_behind(now=clock()) == [], "it waits for a lease"
    clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert upkeep.left_behind(now=clock()) == [release.pk]
    deadly.is_spared = True
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    release.refresh_from_db()
    assert release.attempts == 2
    assert deadly.killed == 1


def test_a_release_that_kills_three_children_is_set_aside(
    release: Release, rosa: User, clock: Clock, deadly: Deadly
) -> None:
    outcomes = [build.run(release.pk, clock=clock) for _ in range(4)]
    assert outcomes == [None, None, ReleaseState.FAILED, None]
    assert deadly.killed == 3
    release.refresh_from_db()
    assert release.failure_code == "set-aside"
    assert "was lost 3 times" in release.failure_reason
    assert rosa.notices.get(kind="release.failed").body == release.failure_reason
    assert builds() == {release.pk: []}
    assert list(storage.scratch().iterdir()) == []


def test_a_withdrawal_between_two_tries_is_heeded(
    release: Release,
    donors: list[Donor],
    clock: Clock,
    deadly: Deadly,
) -> None:
    assert build.run(release.pk, clock=clock) is None
    consent.services.withdraw(donor=donors[0], event=uuid.uuid4(), now=clock())
    deadly.is_spared = True
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    assert release.donors.count() == 27


def test_nobody_permitted_fails_with_a_reason(
    release: Release, donors: list[Donor], clock: Clock
) -> None:
    for donor in donors[:28]:
        consent.services.withdraw(donor=donor, event=uuid.uuid4(), now=clock())
    assert build.run(release.pk, clock=clock) == ReleaseState.FAILED
    release.refresh_from_db()
    assert release.failure_code == "no-donors"
    assert not release.files.exists()


def test_a_key_retired_during_the_build_voids_it(
    rosa: User,
    release: Release,
    keyring: Keyring,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def retire_then_cut(*args: Any) -> Any:
        gemmule.accounts.services.retire_key(
            user=rosa, key_id=keyring.key.pk, now=clock()
        )
        return cut(*args)

    cut = build._cut
    monkeypatch.setattr(build, "_cut", retire_then_cut)
    assert build.run(release.pk, clock=clock) == ReleaseState.FAILED
    release.refresh_from_db()
    assert release.failure_code == "key-changed"


def test_a_withdrawal_during_the_build_sends_it_back_and_leaves_her_out(
    release: Release,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_then_withdraw(*args: Any) -> Any:
        made = cut(*args)
        services.withdraw_consent(
            donor=donors[3], channel="donor", event=uuid.uuid4(), now=clock()
        )
        return made

    cut = build._cut
    monkeypatch.setattr(build, "_cut", cut_then_withdraw)
    assert build.run(release.pk, clock=clock) == ReleaseState.REQUESTED
    assert not release.files.exists()
    monkeypatch.setattr(build, "_cut", cut)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    text = plaintext(release.files.get(role="variants"), keyring)
    assert private_position(3) not in positions(text)
    assert len(columns(text)) == 27


def test_a_donor_who_agrees_during_the_build_waits_for_the_next_release(
    release: Release,
    donors: list[Donor],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_then_agree(*args: Any) -> Any:
        made = cut(*args)
        cohorts.agree(donors[29], cohorts.GENERAL, clock())
        return made

    cut = build._cut
    monkeypatch.setattr(build, "_cut", cut_then_agree)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    assert release.donors.count() == 28


def test_a_time_limit_ends_the_release_early(
    rosa: User,
    approved: AccessRequest,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
) -> None:
    consent.services.withdraw(donor=donors[0], event=uuid.uuid4(), now=clock())
    cohorts.agree(donors[0], {"permission": "GRU", "modifiers": {"TS": 3}}, clock())
    release = services.open_release(
        user=rosa, request=approved, key=keyring.key, now=clock()
    )
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    release.refresh_from_db()
    assert release.expires_on.isoformat() == "2026-06-02"
