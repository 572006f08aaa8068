"""A witness over HTTP, as a process of its own, gives every answer of tlog-witness."""

import http.client
import random
import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ledger import cosigner
from ledger.tlog import cosignature, note
from tests import waiting, witnesses
from tests.witnesses import KEY, LOG, NEXT_KEY, STRANGER, Reply, Serving, check_size

FORK = LOG.fork(3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "witness"
    witnesses.make(found)
    return found


@pytest.fixture
def served(folder: Path) -> Iterator[Serving]:
    with witnesses.serving(folder) as found:
        yield found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Return a witness that saw 5 entries; no test of it moves it on."""
    found = tmp_path_factory.mktemp("shared") / "witness"
    witnesses.make(found)
    with witnesses.serving(found) as one:
        assert one.submit(LOG.submission(0, 5))[0] == 200
        yield one


def check_cosigned(reply: Reply, folder: Path, text: str) -> int:
    """Return when the witness of the folder cosigned the text."""
    status, headers, body = reply
    assert status == 200, body
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    line = body.decode()
    assert line.startswith("— ") and line.endswith("\n") and line.count("\n") == 1
    key = cosigner.Cosigner(folder).verifier
    return cosignature.verify(note.parse_signature(line[:-1]), text, key)


def test_a_log_grows_and_each_checkpoint_is_cosigned(
    folder: Path, served: Serving
) -> None:
    old, times = 0, []
    for new in (0, 1, 2, 5, 8, 8, 63, 64):
        reply = served.submit(LOG.submission(old, new))
        times.append(check_cosigned(reply, folder, LOG.head(new).text))
        old = new
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("old", "body", "reason"),
    [
        ("nothing", b"", "an empty line stands before"),
        ("no size", b"\n" + LOG.note(8), "the first line|an empty line"),
        ("a zero too many", b"old 05\n\n" + LOG.note(8), "the first line"),
        ("no note", b"old 5\n\n", "not a signed checkpoint"),
        ("no signature", b"old 5\n\n" + LOG.head(8).text.encode(), "not a signed"),
        (
            "a text that is no checkpoint",
            b"old 5\n\n" + KEY.sign("example.com/log\nmany\nroots\n"),
            "not a signed checkpoint",
        ),
        (
            "an empty extension line",
            b"old 5\n\n" + KEY.sign(LOG.head(8).text + "\nmore\n"),
            "an extension line is empty",
        ),
        ("a larger size", b"old 9\n\n" + LOG.note(8), "9 is larger than the size 8"),
        ("a proof from 0", b"old 0\n" + b"A" * 43 + b"=\n\n" + LOG.note(8), "is empty"),
        (
            "a long proof",
            b"old 5\n" + (b"A" * 43 + b"=\n") * 64 + b"\n" + LOG.note(8),
            "at most 63 lines",
        ),
    ],
)
def test_a_malformed_body_is_400(
    shared: Serving, old: str, body: bytes, reason: str
) -> None:
    status, headers, said = shared.submit(body)
    assert (status, headers["Content-Type"]) == (400, "text/plain; charset=utf-8"), old
    assert any(part in said.decode() for part in reason.split("|"))


def test_an_unknown_key_is_403_also_under_the_name_of_the_log(shared: Serving) -> None:
    assert shared.submit(LOG.signed_by(NEXT_KEY).submission(5, 8))[0] == 403


def test_a_spoiled_signature_is_403(shared: Serving) -> None:
    text, gap, _ = LOG.note(8).rpartition(b"\n\n")
    other = LOG.note(7).rpartition(b"\n\n")[2]
    assert shared.submit(b"old 5\n\n" + text + gap + other)[0] == 403


def test_the_key_of_the_witness_itself_makes_no_log(
    tmp_path: Path, served: Serving
) -> None:
    own = cosigner.Cosigner(tmp_path / "witness")
    line = cosignature.cosign(LOG.head(8).text, own._key, time=1)
    body = b"old 0\n\n" + LOG.head(8).text.encode() + b"\n" + line.encode()
    assert served.submit(body)[0] == 403


def test_an_unknown_origin_is_404(shared: Serving) -> None:
    assert shared.submit(LOG.signed_by(STRANGER).submission(0, 8))[0] == 404


def test_signatures_of_others_are_ignored(folder: Path, served: Serving) -> None:
    both = LOG.signed_by(NEXT_KEY, KEY)
    reply = served.submit(both.submission(0, 5))
    check_cosigned(reply, folder, LOG.head(5).text)


@pytest.mark.parametrize(("old", "new"), [(0, 8), (4, 8), (6, 8), (0, 5), (0, 3)])
def test_another_old_size_is_409_with_the_right_one(
    shared: Serving, old: int, new: int
) -> None:
    check_size(shared.submit(LOG.submission(old, new)), 5)


def test_another_root_for_the_same_size_is_409(shared: Serving) -> None:
    check_size(shared.submit(FORK.submission(5, 5)), 5)


@pytest.mark.parametrize("wrong", ["missing", "of a fork", "shortened", "lengthened"])
def test_a_proof_that_does_not_hold_is_422(shared: Serving, wrong: str) -> None:
    good = LOG.submission(5, 8)
    head, _, rest = good.partition(b"\n\n")
    lines = head.split(b"\n")
    bodies = {
        "missing": b"old 5\n\n" + rest,
        "of a fork": FORK.submission(5, 8),
        "shortened": b"\n".join(lines[:-1]) + b"\n\n" + rest,
        "lengthened": head + b"\n" + lines[-1] + b"\n\n" + rest,
    }
    assert shared.submit(bodies[wrong])[0] == 422


def test_a_proof_between_equal_sizes_is_422(shared: Serving) -> None:
    body = b"old 5\n" + b"A" * 43 + b"=\n\n" + LOG.note(5)
    assert shared.submit(body)[0] == 422


def test_extension_lines_are_cosigned_with_the_rest(
    folder: Path, served: Serving
) -> None:
    text = LOG.head(5).text + "more\n"
    reply = served.submit(b"old 0\n\n" + KEY.sign(text))
    check_cosigned(reply, folder, text)


def test_other_methods_and_paths(shared: Serving) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"):
        body = b"" if method in ("PUT", "PATCH") else None
        status, headers, _ = shared.ask(method, "/add-checkpoint", body)
        assert (status, headers["Allow"]) == (405, "POST"), method
    assert shared.ask("POST", "/", b"")[0] == 405
    assert shared.ask("POST", "/add-checkpoint/", LOG.submission(5, 8))[0] == 404
    assert shared.ask("BREW", "/add-checkpoint")[0] == 501


def test_the_front_page_says_who_it_is_and_what_it_saw(shared: Serving) -> None:
    status, headers, body = shared.ask("GET", "/")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    said = body.decode()
    assert f"Witness {witnesses.WITNESS}\n" in said
    assert f"trusts {KEY.verifier.text}\n" in said
    assert "cosigned 5 entries at 20" in said
    assert f"root {LOG.head(5).text.splitlines()[2]}\n" in said
    alone = shared.ask("HEAD", "/")
    assert (alone[0], alone[2]) == (200, b"")
    assert int(alone[1]["Content-Length"]) == len(body)


def test_one_connection_serves_many_requests(shared: Serving) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=30)
    connection.connect()
    first = connection.sock.getsockname()
    for body in (
        b"",
        LOG.submission(5, 5),
        LOG.submission(0, 8),
        FORK.submission(5, 8),
    ):
        witnesses.ask(connection, "POST", "/add-checkpoint", body)
        assert connection.sock is not None, "the witness hung up"
        assert connection.sock.getsockname() == first
    connection.close()


def raw(served: Serving, request: bytes, *, end: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", served.port), timeout=40) as connection:
        connection.sendall(request)
        if end:
            connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (b"", 411),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"Content-Length: -1\r\n", 400),
        (b"Content-Length: 1\r\nContent-Length: 2\r\n", 400),
        (b"Content-Length: 131073\r\n", 413),
        (b"Content-Length: 99999999999999999999999\r\n", 413),
        (b"X: " + b"y" * 70_000 + b"\r\n", 431),
        (b"X: y\r\n" * 101, 431),
    ],
)
def test_a_request_without_a_sensible_length_is_refused_and_hung_up(
    shared: Serving, headers: bytes, status: int
) -> None:
    answer = raw(shared, b"POST /add-checkpoint HTTP/1.1\r\n" + headers + b"\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"\r\nConnection: close\r\n" in answer


def test_a_body_that_ends_early_is_400(shared: Serving) -> None:
    request = b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nold"
    assert raw(shared, request, end=True).startswith(b"HTTP/1.1 400 ")


# The limits of a witness are for the world; nobody waits that long here.
HASTY = """
import sys
from ledger import serving, witness
serving.BODY_TIMEOUT_S = serving.IDLE_TIMEOUT_S = 0.6
serving._Handler.timeout = 0.6
serving.MAX_CONNECTIONS = 2
sys.exit(witness.main(["serve", *sys.argv[1:]]))
"""


@pytest.fixture
def hasty(folder: Path) -> Iterator[Serving]:
    with witnesses.serving(folder, ("-c", HASTY)) as found:
        yield found


def test_a_body_that_does_not_come_is_408_and_holds_nobody_up(hasty: Serving) -> None:
    request = b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nold"
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=30) as slow:
        slow.sendall(request)
        assert hasty.submit(LOG.submission(0, 5))[0] == 200
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_who_sends_a_byte_now_and_then_is_cut_off(hasty: Serving) -> None:
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=0.1) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")

        def is_cut_off() -> bool:
            try:
                slow.sendall(b"X-Slow: y\r\n")
                return slow.recv(1) == b""
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        waiting.until(is_cut_off, what="the end of the connection")
    assert hasty.submit(LOG.submission(0, 5))[0] == 200


def test_more_connections_than_it_serves_are_told_so(hasty: Serving) -> None:
    address = ("127.0.0.1", hasty.port)
    held = [http.client.HTTPConnection(*address, timeout=30) for _ in range(2)]
    try:
        for connection in held:
            assert witnesses.ask(connection, "GET", "/")[0] == 200
        assert raw(hasty, b"").startswith(b"HTTP/1.1 503 ")
    finally:
        for connection in held:
            connection.close()

    def is_served() -> bool:
        return raw(hasty, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 200 ")

    waiting.until(is_served, what="a free place")


BODIES = [LOG.submission(5, 5), LOG.submission(5, 8), FORK.submission(5, 8)]


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Return a good body of which a piece was replaced."""
    body = draw(st.sampled_from(BODIES))
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 40)))
    piece = draw(st.binary(max_size=40) | st.sampled_from([b"\n\n", b"old 5\n", body]))
    return body[:start] + piece + body[end:]


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=400) | bent())
@example(body=b"\x00" * 5000)
@example(body=b"\n" * 5000)
@example(body=b"old 5\n\n" + b"\xe2\x80\x94 " * 5000)
def test_no_body_is_answered_by_anything_but_the_specification(
    shared: Serving, body: bytes
) -> None:
    if body == BODIES[1]:
        return  # The one that moves the witness on.
    status, _, answer = shared.submit(body)
    assert status in {200, 400, 403, 404, 409, 422}, answer
    # What is cosigned is what was seen, however it was wrapped.
    assert status != 200 or body.partition(b"\n\n")[2].startswith(
        LOG.head(5).text.encode()
    )


def test_concurrent_submissions_make_one_history(
    folder: Path, served: Serving, rng: random.Random
) -> None:
    """Many logs' servers, some of them forked, at once: the chain of sizes is one."""
    assert served.submit(LOG.submission(0, 4))[0] == 200
    offers = [(log, 4, new) for new in range(5, 13) for log in (LOG, FORK)]
    rng.shuffle(offers)

    def offer(chosen: tuple[witnesses.Log, int, int]) -> tuple[int, int]:
        log, old, new = chosen
        return served.submit(log.submission(old, new))[0], new

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(offer, offers))
    counted = Counter(status for status, _ in answers)
    # The first honest one wins, and every other starts from a size that is gone.
    assert counted[200] == 1
    assert counted[409] + counted[422] == len(offers) - 1 and counted[409]
    (winner,) = (new for status, new in answers if status == 200)
    assert cosigner.Cosigner(folder).last("example.com/log")[0] == LOG.head(winner)


def test_two_clients_that_race_for_the_same_tree_both_get_it_or_the_size(
    folder: Path, served: Serving
) -> None:
    def grow(number: int) -> int:
        """Go from wherever the witness is to 40 as a server does."""
        old, refusals = 0, 0
        while old < 40:
            status, _, body = served.submit(LOG.submission(old, old + 1))
            assert status in (200, 409)
            refusals += status == 409
            old = old + 1 if status == 200 else int(body)
        return refusals

    with ThreadPoolExecutor(2) as pool:
        refusals = sum(pool.map(grow, range(2)))
    assert cosigner.Cosigner(folder).last("example.com/log")[0] == LOG.head(40)
    assert refusals, "the two never met"
