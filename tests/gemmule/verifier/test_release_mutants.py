"""Whatever is done to a release is refused, for the reason that is true of it."""

import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from gemmule.verifier import refusals
from tests.gemmule.verifier import file_mutants, proof_mutants
from tests.gemmule.verifier.handed_out import Desk, HandedOut
from tests.gemmule.verifier.mutants import Mutant

pytestmark = pytest.mark.django_db
KINDS = [*file_mutants.KINDS, *proof_mutants.KINDS]
AT_LEAST = 1000


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_mutant_is_refused_with_its_own_reason(
    kind: Callable[[HandedOut, random.Random], Iterator[Mutant]],
    desk: Desk,
    rng: random.Random,
) -> None:
    wrong: list[str] = []
    for mutant in kind(desk.handed, rng):
        told = said_of(desk, mutant)
        if told not in {each.__name__ for each in mutant.reasons}:
            wrong.append(f"{mutant.what}: {told}")
    assert wrong == []


def test_the_untouched_one_holds_and_the_mutants_are_many(
    desk: Desk, rng: random.Random
) -> None:
    file = desk.check(secret=desk.handed.secret).file
    assert file is not None and file.opened
    counted = Counter(
        {kind.__name__: sum(1 for _ in kind(desk.handed, rng)) for kind in KINDS}
    )
    print(counted, counted.total())
    assert min(counted.values()) > 0
    assert counted.total() >= AT_LEAST


def said_of(desk: Desk, mutant: Mutant) -> str:
    """Return the code that a program is told of a mutant, or what else happened."""
    try:
        desk.check(**mutant.given)
    except refusals.EXPECTED as error:
        refusal = refusals.of("release", error)
        if refusal.ok is not False or not refusal.words.isprintable():
            return f"no refusal: {refusal.words}"
        return refusal.error
    return "it holds"
