"""The site as gunicorn serves it, with the gate or without, and what the gate takes.

    GATE=on gunicorn benchmarks.gating:application

Without the gate a chunk is read and handed on, whatever has happened to the release:
for comparison alone. At `/benchmark/times` stands, once, how long each chunk took.
"""

import json
import os
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import gemmule.wsgi
from gemmule.accounts.models import User
from gemmule.releases import gate

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_times: list[float] = []
_gated = gate.pass_chunk


def _ungated(
    release_id: int,
    user: User,
    read: Callable[[], bytes],
    *,
    clock: Callable[[], datetime],
) -> bytes:
    return read()


_pass_chunk = _gated if os.environ["GATE"] == "on" else _ungated


def _timed(
    release_id: int,
    user: User,
    read: Callable[[], bytes],
    *,
    clock: Callable[[], datetime],
) -> bytes:
    reading = 0.0

    def timed_read() -> bytes:
        nonlocal reading
        start = time.perf_counter()
        found = read()
        reading = time.perf_counter() - start
        return found

    start = time.perf_counter()
    chunk = _pass_chunk(release_id, user, timed_read, clock=clock)
    # What the gate takes, without the storage.
    _times.append(time.perf_counter() - start - reading)
    return chunk


gate.pass_chunk = _timed


def application(
    environ: "WSGIEnvironment", start_response: "StartResponse"
) -> Iterable[bytes]:
    """Answer as the site does."""
    if environ["PATH_INFO"] != "/benchmark/times":
        return gemmule.wsgi.application(environ, start_response)
    body = json.dumps(_times).encode()
    _times.clear()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
