"""Whatever breaks on the way, what has come is gone on with, or not used."""

import random
from collections.abc import Mapping

import pytest

from gemmule.downloader.errors import Broken
from gemmule.downloader.patience import Patience
from tests.gemmule.downloader.far_side import VARIANTS, Answer, FarSide, problem
from tests.gemmule.downloader.person import Run, check_whole


def test_a_line_that_breaks_again_and_again_costs_no_byte_twice(
    run: Run, site: FarSide
) -> None:
    """Each answer breaks off after another piece; the next goes on from there."""
    chance = random.Random(4)

    def break_off(path: str, headers: Mapping[str, str]) -> Answer | None:
        if not path.endswith(VARIANTS):
            return None
        status, more, body, _ = site.ranged(VARIANTS, headers)
        return status, more, body, chance.randrange(1, 60_000)

    site.before = break_off
    status, _, err = run("--retries", "2")
    assert status == 0
    assert "the site ended the connection within the file; try 1 of 2" in err
    asked = site.asked_for(VARIANTS)
    starts = [int(one["Range"][6:-1]) for one in asked[1:]]
    assert len(starts) > 4 and starts == sorted(set(starts))
    assert len({one["If-Range"] for one in asked[1:]}) == 1
    check_whole(run, site)


def test_a_line_that_brings_nothing_is_given_up_and_gone_on_with_later(
    run: Run, site: FarSide
) -> None:
    def break_off(path: str, headers: Mapping[str, str]) -> Answer | None:
        if not path.endswith(VARIANTS):
            return None
        status, more, body, _ = site.ranged(VARIANTS, headers)
        return status, more, body, 0 if "Range" in headers else 1000

    site.before = break_off
    status, out, err = run("--retries", "3")
    assert (status, out) == (4, "")
    assert err.endswith("The same command goes on where it stopped.\n")
    assert len(site.asked_for(VARIANTS)) == 1 + 3
    (part,) = run.names()
    assert (run.folder / part).stat().st_size == 1000
    site.before = lambda path, headers: None
    status, _, err = run()
    assert (status, site.asked_for(VARIANTS)[-1]["Range"]) == (0, "bytes=1000-")
    assert f"{VARIANTS}: going on after 1.0 kB" in err
    check_whole(run, site)


def test_what_an_earlier_download_left_wrong_starts_over(
    run: Run, site: FarSide
) -> None:
    digest = site.named[VARIANTS]["sha256_cipher"]
    run.folder.mkdir()
    part = run.folder / f"{VARIANTS}.{digest[:16]}.part"
    part.write_bytes(bytes(5000))
    status, _, err = run()
    assert status == 0
    assert "what an earlier download left does not hold; starting over" in err
    check_whole(run, site)


def test_what_an_earlier_download_left_too_long_starts_over(
    run: Run, site: FarSide
) -> None:
    digest = site.named[VARIANTS]["sha256_cipher"]
    run.folder.mkdir()
    part = run.folder / f"{VARIANTS}.{digest[:16]}.part"
    part.write_bytes(site.files[VARIANTS] + b"x")
    assert run()[0] == 0
    check_whole(run, site)


def test_a_release_that_changed_since_starts_over_and_says_so(
    run: Run, site: FarSide
) -> None:
    run.folder.mkdir()
    old = run.folder / f"{VARIANTS}.{'0123456789abcdef'}.part"
    old.write_bytes(b"of another version")
    status, _, err = run()
    assert status == 0
    assert "the release has changed since" in err
    check_whole(run, site)


def test_a_release_that_changes_meanwhile_starts_over_and_says_so(
    run: Run, site: FarSide
) -> None:
    """The line breaks, and what the site has then is another file."""

    def change(path: str, headers: Mapping[str, str]) -> Answer | None:
        if path.endswith(VARIANTS) and "Range" not in headers and not changed:
            status, more, body, _ = site.ranged(VARIANTS, headers)
            site.put(VARIANTS, b"another version" * 20_000)
            site.sign()
            changed.append(path)
            return status, more, body, 70_000
        return None

    changed: list[str] = []
    site.before = change
    status, _, err = run()
    assert status == 0
    assert "The site has another version of this release now: starting over." in err
    check_whole(run, site)


def test_a_release_that_never_stands_still_is_left_for_later(
    run: Run, site: FarSide
) -> None:
    def change(path: str, headers: Mapping[str, str]) -> Answer | None:
        if path.endswith("/manifest/"):
            site.sign()
        return None

    site.before = change
    status, _, err = run()
    assert status == 4 and "changes this release while it is read" in err
    assert run.names() == []


def test_where_ranges_are_not_known_it_starts_over(run: Run, site: FarSide) -> None:
    def whole(path: str, headers: Mapping[str, str]) -> Answer | None:
        if not path.endswith(VARIANTS):
            return None
        status, more, body, _ = site.ranged(VARIANTS, {})
        return status, more, body, None if "Range" in headers else 9000

    site.before = whole
    status, _, err = run()
    assert status == 0
    assert "the site gives it from its beginning alone" in err
    check_whole(run, site)


@pytest.mark.parametrize(
    "given", ["bytes 1-9/10", "bytes 9000-9009/20000", "bytes */5", "lines 0-1/2", ""]
)
def test_another_range_than_asked_for_is_not_taken(
    run: Run, site: FarSide, given: str
) -> None:
    def other(path: str, headers: Mapping[str, str]) -> Answer | None:
        if not path.endswith(VARIANTS):
            return None
        if "Range" not in headers:
            status, more, body, _ = site.ranged(VARIANTS, headers)
            return status, more, body, 9000
        status, more, body, _ = site.ranged(VARIANTS, headers)
        return 206, {**more, "Content-Range": given}, body[:10], None

    site.before = other
    status, _, err = run()
    assert status == 2 and "another range than asked" in err


def test_waits_grow_within_bounds_and_keep_to_what_the_site_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    patient = Patience(12, lambda text: None, wait=waits.append)
    for _ in range(12):
        patient.failed(Broken("x"))
    bounds = [min(30, 0.5 * 2**n) for n in range(12)]
    assert all(b / 2 <= w <= b for w, b in zip(waits, bounds, strict=True))
    with pytest.raises(Broken):
        patient.failed(Broken("x"))
    patient.went_on()
    patient.failed(Broken("x", wait_s=77))
    assert waits[-1] == 77
    with pytest.raises(Broken):
        patient.failed(Broken("x", wait_s=301))


def test_retry_after_may_be_a_date(run: Run, site: FarSide) -> None:
    answers = [
        problem(503, "not-yet", "soon", retry_after=after)
        for after in ("Wed, 21 Oct 2015 07:28:00 GMT", "0", "never")
    ]
    site.before = lambda path, headers: answers.pop() if answers else None
    assert run("--retries", "3")[0] == 0
