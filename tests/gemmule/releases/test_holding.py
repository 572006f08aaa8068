"""While releases are held nothing is built or handed out; two people lift a hold."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

import ledger.opened
from gemmule.accounts.errors import NotAllowed
from gemmule.accounts.models import User
from gemmule.catalog.models import Dataset
from gemmule.demo.cast import PASSWORD
from gemmule.releases import build, delivery, gate, holding, holds, parts, tasks
from gemmule.releases.errors import HoldStands, ReleasesHeld
from gemmule.releases.hold import Hold, HoldCode
from gemmule.releases.models import (
    PartState,
    Release,
    ReleaseFile,
    ReleasePart,
    ReleaseState,
)
from ledger import copies, rollback
from ledger.bodies import CHECKPOINT
from ledger.inspection import Finding
from tests import cohorts
from tests.gemmule.api.sealing import seal_release
from tests.gemmule.releases.conftest import Clock
from tests.gemmule.releases.contents import lies_at
from tests.gemmule.releases.in_parts import cut_all, in_parts, split, waiting

pytestmark = pytest.mark.django_db

__all__ = ["in_parts", "split"]

SignIn = Callable[[User], Client]
_FOUND = Finding(code="replayed", message="entry 7: a release is revoked")


def chunks(user: User, file: ReleaseFile, clock: Clock) -> delivery.Delivery:
    release = Release.objects.select_related("request__project", "key").get(
        pk=file.release_id
    )
    return delivery.open_file(
        user=user,
        release=release,
        file=file,
        range_header=None,
        if_range=None,
        clock=clock,
    )


def sign(
    administrator: User, hold: Hold, now: datetime, password: str = PASSWORD
) -> Hold:
    hold.refresh_from_db()
    return holds.sign(
        administrator=administrator,
        hold=hold,
        findings_sha256=hold.findings_sha256,
        password=password,
        now=now,
    )


def test_a_hold_cuts_a_download_short_at_the_next_chunk(
    rosa: User, variants: ReleaseFile, clock: Clock
) -> None:
    lies_at(variants).write_bytes(bytes(3 * gate.CHUNK_BYTES))
    variants.size_bytes = 3 * gate.CHUNK_BYTES
    variants.save()
    stream = chunks(rosa, variants, clock).chunks
    next(stream)
    holds.place(code=HoldCode.BY_HAND, now=clock(), reason="We look into something.")
    with pytest.raises(ReleasesHeld, match="We look into something"):
        next(stream)
    with pytest.raises(ReleasesHeld):
        chunks(rosa, variants, clock)


def test_a_hold_of_one_dataset_leaves_the_others_open(
    rosa: User, ira: User, sven: User, signe: User, built: Release, clock: Clock
) -> None:
    members = cohorts.donors([cohorts.GENERAL] * 21, clock())
    other = cohorts.dataset(members, steward=sven, second=signe, now=clock())
    request = cohorts.approved_request(rosa=rosa, ira=ira, dataset=other, now=clock())
    assert request.expires_on is not None
    second = Release.objects.create(
        accession="GMR0000001",
        request=request,
        recipient=rosa,
        key=built.key,
        created_at=clock(),
        expires_on=request.expires_on,
    )
    second = seal_release(second, now=clock())
    dataset = built.request.dataset
    holds.place(code=HoldCode.LOST, dataset=dataset, now=clock(), findings=[_FOUND])
    assert holding.why_held(dataset.pk)
    assert not holding.why_held(other.pk)
    with pytest.raises(ReleasesHeld):
        chunks(rosa, built.files.get(role="variants"), clock)
    assert b"".join(chunks(rosa, second.files.get(), clock).chunks)


def test_a_held_build_waits_and_is_no_lost_worker(
    release: Release, alma: User, alan: User, clock: Clock
) -> None:
    hold = holds.place(code=HoldCode.BY_HAND, now=clock(), reason="Wait.")
    assert build.run(release.pk, clock=clock) is None
    release.refresh_from_db()
    assert (release.state, release.attempts) == (ReleaseState.REQUESTED, 0)
    assert release.progress["stage"] == "waiting: releases are held"
    sign(alma, hold, clock())
    sign(alan, hold, clock())
    clock.tick(minutes=5)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED


def test_what_was_cut_before_a_hold_is_not_sealed(
    release: Release, clock: Clock
) -> None:
    holds.place(code=HoldCode.BY_HAND, now=clock(), reason="Wait.")
    with pytest.raises(ReleasesHeld):
        seal_release(release, now=clock())


def test_two_different_administrators_lift_it_and_the_ledger_says_so(
    alma: User, alan: User, ira: User, built: Release, clock: Clock
) -> None:
    hold = holds.place(code=HoldCode.RESTORED, now=clock(), findings=[_FOUND])
    with pytest.raises(NotAllowed):
        sign(ira, hold, clock())
    assert sign(alma, hold, clock()).lifted_at is None
    with pytest.raises(HoldStands, match="second administrator"):
        sign(alma, hold, clock())
    assert holding.why_held(built.request.dataset_id)
    assert sign(alan, hold, clock()).lifted_at == clock()
    assert not holding.why_held(built.request.dataset_id)
    with pytest.raises(HoldStands, match="already been lifted"):
        sign(alan, hold, clock())
    said = [
        (each.pub["action"], each.pub["reason"])
        for some in ledger.opened.walk("hold.signed")
        for each in some
    ]
    assert said == [("read", "restored"), ("lifted", "restored")]


def test_who_signed_before_more_was_found_signs_again(
    alma: User, alan: User, clock: Clock
) -> None:
    hold = holds.place(code=HoldCode.RESTORED, now=clock(), findings=[_FOUND])
    seen = hold.findings_sha256
    sign(alma, hold, clock())
    more = Finding(code="consent-lost", message="entry 8: its content is lost")
    holds.place(code=HoldCode.RESTORED, now=clock(), findings=[_FOUND, more])
    with pytest.raises(HoldStands, match="new findings"):
        holds.sign(
            administrator=alan,
            hold=hold,
            findings_sha256=seen,
            password=PASSWORD,
            now=clock(),
        )
    assert sign(alan, hold, clock()).lifted_at is None
    assert sign(alma, hold, clock()).lifted_at == clock()


def test_the_database_lets_nobody_lift_one_alone(alma: User, clock: Clock) -> None:
    hold = holds.place(code=HoldCode.BY_HAND, now=clock(), reason="Wait.")
    with pytest.raises(IntegrityError, match="releases_hold_is_lifted_by_two"):
        Hold.objects.filter(pk=hold.pk).update(
            read_by=alma, lifted_by=alma, lifted_at=clock()
        )


def test_a_forged_note_shuts_nothing(
    rosa: User, variants: ReleaseFile, clock: Clock
) -> None:
    genuine = copies.here().read(CHECKPOINT)
    assert genuine is not None
    size = genuine.split(b"\n")[1]
    forged = genuine.replace(b"\n" + size + b"\n", b"\n999999\n")
    copies.here().write(CHECKPOINT, forged)
    rollback.forget()
    tasks.compare_with_signed()
    assert not Hold.objects.exists()
    assert [each.code for each in rollback.check()] == ["note-unsigned"]
    assert b"".join(chunks(rosa, variants, clock).chunks)


def test_without_any_copy_of_the_checkpoint_the_site_goes_on(
    rosa: User, variants: ReleaseFile, clock: Clock
) -> None:
    path = copies.here()._root / CHECKPOINT
    path.unlink()
    rollback.forget()
    assert b"".join(chunks(rosa, variants, clock).chunks)


def test_the_command_holds_and_shows(
    dataset: Dataset, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("hold_releases", "--show")
    assert "releases are not held" in capsys.readouterr().out
    call_command(
        "hold_releases", "--reason", "An audit.", "--dataset", dataset.accession
    )
    with pytest.raises(CommandError, match="no dataset GMD0000000"):
        call_command("hold_releases", "--reason", "Why.", "--dataset", "GMD0000000")
    with pytest.raises(CommandError, match="expected a sentence"):
        call_command("hold_releases", "--reason", " ")
    call_command("hold_releases", "--show")
    said = capsys.readouterr().out
    assert "An audit." in said and "unsigned" in said
    assert holding.why_held(dataset.pk) == "An audit."


def test_administrators_read_and_sign_on_the_page(
    alma: User,
    alan: User,
    sven: User,
    dataset: Dataset,
    clock: Clock,
    signed_in: SignIn,
) -> None:
    hold = holds.place(
        code=HoldCode.LOST, dataset=dataset, findings=[_FOUND], now=clock()
    )
    page = reverse("hold_sign", args=[hold.pk])
    assert signed_in(sven).get(page).status_code == 403
    for administrator in (alma, alan):
        client = signed_in(administrator)
        assert reverse("hold_sign", args=[hold.pk]) in client.get(reverse("holds")).text
        assert _FOUND.message in client.get(page).text
        fields = {"findings_sha256": hold.findings_sha256, "password": "wrong"}
        assert "not your password" in client.post(page, fields).text
        answer = client.post(page, {**fields, "password": PASSWORD})
        assert answer.status_code == 302
    hold.refresh_from_db()
    assert (hold.read_by, hold.lifted_by) == (alma, alan)
    assert signed_in(alma).get(page).status_code == 404


def test_whoever_looks_is_told_that_releases_are_held_and_why(
    rosa: User, aud: User, built: Release, clock: Clock, signed_in: SignIn
) -> None:
    reason = "The administrators look into something."
    holds.place(code=HoldCode.BY_HAND, now=clock(), reason=reason)
    dataset = built.request.dataset
    file = built.files.get(role="variants")
    for reader, page in (
        (rosa, reverse("dataset", args=[dataset.accession])),
        (rosa, reverse("research_release", args=[built.accession])),
        (aud, reverse("audit_ledger")),
    ):
        assert reason in signed_in(reader).get(page).text
    answer = signed_in(rosa).get(
        reverse("research_release_file", args=[built.accession, file.name])
    )
    assert (answer.status_code, answer["Retry-After"]) == (503, "3600")
    assert reason in answer.text


def test_parts_of_a_held_build_wait_and_use_up_no_try(
    in_parts: None, split: Release, alma: User, alan: User, clock: Clock
) -> None:
    hold = holds.place(code=HoldCode.BY_HAND, now=clock(), reason="Wait.")
    for part_id in waiting(clock):
        assert parts.run(part_id, clock=clock) is None
    rows = ReleasePart.objects.values_list("state", "attempts")
    assert set(rows) == {(PartState.WAITING, 0)}
    sign(alma, hold, clock())
    sign(alan, hold, clock())
    clock.tick(minutes=5)
    cut_all(split, clock)
    assert build.run(split.pk, clock=clock) == ReleaseState.SEALED
