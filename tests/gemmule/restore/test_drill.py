"""The bad day: a database restored from a backup forgets that a donor withdrew."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gemmule.demo import cast
from tests.gemmule.restore.drill import Drill
from tests.sites import Backend, FreshSite

SERVED = [206, ""]
REVOKED = [403, "release-revoked"]
HELD = [503, "releases-held"]


@pytest.fixture(params=["sqlite", "postgres"])
def drill(request: pytest.FixtureRequest, fresh_site: FreshSite) -> Iterator[Drill]:
    backend: Backend = request.param
    made = Drill(fresh_site(backend))
    yield made
    made.stop()


def test_a_restored_site_serves_nothing_before_it_has_caught_up_with_its_ledger(
    drill: Drill, tmp_path: Path
) -> None:
    with drill.witnessed(tmp_path):
        drill.fill()
        assert drill.fetch() == (SERVED, SERVED)
        drill.back_up("before")
        drill.copy_ledger("before")
        assert drill.act("withdraw") == "revoked"
        assert drill.fetch() == (REVOKED, SERVED)
        drill.copy_ledger("after")

        # The database alone went back: the notary remembers, the files show more.
        drill.restore("before", "default")
        assert drill.fetch() == (HELD, HELD)
        drill.stop()
        assert drill.fetch() == (HELD, HELD)

        # Everything here went back: the witness has seen more.
        drill.stop()
        drill.restore("before")
        drill.put_ledger_back("before")
        assert drill.fetch() == (HELD, HELD)
        assert drill.act("sign", cast.ALMA.email) != []

        said = drill.manage(
            "restore_ledger",
            *("--from-tiles", drill.copy_of_ledger("after")),
            *("--policy", tmp_path / "policy"),
        )
        assert f"release {drill.hers} is revoked" in said
        assert "a donor's consent.withdrawn was restored" in said
        assert drill.fetch() == (REVOKED, HELD)

        # One administrator is not enough, however often she signs.
        assert drill.act("sign", cast.ALMA.email) == []
        assert "a second administrator" in drill.act("sign", cast.ALMA.email)[0]
        assert drill.fetch() == (REVOKED, HELD)
        assert drill.act("sign", cast.ALAN.email) == []
        assert drill.fetch() == (REVOKED, SERVED)
        drill.act("settle")
        assert drill.act("findings") == []
        assert drill.fetch() == (REVOKED, SERVED)


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_what_nobody_can_read_any_more_holds_what_it_may_concern(drill: Drill) -> None:
    drill.fill()
    drill.back_up("before")
    assert drill.act("withdraw") == "revoked"
    drill.stop()
    drill.restore("before")
    shutil.rmtree(drill.ledger / "public" / "bodies")
    said = drill.manage("restore_ledger", *drill.from_here())
    # What the public part says is done; whose decision it was, nobody knows.
    assert f"release {drill.hers} is revoked" in said
    assert drill.fetch() == (REVOKED, HELD)
    assert ["content-lost", "", "consent-lost"] in drill.act("held")
    for administrator in (cast.ALMA, cast.ALAN):
        assert drill.act("sign", administrator.email) == []
    assert drill.fetch() == (REVOKED, SERVED)


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_who_was_erased_since_the_backup_is_erased_again(drill: Drill) -> None:
    drill.fill()
    donors = drill.act("donors")
    drill.back_up("before")
    assert drill.act("erase") == "done"
    assert drill.act("donors") == donors - 1
    drill.stop()

    # Without a single tombstone nobody can tell who it was.
    drill.copy_ledger("after")
    drill.restore("before")
    (drill.ledger / "erased.txt").unlink()
    shutil.rmtree(drill.ledger / "public" / "erased")
    drill.manage("restore_ledger", *drill.from_here())
    assert ["content-lost", "", "erasure-lost"] in drill.act("held")
    assert drill.act("donors") == donors
    drill.stop()

    drill.restore("before")
    drill.put_ledger_back("after")
    (drill.ledger / "erased.txt").unlink()
    drill.manage("restore_ledger", *drill.from_here())
    assert drill.act("donors") == donors - 1
    assert [code for code, *_ in drill.act("held")] == ["restored"]
    assert drill.fetch()[0][0] != SERVED[0]


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_a_restored_vault_alone_shuts_nothing_and_revives_nobody(drill: Drill) -> None:
    drill.fill()
    drill.back_up("before")
    assert drill.act("erase") == "done"
    drill.stop()
    drill.restore("before", "vault")
    assert drill.fetch()[1] == SERVED
    assert "1 keys and 0 bodies were back" in drill.manage("replay_erasures")
    assert drill.fetch()[1] == SERVED
