"""A disease is matched under the release a donor signed and under today's."""

from consent.diseases import DiseaseGraph
from consent.policy import Purpose, Terms, decide
from tests.consent.judging import DAY

SIGNED = DiseaseGraph(
    version="old",
    rows=[
        "A\tall\t\t\t\t",
        "B\tnarrow\tA\t\t\t",
        "C\tmoved\tB\t\t\t",
        "X\told name\tA\t\t\t",
        "Y\tchild\tX\t\t\t",
    ],
)
CURRENT = DiseaseGraph(
    version="new",
    rows=[
        "A\tall\t\t\t\t",
        "B\tnarrow\tA\t\t\t",
        "C\tmoved\tA\t\t\t",
        "N\tnew below B\tB\t\t\t",
        "X\tobsolete old name\t\t1\tY\t",
        "Y\tchild\tA\t\t\t",
        "Z\tobsolete, broader now\t\t1\tA\t",
    ],
)
SIGNED_WITH_Z = DiseaseGraph(
    version="old", rows=["A\tall\t\t\t\t", "B\tnarrow\tA\t\t\t", "Z\tz\tB\t\t\t"]
)


def matched(asked: str, chosen: str, signed: DiseaseGraph = SIGNED) -> str:
    return decide(
        Purpose(diseases=(asked,)),
        Terms(permission="DS", diseases=(chosen,)),
        DAY,
        graph=CURRENT,
        signed_graph=signed,
    ).verdict.value


def test_a_match_must_hold_under_both_releases() -> None:
    assert matched("B", "A") == "permit"
    assert matched("C", "B") == "review"  # was below B, no longer is
    assert matched("N", "B") == "review"  # is below B, was not there
    assert matched("A", "B") == "deny"


def test_an_obsolete_choice_is_carried_over_only_where_it_was_as_broad() -> None:
    assert matched("Y", "X") == "permit"  # Y lay below X when X was chosen
    # Z was replaced by something broader: never simply permitted.
    assert matched("Z", "Z", SIGNED_WITH_Z) == "review"
    assert matched("A", "Z", SIGNED_WITH_Z) == "review"
