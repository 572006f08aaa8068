"""The HTTP answers with what a release consists of, the same for pages and API."""

from collections.abc import Callable, Generator, Mapping
from datetime import datetime

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from gemmule.accounts.models import User
from gemmule.releases import delivery
from gemmule.releases.errors import ReleaseStateError
from gemmule.releases.models import Release, ReleaseFile


def manifest_response(release: Release) -> HttpResponse:
    """Return the signed manifest as a file; raise ReleaseStateError before the seal."""
    if release.manifest is None:
        raise ReleaseStateError(
            f"release {release.accession} is not sealed yet, so it has no manifest"
        )
    name = f"{release.accession}.json"
    return HttpResponse(
        bytes(release.manifest),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "ETag": f'"{release.manifest_sha256}"',
        },
    )


def file_response(
    *,
    user: User,
    release: Release,
    file: ReleaseFile,
    headers: Mapping[str, str],
    method: str,
    clock: Callable[[], datetime],
) -> HttpResponseBase:
    """Return 200 or 206 with the bytes, streamed through the gate; HEAD without.

    Raises what `delivery.open_file` raises: the room that answers words it.
    """
    opened = delivery.open_file(
        user=user,
        release=release,
        file=file,
        range_header=headers.get("Range"),
        if_range=headers.get("If-Range"),
        clock=clock,
    )
    answer: HttpResponseBase
    if method == "HEAD":
        answer = HttpResponse(content_type="application/octet-stream")
    else:
        # The first chunk passes the gate while a refusal can still be answered.
        first = next(opened.chunks)
        answer = StreamingHttpResponse(
            _chained(first, opened.chunks), content_type="application/octet-stream"
        )
    if opened.is_partial:
        answer.status_code = 206
        answer["Content-Range"] = (
            f"bytes {opened.start}-{opened.stop - 1}/{file.size_bytes}"
        )
    answer["Content-Length"] = str(opened.stop - opened.start)
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = opened.etag
    # A cache that kept the bytes would hand them out behind the gate's back.
    answer["Cache-Control"] = "private, no-store"
    answer["Content-Disposition"] = f'attachment; filename="{file.name}"'
    answer["X-Accel-Buffering"] = "no"
    return answer


def _chained(
    first: bytes, others: Generator[bytes, None, None]
) -> Generator[bytes, None, None]:
    try:
        yield first
        yield from others
    finally:
        others.close()
