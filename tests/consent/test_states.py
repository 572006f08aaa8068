"""The table of acts and states, whole."""

import pytest

from consent import states
from consent.errors import ConsentNotFound, StateRefused
from consent.models import Act

STATES = (None, "active", "paused", "refused", "withdrawn", "expired", "superseded")


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("state", STATES)
def test_an_act_is_open_or_refused_with_a_reason(act: Act, state: str | None) -> None:
    if states.is_allowed(act, state):
        states.check(act, state)
        return
    expected = ConsentNotFound if state is None else StateRefused
    with pytest.raises(expected, match=act.value):
        states.check(act, state)


def test_withdrawing_is_open_wherever_something_was_allowed() -> None:
    assert states.ALLOWED_FROM[Act.WITHDRAWN] == {"active", "paused", "expired"}


def test_nothing_follows_a_superseded_decision() -> None:
    assert not any(states.is_allowed(act, "superseded") for act in Act)


def test_a_refusal_says_what_to_do_instead() -> None:
    with pytest.raises(StateRefused, match="give a new consent"):
        states.check(Act.RESUMED, "withdrawn")
