"""Downloads: ranges, validators, the gate, and what is refused with which words."""

import uuid
from collections.abc import Iterator

import pytest

import gemmule.accounts.services
import ledger.selectors
from consent.models import Donor
from gemmule.access import services as access
from gemmule.access.models import ProjectMember
from gemmule.accounts.errors import NotAllowed, NotFound
from gemmule.accounts.models import Role, User
from gemmule.releases import build, delivery, gate, services
from gemmule.releases.delivery import Delivery
from gemmule.releases.errors import DeliveryRefused, NotYetOnLedger, RangeInvalid
from gemmule.releases.models import Download, Release, ReleaseFile, ReleaseState
from tests import factories
from tests.gemmule.releases.conftest import Clock, Keyring
from tests.gemmule.releases.contents import lies_at, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(variants: ReleaseFile) -> ReleaseFile:
    """Return the file padded to several chunks; what is in it does not matter here."""
    data = bytes(range(256)) * 4096 * 3
    lies_at(variants).write_bytes(data)
    variants.size_bytes = len(data)
    variants.save()
    return variants


def open_file(
    user: User,
    file: ReleaseFile,
    clock: Clock,
    *,
    range_header: str | None = None,
    if_range: str | None = None,
) -> Delivery:
    release = Release.objects.select_related("request__project", "key").get(
        pk=file.release_id
    )
    return delivery.open_file(
        user=user,
        release=release,
        file=file,
        range_header=range_header,
        if_range=if_range,
        clock=clock,
    )


def test_the_delivered_bytes_are_the_stored_ones_and_open_with_the_key(
    rosa: User, variants: ReleaseFile, keyring: Keyring, clock: Clock
) -> None:
    got = b"".join(open_file(rosa, variants, clock).chunks)
    assert got == stored(variants)
    assert keyring.open(got).startswith(b"\x1f\x8b")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", (0, 1000)),
        ("bytes=100-199", (100, 200)),
        ("bytes=900-5000", (900, 1000)),
        ("bytes=-100", (900, 1000)),
        ("bytes=-5000", (0, 1000)),
        ("bytes=0-0", (0, 1)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-1", None),
        ("", None),
        (None, None),
    ],
)
def test_ranges_are_read_as_rfc_9110_says(
    header: str | None, expected: tuple[int, int] | None
) -> None:
    assert delivery.parse_range(header, 1000) == expected


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=2000-3000", "bytes=-0"])
def test_a_range_outside_the_file_is_refused_with_its_size(header: str) -> None:
    with pytest.raises(RangeInvalid) as refused:
        delivery.parse_range(header, 1000)
    assert refused.value.size_bytes == 1000


def test_a_resumed_download_continues_byte_exact(
    rosa: User, large: ReleaseFile, clock: Clock
) -> None:
    whole = stored(large)
    first = open_file(rosa, large, clock)
    head = next(first.chunks)
    first.chunks.close()
    assert len(head) == gate.CHUNK_BYTES
    rest = open_file(
        rosa,
        large,
        clock,
        range_header=f"bytes={len(head)}-",
        if_range=first.etag,
    )
    assert rest.is_partial
    assert head + b"".join(rest.chunks) == whole
    outcomes = Download.objects.order_by("started_at", "pk")
    assert [one.outcome for one in outcomes] == ["interrupted", "complete"]


def test_if_range_of_another_version_gets_the_whole_file(
    rosa: User, variants: ReleaseFile, clock: Clock
) -> None:
    opened = open_file(
        rosa, variants, clock, range_header="bytes=10-", if_range='"other"'
    )
    assert not opened.is_partial
    assert (opened.start, opened.stop) == (0, variants.size_bytes)


def test_no_chunk_passes_after_a_withdrawal(
    rosa: User, large: ReleaseFile, donors: list[Donor], clock: Clock
) -> None:
    stream = open_file(rosa, large, clock).chunks
    next(stream)
    services.withdraw_consent(
        donor=donors[7], channel="donor", event=uuid.uuid4(), now=clock()
    )
    with pytest.raises(DeliveryRefused, match="withdrew") as refused:
        next(stream)
    assert refused.value.code == "release-revoked"
    assert Download.objects.get().outcome == "stopped"
    with pytest.raises(DeliveryRefused):
        open_file(rosa, large, clock, range_header="bytes=262144-")


def stop_by_pause(release: Release, donor: Donor, clock: Clock) -> None:
    services.pause_consent(
        donor=donor, channel="donor", event=uuid.uuid4(), now=clock()
    )


def stop_by_closing(release: Release, donor: Donor, clock: Clock) -> None:
    access.close(user=release.recipient, request=release.request, now=clock())


def stop_by_key(release: Release, donor: Donor, clock: Clock) -> None:
    gemmule.accounts.services.retire_key(
        user=release.recipient, key_id=release.key_id, now=clock()
    )


def stop_by_leaving(release: Release, donor: Donor, clock: Clock) -> None:
    ProjectMember.objects.filter(user=release.recipient).delete()


def stop_by_time(release: Release, donor: Donor, clock: Clock) -> None:
    clock.tick(days=400)


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (stop_by_pause, "release-suspended"),
        (stop_by_closing, "request-closed"),
        (stop_by_key, "key-retired"),
        (stop_by_leaving, "not-a-member"),
        (stop_by_time, "release-expired"),
    ],
)
def test_whatever_ends_the_grant_stops_the_stream(
    rosa: User,
    built: Release,
    large: ReleaseFile,
    donors: list[Donor],
    clock: Clock,
    stop: "object",
    code: str,
) -> None:
    stream: Iterator[bytes] = open_file(rosa, large, clock).chunks
    next(stream)
    assert callable(stop)
    stop(built, donors[7], clock)
    with pytest.raises(DeliveryRefused) as refused:
        next(stream)
    assert refused.value.code == code


def test_nothing_leaves_before_the_entry_is_published(
    rosa: User, release: Release, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger.selectors, "is_published", lambda event: False)
    assert build.run(release.pk, clock=clock) == ReleaseState.SEALED
    file = release.files.get(role="variants")
    with pytest.raises(NotYetOnLedger):
        open_file(rosa, file, clock)
    Release.objects.filter(pk=release.pk).update(state=ReleaseState.AVAILABLE)
    with pytest.raises(NotYetOnLedger):
        open_file(rosa, file, clock)


def test_only_the_recipient_takes_the_bytes(
    rosa: User, ira: User, aud: User, sam: User, variants: ReleaseFile, clock: Clock
) -> None:
    colleague = factories.person(Role.RESEARCHER)
    for nobody in (sam, colleague):
        with pytest.raises(NotFound):
            open_file(nobody, variants, clock)
    project = variants.release.request.project
    access.add_member(user=rosa, project=project, member=colleague, now=clock())
    for reader in (ira, aud, colleague):
        with pytest.raises(NotAllowed):
            open_file(reader, variants, clock)
    assert not Download.objects.exists()


def test_delivery_is_on_the_ledger_once_per_file_and_person(
    rosa: User, variants: ReleaseFile, clock: Clock
) -> None:
    for _ in range(3):
        b"".join(open_file(rosa, variants, clock).chunks)
    events = [one.event for one in Download.objects.all() if one.event]
    assert len(events) == 1
    assert ledger.selectors.entry(events[0]).type == "data.delivered"
    assert Download.objects.count() == 3
