"""What donors, researchers and the board did since the backup stands again."""

import pytest

from gemmule.demo import cast
from tests.gemmule.restore.drill import Drill
from tests.gemmule.restore.test_drill import HELD, REVOKED, SERVED, drill

__all__ = ["drill"]


def sign(drill: Drill) -> None:
    for administrator in (cast.ALMA, cast.ALAN):
        assert drill.act("sign", administrator.email) == []


def test_a_change_a_pause_a_closed_request_and_a_revoked_role_stand_again(
    drill: Drill,
) -> None:
    drill.fill()
    drill.back_up("before")
    assert drill.act("change") == "suspended"
    drill.act("close", drill.other)
    drill.act("take_role", cast.IRA.email)
    drill.stop()
    # The vault is another database: the keys of what was said since are there.
    drill.restore("before", "default")
    assert drill.act("roles", cast.IRA.email) == 1
    assert drill.fetch() == (HELD, HELD)

    drill.manage("restore_ledger", *drill.from_here())
    sign(drill)
    assert drill.fetch() == ([403, "release-suspended"], [403, "request-closed"])
    assert drill.act("roles", cast.IRA.email) == 0
    drill.act("settle")
    assert drill.act("findings") == []

    # Her pause ends; what she changed was put back, and a new release rests on it.
    assert drill.act("resume") == "available"
    assert drill.fetch()[0] == SERVED
    assert drill.act("build", drill.hers) == ["available", True]
    assert drill.act("findings") == []


@pytest.mark.parametrize("drill", ["sqlite"], indirect=True)
def test_who_withdraws_again_in_the_restored_database_has_withdrawn(
    drill: Drill,
) -> None:
    drill.fill()
    drill.back_up("before")
    assert drill.act("withdraw") == "revoked"
    drill.act("take_role", cast.IRA.email)
    drill.stop()
    drill.restore("before")
    assert drill.fetch() == (HELD, HELD)
    # The page told her that her consent stands.
    assert drill.act("withdraw_meanwhile") == "revoked"
    assert drill.fetch() == (REVOKED, HELD)

    drill.manage("restore_ledger", *drill.from_here())
    assert ["content-lost", "", "consent-lost"] in drill.act("held")
    assert drill.fetch() == (REVOKED, HELD)
    # Whose role it was went with the vault: two people are told to see to it.
    assert any("role-lost" in codes for codes in drill.act("held"))
    sign(drill)
    drill.act("settle")
    assert drill.fetch() == (REVOKED, SERVED)
    assert drill.act("build", drill.other) == ["available", False]
    assert drill.act("findings") == []
