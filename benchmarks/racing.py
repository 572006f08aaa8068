"""Races of `withdrawal_races` on one site, in one process, so that order is certain.

    python -m benchmarks.racing RACES SEED

What takes a chunk and what acknowledges are numbered under one lock. On PostgreSQL a
number is drawn as a chunk is read, under the release's lock; on SQLite as the last
look at the release begins, because there a chunk is read before that look and dropped
after it.
"""

import http.client
import inspect
import itertools
import json
import random
import socket
import sys
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import django
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

django.setup()

from django.core.servers.basehttp import (  # noqa: E402 - models need the setup
    ThreadedWSGIServer,
    WSGIRequestHandler,
)
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import URLPattern, URLResolver, get_resolver  # noqa: E402
from django.utils import timezone  # noqa: E402

import gemmule.accounts.services  # noqa: E402
from benchmarks import releasing  # noqa: E402
from benchmarks.releasing import Scene  # noqa: E402
from gemmule.releases import closing, gate, services, storage  # noqa: E402
from gemmule.releases.models import Release  # noqa: E402
from tests import cohorts, waiting  # noqa: E402

CHUNKS = 10
READERS = 6
# What may lie between server and reader; else a whole file does, and none is cut short.
ON_THE_WAY = 64 * 1024
KINDS = ("withdrawn", "revoked", "expired")
# The addresses that hand out bytes, and how a reader says there who she is.
WAYS = {
    "api:release-file": "/api/v1/releases/{release}/files/{name}",
    "research_release_file": "/research/releases/{release}/files/{name}",
}


@dataclass
class Meter:
    """Numbers what passes and what is acknowledged, in one row."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    passed: list[int] = field(default_factory=list)
    own: threading.local = field(default_factory=threading.local)

    def next(self) -> int:
        with self.lock:
            return next(self.numbers)

    def has_passed(self, count: int) -> bool:
        return len(self.passed) > count

    def install(self) -> None:
        """Stand between the gate and what it looks at."""
        reader, fresh, pass_chunk = storage.reader, gate._fresh, gate.pass_chunk
        is_locked = connection.vendor == "postgresql"

        @contextmanager
        def counted_reader(file: Any) -> Iterator[Callable[[int, int], bytes]]:
            with reader(file) as read:

                def counted(position: int, want: int) -> bytes:
                    if is_locked:
                        with self.lock:
                            self.passed.append(next(self.numbers))
                    return read(position, want)

                yield counted

        def counted_fresh(release_id: int) -> Release:
            self.own.number = self.next()
            return fresh(release_id)

        def counted_pass(*arguments: Any, **named: Any) -> bytes:
            chunk = pass_chunk(*arguments, **named)
            if not is_locked:
                with self.lock:
                    self.passed.append(self.own.number)
            return chunk

        storage.reader = counted_reader
        gate._fresh = counted_fresh
        gate.pass_chunk = counted_pass


def emitting() -> set[str]:
    """Return the names of all addresses whose views hand out bytes of a release."""

    def walk(
        patterns: list[URLPattern | URLResolver], prefix: str
    ) -> Iterator[tuple[str, Any]]:
        for one in patterns:
            if isinstance(one, URLResolver):
                space = f"{one.namespace}:" if one.namespace else ""
                yield from walk(one.url_patterns, prefix + space)
            else:
                yield f"{prefix}{one.name}", one.callback

    found = set()
    for name, callback in walk(get_resolver().url_patterns, ""):
        view = getattr(callback, "view_class", None) or inspect.unwrap(callback)
        try:
            source = inspect.getsource(view)
        except (OSError, TypeError):
            continue  # Written in C, or made at run time: none of ours.
        if any(word in source for word in ("file_response", "open_file", ".reader(")):
            found.add(name)
    return found


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *unused: object) -> None:
        pass


def read(
    port: int, path: str, headers: dict[str, str], chance: random.Random, cut: list[int]
) -> None:
    """Download again and again, whole, in ranges, from where it stopped; until 403."""
    position, etag = 0, ""
    while True:
        sent = {**headers, "Connection": "close", "Host": f"localhost:{port}"}
        if position:
            sent |= {"Range": f"bytes={position}-", "If-Range": etag}
        elif chance.random() < 0.3:
            sent["Range"] = f"bytes={chance.randrange(CHUNKS * gate.CHUNK_BYTES)}-"
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            line.connect()
            line.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ON_THE_WAY)
            line.request("GET", path, headers=sent)
            answer = line.getresponse()
            if answer.status == 403:
                return
            assert answer.status in (200, 206), answer.status
            etag = answer.headers["ETag"]
            left = int(answer.headers["Content-Length"])
            while left and (piece := answer.read1(min(left, 64 * 1024))):
                left -= len(piece)
                position += len(piece) if position or answer.status == 200 else 0
                threading.Event().wait(chance.uniform(0, 0.004))  # A slow reader.
                if chance.random() < 0.01:
                    break
            else:
                if left:
                    cut.append(left)
                else:
                    position = 0
        except (ConnectionError, http.client.HTTPException):
            cut.append(1)
        finally:
            line.close()


def close(kind: str, scene: Scene, release: Release, chance: random.Random) -> None:
    """End the release in one of the ways there are; what returns is acknowledged."""
    now = timezone.now()
    if kind == "withdrawn":
        donor = chance.choice(scene.donors)
        services.withdraw_consent(
            donor=donor, channel="donor", event=uuid.uuid4(), now=now
        )
        return
    if kind == "revoked":
        closing.revoke(user=scene.ira, release=release, reason="Race.", now=now)
        return
    assert closing.expire(now=now + timedelta(days=400)) >= 1


def run(races: int, seed: int) -> dict[str, Any]:
    """Run the races; return what was counted."""
    chance, meter = random.Random(seed), Meter()
    assert emitting() == WAYS.keys(), f"other addresses hand out bytes: {emitting()}"
    meter.install()
    scene = releasing.approved(donors=24, now=timezone.now())
    headers = _headers(scene)
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    # Connections have it from there.
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ON_THE_WAY)
    server.set_app(get_wsgi_application())
    serving = threading.Thread(target=server.serve_forever, args=[0.01])
    serving.start()
    kinds, ways, cut, late = Counter[str](), Counter[str](), list[int](), 0
    try:
        for number in range(races):
            kind = KINDS[number % len(KINDS)]
            kinds[kind] += 1
            release = _sealed(scene, chance, timezone.now())
            name = release.files.get().name
            before, readers = len(meter.passed), []
            for way in list(WAYS) * (READERS // len(WAYS)):
                ways[way] += 1
                path = WAYS[way].format(release=release.accession, name=name)
                own = random.Random(chance.random())
                arguments = (server.server_port, path, headers[way], own, cut)
                readers.append(threading.Thread(target=read, args=arguments))
            for one in readers:
                one.start()
            waiting.until(
                partial(meter.has_passed, before + READERS),
                what="the readers",
                timeout_s=60,
            )
            threading.Event().wait(chance.uniform(0, 0.03))
            close(kind, scene, release, chance)
            acknowledged = meter.next()
            for one in readers:
                one.join()
            late += sum(each > acknowledged for each in meter.passed[before:])
            storage.delete(release)
            for donor in scene.donors if kind == "withdrawn" else ():
                current = donor.consents.get(is_current=True)
                if current.act == "withdrawn":
                    cohorts.agree(donor, cohorts.GENERAL, timezone.now())
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
        connections.close_all()
    return {
        "races": sum(kinds.values()),
        "kinds": [kinds[kind] for kind in KINDS],
        "ways": ways,
        "passed": len(meter.passed),
        "cut": len(cut),
        "late": late,
    }


def _headers(scene: Scene) -> dict[str, dict[str, str]]:
    token = gemmule.accounts.services.issue_token(
        user=scene.rosa, name="racing", expiry=timedelta(days=1)
    )
    browser = Client()
    browser.force_login(scene.rosa)
    cookie = browser.cookies["sessionid"].value
    return {
        "api:release-file": {"Authorization": f"Token {token}"},
        "research_release_file": {"Cookie": f"sessionid={cookie}"},
    }


def _sealed(scene: Scene, chance: random.Random, now: datetime) -> Release:
    content = chance.randbytes(CHUNKS * gate.CHUNK_BYTES - 1000)
    return releasing.sealed(
        scene, secret=X25519PrivateKey.generate(), content=content, now=now
    )


print(json.dumps(run(int(sys.argv[1]), int(sys.argv[2]))))
