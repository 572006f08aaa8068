"""Split builds: what moves while parts are cut, and parts that cannot be joined."""

import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

import gemmule.accounts.services
import genomics.child
from consent.models import Donor
from gemmule.accounts.models import User
from gemmule.releases import (
    build,
    erasure,
    parts,
    services,
    storage,
    upkeep,
)
from gemmule.releases.models import (
    PartState,
    Release,
    ReleasePart,
    ReleaseState,
    SplitBuild,
)
from genomics.crypt4gh import keys
from genomics.part_job import PartJob
from tests.gemmule.releases import cohort_file
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import leftovers
from tests.gemmule.releases.in_parts import (
    COUNT,
    cut_all,
    in_parts,
    positions,
    sealed,
    split,
    waiting,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_parts")]

__all__ = ["in_parts", "split"]


# --- what moves meanwhile ------------------------------------------------------------


def withdraw(donor: Donor, clock: Clock) -> None:
    services.withdraw_consent(
        donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
    )


@pytest.mark.parametrize("cut_before", [1, COUNT])
def test_a_withdrawal_during_the_parts_begins_the_build_anew_without_her(
    split: Release,
    donors: list[Donor],
    keyring: Keyring,
    clock: Clock,
    cut_before: int,
) -> None:
    found = waiting(clock)
    for part in found[:cut_before]:
        parts.run(part, clock=clock)
    withdraw(donors[3], clock)
    if cut_before < COUNT:
        assert parts.run(found[cut_before], clock=clock) == split.pk
    else:
        assert build.run(split.pk, clock=clock) == ReleaseState.REQUESTED
    split.refresh_from_db()
    assert (split.state, split.attempts) == (ReleaseState.REQUESTED, 0)
    assert leftovers(split) == []
    assert build.run(split.pk, clock=clock) == ReleaseState.BUILDING
    assert not set(found) & set(waiting(clock))
    cut_all(split, clock)
    one = sealed(split, clock)
    assert one.donors.count() == 27
    her = cohort_file.private_position(3)
    assert not {her, 100 * her} & positions(one, keyring)


def test_a_withdrawal_between_join_and_seal_is_seen_by_the_seal(
    split: Release,
    donors: list[Donor],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut_then_withdraw(*args: Any) -> Any:
        made = cut(*args)
        withdraw(donors[3], clock)
        return made

    cut_all(split, clock)
    cut = build._cut
    with monkeypatch.context() as patch:
        patch.setattr(build, "_cut", cut_then_withdraw)
        assert build.run(split.pk, clock=clock) == ReleaseState.REQUESTED
    assert not SplitBuild.objects.exists()
    assert leftovers(split) == []


def test_an_erasure_takes_the_parts_with_it(
    split: Release, donors: list[Donor], clock: Clock
) -> None:
    first, *_ = waiting(clock)
    parts.run(first, clock=clock)
    assert leftovers(split)
    begun = services.begin_erasure(
        donor=donors[3], user=None, channel="mail", now=clock()
    )
    erasure.run(begun.pk, clock=clock)
    assert leftovers(split) == []
    assert waiting(clock) == []
    assert not SplitBuild.objects.exists()


def test_a_newer_build_makes_older_parts_harmless(split: Release, clock: Clock) -> None:
    first, *_ = waiting(clock)
    late = parts._take(first, clock())
    assert late is not None
    Release.objects.update(fencing_token=7)
    assert not parts._held(late).exists()
    assert waiting(clock) == []
    assert parts.run(first, clock=clock) is None
    build.put_back(Release.objects.get())
    assert build.run(split.pk, clock=clock) == ReleaseState.BUILDING
    upkeep.tidy()
    cut_all(split, clock)
    assert sealed(split, clock).fencing_token == 9


def test_a_key_retired_during_the_parts_voids_the_build(
    rosa: User, split: Release, keyring: Keyring, clock: Clock
) -> None:
    cut_all(split, clock)
    gemmule.accounts.services.retire_key(user=rosa, key_id=keyring.key.pk, now=clock())
    assert build.run(split.pk, clock=clock) == ReleaseState.FAILED
    split.refresh_from_db()
    assert split.failure_code == "key-changed"
    assert leftovers(split) == []


# --- parts that cannot be joined ---------------------------------------------------


def damage_a_byte(part: ReleasePart) -> None:
    with storage.part_at_hand(part.path) as path:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)


def delete_it(part: ReleasePart) -> None:
    with storage.part_at_hand(part.path) as path:
        path.unlink()


@pytest.mark.parametrize("harm", [damage_a_byte, delete_it])
def test_parts_that_do_not_fit_are_cut_again(
    split: Release, clock: Clock, harm: Any
) -> None:
    cut_all(split, clock)
    harm(ReleasePart.objects.get(number=1))
    assert build.run(split.pk, clock=clock) is None
    split.refresh_from_db()
    assert split.state == ReleaseState.REQUESTED
    assert leftovers(split) == []
    assert build.run(split.pk, clock=clock) == ReleaseState.BUILDING
    cut_all(split, clock)
    assert sealed(split, clock).attempts == 2


def test_parts_that_never_fit_set_the_release_aside(
    release: Release, clock: Clock
) -> None:
    for _ in range(3):
        assert build.run(release.pk, clock=clock) == ReleaseState.BUILDING
        cut_all(release, clock)
        damage_a_byte(ReleasePart.objects.get(number=1))
        outcome = build.run(release.pk, clock=clock)
        clock.tick(seconds=settings.RELEASE_LEASE_SECONDS + 1)
    assert outcome == ReleaseState.FAILED
    release.refresh_from_db()
    assert release.failure_code == "set-aside"
    assert "could not join parts 3 times" in release.failure_reason
    assert leftovers(release) == []


def test_parts_are_sealed_to_a_key_that_no_row_tells(
    split: Release, clock: Clock
) -> None:
    given: list[bytes] = []
    run = genomics.child.run

    def look(job: Any, **options: Any) -> Any:
        given.append(
            job.build_public_key if isinstance(job, PartJob) else job.build_secret_key
        )
        return run(job, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(genomics.child, "run", look)
        cut_all(split, clock)
        stored = str(list(SplitBuild.objects.values())).encode()
        sealed(split, clock)
    *publics, secret = given
    assert len(set(publics)) == 1
    assert keys.public_of(secret) == publics[0]
    assert secret not in stored
    assert secret.hex().encode() not in stored


def test_what_a_row_may_not_say_the_database_refuses(split: Release) -> None:
    for wrong in ({"state": PartState.DONE}, {"sha256": "ab" * 32}, {"number": COUNT}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ReleasePart.objects.filter(number=0).update(**wrong)


def test_folders_of_parts_that_are_nobodys_are_deleted(
    split: Release, clock: Clock
) -> None:
    mine = SplitBuild.objects.get()
    storage.new_part(split.pk, mine.pk, "kept").write_bytes(b"at work")
    storage.new_part(split.pk, mine.pk + 1, "lost").write_bytes(b"left behind")
    # The folder of the build that was split is empty, and needed no more than this one.
    upkeep.tidy()
    assert [path.rpartition("/")[2] for path in leftovers(split)] == ["kept"]
