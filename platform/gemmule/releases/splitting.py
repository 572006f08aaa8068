"""Split a build in parts that any number of workers cut, and give them to the join.

The rows say what is to be done: which parts there are, who holds each and until when,
which are done. What a part is cut from is worked out anew by whoever cuts it, and must
come to what it was when the build was split; so the rows name no donor and no sample.
Cutting a part is left to `parts`, joining them to `build`.

Parts are sealed to a key of the build, made from the service key and a salt that is
deleted with the build: nobody opens them afterwards.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

import ledger.keys
from gemmule.objects.kept import Objects
from gemmule.releases import storage
from gemmule.releases.errors import ConsentMoved, LeaseLost
from gemmule.releases.models import (
    PartState,
    Release,
    ReleasePart,
    ReleaseState,
    SplitBuild,
)
from gemmule.releases.work import Work
from genomics.crypt4gh import keys
from genomics.part_job import JoinJob, essence

_KEY_BYTES = 32
_INFO = b"gemmule/split-build/v1"
_GENOME_BASES = 3_100_000_000


# --- begin and end -----------------------------------------------------------------


def shares(work: Sequence[Work]) -> list[int]:
    """Return in how many parts to cut each file; one part in all is no split.

    Researchers see the number, so it must not depend on who is left out: it is the same
    for every release that is large enough.
    """
    asked = sum(_genotypes(one) for one in work)
    if settings.RELEASE_PARTS == 1 or asked < settings.RELEASE_SPLIT_GENOTYPES:
        return [1]
    each = -(-settings.RELEASE_PARTS // len(work))
    # Only columns can be entered in the middle.
    return [each if one.job.columns_sha256 else 1 for one in work]


def begin(
    release: Release, work: Sequence[Work], counts: Sequence[int], *, now: datetime
) -> None:
    """Leave the release that this build holds to the workers who cut its parts."""
    with transaction.atomic():
        is_ours = Release.objects.filter(
            pk=release.pk,
            state=ReleaseState.BUILDING,
            fencing_token=release.fencing_token,
        ).update(lease_until=None, progress={"stage": "waiting for workers"})
        if not is_ours:
            raise LeaseLost(f"release {release.accession} has a newer build")
        split = SplitBuild(
            release=release,
            fencing_token=release.fencing_token,
            salt=secrets.token_bytes(_KEY_BYTES),
            begun_at=now,
        )
        split.essence = _essence(split, work)
        split.save()
        ReleasePart.objects.bulk_create(
            ReleasePart(split=split, source=one.source, number=number, count=count)
            for one, count in zip(work, counts, strict=True)
            for number in range(count)
        )


def standing(release: Release) -> SplitBuild | None:
    """Return the split build of a release that is being built, if it is split."""
    if release.state != ReleaseState.BUILDING:
        return None
    return SplitBuild.objects.filter(
        release=release, fencing_token=release.fencing_token
    ).first()


def is_cut(split: SplitBuild) -> bool:
    """Tell whether all parts are there to be joined."""
    return not split.parts.exclude(state=PartState.DONE).exists()


def forget(release: Release) -> None:
    """Delete the rows of a release's split build, and with them the keys."""
    SplitBuild.objects.filter(release=release).delete()


def discard(release: Release) -> None:
    """Delete the split build that a worker holds with its release, parts and all."""
    split = SplitBuild.objects.filter(
        release=release, fencing_token=release.fencing_token
    ).first()
    if split is not None:
        storage.discard_parts(release.pk, split.pk)
        split.delete()


def tidy(folders: Iterable[storage.Folders], place: Objects | None = None) -> int:
    """Delete split builds that are nobody's, and parts that are of none; count them.

    `folders` were there, everywhere or in one place, before rows are read here: rows
    come before what is written for them.
    """
    SplitBuild.objects.exclude(
        release__state=ReleaseState.BUILDING,
        fencing_token=F("release__fencing_token"),
    ).delete()
    known = set(SplitBuild.objects.values_list("pk", flat=True))
    lost = [
        (one.release, split)
        for one in folders
        for split in one.splits
        if split not in known
    ]
    for release_id, split_id in lost:
        storage.discard_parts(release_id, split_id, place)
    return len(lost)


# --- what is waiting ---------------------------------------------------------------


def live_parts() -> QuerySet[ReleasePart]:
    """Return the parts whose build is still their release's."""
    return ReleasePart.objects.filter(
        split__release__state=ReleaseState.BUILDING,
        split__release__fencing_token=F("split__fencing_token"),
    )


def left_behind(*, now: datetime) -> list[int]:
    """Return the parts whose message or worker was lost, in order."""
    return list(
        live_parts()
        .exclude(state=PartState.DONE)
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .order_by("split", "source__number", "number")
        .values_list("pk", flat=True)
    )


def note_sent(part_ids: Iterable[int], *, until: datetime) -> None:
    """Believe, for a while, that the messages of waiting parts are on their way."""
    # Who cuts a part keeps a lapsed lease: whoever takes it over needs that.
    ReleasePart.objects.filter(pk__in=part_ids, state=PartState.WAITING).update(
        lease_until=until
    )


# --- keys, and what they protect ----------------------------------------------------


def check_same(split: SplitBuild, work: Sequence[Work]) -> None:
    """Raise ConsentMoved unless this is what the build was split to cut."""
    if not hmac.compare_digest(_essence(split, work), split.essence):
        raise ConsentMoved("what is to be cut changed since the build was split")


def public_key(split: SplitBuild) -> bytes:
    """Return the key that the parts are sealed to."""
    return keys.public_of(_secrets(split)[0])


@contextmanager
def join_at_hand(split: SplitBuild, one: Work) -> Iterator[JoinJob]:
    """Yield what a child process is to do with the parts of one file, here to read."""
    with ExitStack() as at_hand:
        parts = split.parts.filter(source=one.source).order_by("number")
        yield JoinJob(
            subset=one.job,
            parts=tuple(
                (at_hand.enter_context(storage.part_at_hand(part.path)), part.sha256)
                for part in parts
            ),
            build_secret_key=_secrets(split)[0],
        )


def _essence(split: SplitBuild, work: Sequence[Work]) -> str:
    # Keyed: a plain digest could be tried out against lists of names.
    digest = hmac.new(_secrets(split)[1], digestmod=hashlib.sha256)
    for one in work:
        digest.update(hashlib.sha256(essence(one.job)).digest())
    return digest.hexdigest()


def _secrets(split: SplitBuild) -> tuple[bytes, bytes]:
    derive = HKDF(
        algorithm=SHA256(), length=2 * _KEY_BYTES, salt=bytes(split.salt), info=_INFO
    )
    made = derive.derive(ledger.keys.service_key())
    return made[:_KEY_BYTES], made[_KEY_BYTES:]


def _genotypes(one: Work) -> int:
    records = one.source.records or 0
    if one.job.regions is not None:
        bases = sum(end - start for _, start, end in one.job.regions)
        records = records * min(bases, _GENOME_BASES) // _GENOME_BASES
    return records * len(one.job.samples)
