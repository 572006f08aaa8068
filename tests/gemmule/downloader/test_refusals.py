"""What the site refuses is told in its own words; the token goes nowhere else."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gemmule import cli
from tests.gemmule.downloader import far_side
from tests.gemmule.downloader.far_side import TOKEN, VARIANTS, Answer, FarSide, problem
from tests.gemmule.downloader.person import Run


@pytest.mark.parametrize(
    "location",
    ["http://127.0.0.1:{port}/api/v1/releases/", "/elsewhere", "//{host}/x", "\x7f["],
)
def test_no_redirect_is_followed(run: Run, site: FarSide, location: str) -> None:
    other = FarSide()
    with far_side.running(other) as there:
        port = there.rpartition(":")[2]
        target = location.format(port=port, host=f"localhost:{port}")
        for at in ("/releases/", VARIANTS):

            def send_away(
                path: str, headers: Mapping[str, str], at: str = at
            ) -> Answer | None:
                return (302, {"Location": target}, b"", None) if at in path else None

            site.before = send_away
            status, out, err = run()
            assert (status, out) == (2, "")
            assert "sends us" in err and "give it as --server" in err
    assert other.asked == []
    assert run.names() == []


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (problem(401, "authentication-failed", "Invalid"), 3, "make a new one on your"),
        (problem(404, "not-found", "there is no release for you"), 3, "no release for"),
        (problem(403, "release-expired", "ask the IRB"), 3, "No. ask the IRB"),
        (problem(403, "not-allowed", "the recipient's"), 3, "the recipient's"),
        (problem(409, "state", "not sealed yet"), 4, "not sealed yet"),
        (problem(503, "not-on-ledger", "in a few seconds"), 4, "in a few seconds"),
        (problem(429, "throttled", "wait", retry_after="86400"), 4, "wait"),
        ((500, {}, b"<html>", None), 4, "status 500"),
        ((418, {}, b"", None), 3, "status 418"),
        ((200, {}, b"<html>", None), 2, "not the API of a site"),
        ((200, {}, b"[]", None), 2, "not the API of a site"),
        ((200, {"Content-Encoding": "gzip"}, b"", None), 2, "changes its answers"),
        ((204, {}, b"", None), 2, "status 204"),
        ((200, {}, b"{" + b" " * 2**20, None), 2, "more than 1048576 bytes"),
        (problem(403, "x", "\x1b[2Jhidden"), 3, "\\x1b[2Jhidden"),
    ],
)
def test_each_refusal_has_the_sites_own_words(
    run: Run, site: FarSide, answer: Answer, status: int, said: str
) -> None:
    site.before = lambda path, headers: answer
    found, out, err = run("--retries", "1")
    assert (found, out) == (status, "")
    assert said in err and "\x1b" not in err
    assert run.names() == []


def test_a_token_that_is_not_the_right_one(run: Run) -> None:
    status, _, err = run(token="f" * 64)
    assert status == 3 and "does not know this token" in err


@pytest.mark.parametrize(
    ("state", "status", "said"),
    [
        ("requested", 4, "is being made (40 %): run the same command again in about 1"),
        ("building", 4, "1 min 30 s"),
        ("failed", 3, "could not be built: not enough donors"),
    ],
)
def test_a_release_without_files_says_how_far_it_is(
    run: Run, site: FarSide, state: str, status: int, said: str
) -> None:
    site.state = state
    found, _, err = run()
    assert found == status and said in err


def test_a_release_that_was_revoked_leaves_no_part_behind(
    run: Run, site: FarSide
) -> None:
    """It is revoked while it comes: the site ends the line, then says why."""

    def revoke(path: str, headers: Mapping[str, str]) -> Answer | None:
        if not path.endswith(VARIANTS):
            return None
        if "Range" in headers:
            return problem(
                403, "release-revoked", "Delete every copy.", successor="GMR000008"
            )
        status, more, body, _ = site.ranged(VARIANTS, headers)
        return status, more, body, 5000

    site.before = revoke
    status, _, err = run()
    assert status == 3
    assert "Delete every copy. Next: gemmule download GMR000008" in err
    assert "deleted, it is void" in err
    assert run.names() == []


def test_what_is_closed_says_why_even_when_all_of_it_is_here(
    run: Run, site: FarSide
) -> None:
    assert run()[0] == 0
    site.state = "suspended"
    site.before = lambda path, headers: (
        problem(403, "release-suspended", "A donor pauses.")
        if path.endswith(VARIANTS)
        else None
    )
    status, _, err = run()
    assert status == 3 and "A donor pauses" in err
    assert len(run.names()) == 4, "nothing is to be deleted"


def test_nothing_is_sent_in_the_clear_to_another_machine(
    run: Run, tmp_path: Path
) -> None:
    for server in ("http://example.org", "ftp://localhost", "localhost:8000", "https:"):
        run.server = server
        assert run()[0] == 2
    run.server = "http://127.0.0.1:9"
    assert run("--retries", "0")[0] == 4


def test_what_cannot_be_read_is_named(run: Run, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    for options in (
        ("--policy", missing),
        ("--secret-key", missing),
        ("--secret-key", run.file("key", "text")),
        ("--token-file", missing),
        ("--token-file", run.file("two", "two words")),
        ("--into", run.file("file", "")),
    ):
        status, out, err = run(*options)
        assert (status, out) == (2, ""), options
        assert err.count("\n") == 1


def test_an_accession_is_no_path(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(
        [
            *("download", "../../account", "--server", run.server),
            *("--token-file", run.file("token", TOKEN)),
        ]
    )
    assert status == 2 and "Not an accession" in capsys.readouterr().err
