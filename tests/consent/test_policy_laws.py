"""The laws that every decision obeys, on generated purposes and terms."""

import json
from datetime import date
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consent import diseases, duo
from consent.decision import JSON
from consent.policy import Decision, Purpose, Terms, Verdict, decide
from consent.purpose import ETHICS, PROHIBITED, RESEARCH_TYPES, SENSITIVE
from consent.terms import STATES

DAY = date(2026, 6, 1)
WIDTH = {Verdict.DENY: 0, Verdict.REVIEW: 1, Verdict.PERMIT: 2}
DISEASES = (
    "MONDO:0000001",
    "MONDO:0005070",
    "MONDO:0004992",
    "MONDO:0007254",
    "MONDO:0008903",
    "MONDO:0005148",
    "MONDO:0005015",
    "MONDO:0000016",  # obsolete, replaced by the next
    "MONDO:0005010",
    "MONDO:9999999",  # unknown
)


@cache
def below(disease: str) -> list[str]:
    return sorted(diseases.graph().self_and_descendants(disease))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def some(values: Any, most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(list(values)), max_size=most, unique=True)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
PARAMETERS: dict[str, st.SearchStrategy[Any]] = {
    "GS": st.lists(st.sampled_from(["SE", "FI", "US"]), max_size=3),
    "US": st.lists(st.sampled_from(["u1", "u2", "the team"]), max_size=3),
    "PS": st.lists(st.sampled_from(["p1", "p2"]), max_size=2),
    "IS": st.lists(st.sampled_from(["r1", "r2"]), max_size=2),
    "TS": st.integers(-1, 30),
    "MOR": st.sampled_from(["2027-01-01", "soon"]),
}
MODIFIERS: st.SearchStrategy[dict[str, Any]] = st.lists(
    st.sampled_from(duo.MODIFIERS).flatmap(
        lambda code: st.tuples(
            st.just(code),
            PARAMETERS.get(code, st.just(True)) | st.just(True) | st.none() | JUNK,
        )
    ),
    max_size=4,
).map(dict)
# Facts that meet most conditions, so that not every generated case is a denial.
EASY: dict[str, Any] = {
    "research_types": ["biomedical"],
    "diseases": ["MONDO:0007254"],
    "organisation": "non-profit",
    "commercial": False,
    "countries": ["SE"],
    "institution": "r1",
    "project": "p1",
    "users": ["u1"],
    "ethics_approval": "verified",
    "collaboration_letter": True,
    "agrees_to": ["PUB", "MOR", "RTN"],
}
PURPOSES = st.fixed_dictionaries(
    {},
    optional={
        "research_types": maybe(some([*RESEARCH_TYPES, "cooking"])),
        "diseases": maybe(some(DISEASES)),
        "organisation": st.sampled_from(["non-profit", "for-profit", None]),
        "commercial": maybe(st.booleans()),
        "countries": maybe(some(["SE", "FI", "US"])),
        "institution": st.sampled_from([None, "r1", "r9"]),
        "project": st.sampled_from([None, "p1", "p9"]),
        "users": maybe(some(["u1", "u2", "u9"])),
        "ethics_approval": st.sampled_from([None, *ETHICS]),
        "collaboration_letter": maybe(st.booleans()),
        "agrees_to": maybe(some(["PUB", "MOR", "RTN"])),
        "uses_genetic_data": maybe(st.booleans()),
        "sensitive": maybe(some([*SENSITIVE, "unheard of"], most=1)),
        "prohibited": st.sampled_from([None, [], [], [], [PROHIBITED[0]]]),
    },
)
LIKELY_PURPOSES = st.tuples(
    PURPOSES, st.sets(st.sampled_from(sorted(EASY)), min_size=4)
).map(lambda drawn: {**drawn[0], **{key: EASY[key] for key in drawn[1]}})
TERMS = st.fixed_dictionaries(
    {"permission": st.sampled_from([*duo.PERMISSIONS, "DS", "HMB", None, "XX"])},
    optional={
        "diseases": maybe(some(DISEASES)),
        "modifiers": maybe(MODIFIERS),
        "state": st.sampled_from([None, *STATES, "active", "active", "odd"]),
    },
)
SHUFFLES = st.randoms(use_true_random=False)
DISEASE_TERMS = st.builds(
    lambda terms, chosen: {**terms, "permission": "DS", "diseases": chosen},
    TERMS,
    st.lists(st.sampled_from(DISEASES[:-1]), min_size=1, max_size=3, unique=True),
)


def decided(purpose: JSON, terms: JSON) -> Decision:
    return decide(Purpose.read(purpose), Terms.read(terms), DAY)


def width(purpose: JSON, terms: JSON) -> int:
    return WIDTH[decided(purpose, terms).verdict]


@given(purpose=LIKELY_PURPOSES, terms=TERMS | DISEASE_TERMS, added=MODIFIERS)
def test_adding_a_modifier_other_than_cc_never_widens(
    purpose: dict[str, Any], terms: dict[str, Any], added: dict[str, Any]
) -> None:
    added.pop("CC", None)
    before = terms.get("modifiers") or {}
    # What is added must be new: null stood for absent.
    more = {**{k: v for k, v in added.items() if before.get(k) is None}}
    fuller = {**terms, "modifiers": {**before, **more}}
    assert width(purpose, fuller) <= width(purpose, terms)


@given(purpose=LIKELY_PURPOSES, terms=DISEASE_TERMS, data=st.data())
def test_narrowing_a_chosen_disease_never_widens(
    purpose: dict[str, Any], terms: dict[str, Any], data: st.DataObject
) -> None:
    broad = data.draw(st.sampled_from(terms["diseases"]))
    # An obsolete id has nothing below it: it can only stay what it is.
    narrow = data.draw(st.sampled_from(below(broad) or [broad]))
    narrowed = [narrow if d == broad else d for d in terms["diseases"]]
    assert width(purpose, {**terms, "diseases": narrowed}) <= width(purpose, terms)


@given(purpose=LIKELY_PURPOSES, terms=DISEASE_TERMS, data=st.data())
def test_leaving_out_a_known_disease_never_widens(
    purpose: dict[str, Any], terms: dict[str, Any], data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(terms["diseases"]))
    fewer = [d for d in terms["diseases"] if d != gone]
    assert width(purpose, {**terms, "diseases": fewer}) <= width(purpose, terms)


@given(
    purpose=LIKELY_PURPOSES,
    first=st.sampled_from(RESEARCH_TYPES),
    terms=TERMS | DISEASE_TERMS,
    added=st.sampled_from([*RESEARCH_TYPES, "cooking"]),
)
def test_adding_a_research_type_to_a_purpose_never_widens(
    purpose: dict[str, Any], first: str, terms: dict[str, Any], added: str
) -> None:
    types = purpose.get("research_types") or []
    if not types and not purpose.get("diseases"):
        types = [first]
    narrower = {**purpose, "research_types": types}
    wider = {**purpose, "research_types": [*types, added]}
    assert width(wider, terms) <= width(narrower, terms)


@given(
    purpose=PURPOSES,
    terms=TERMS | DISEASE_TERMS,
    random=st.randoms(use_true_random=False),
)
def test_order_and_repetition_never_matter(
    purpose: dict[str, Any], terms: dict[str, Any], random: Any
) -> None:
    def shuffled(value: JSON) -> JSON:
        if isinstance(value, dict):
            items = list(value.items())
            random.shuffle(items)
            return {key: shuffled(inner) for key, inner in items}
        if isinstance(value, list):
            doubled = [*value, *value]
            random.shuffle(doubled)
            return doubled
        return value

    assert decided(shuffled(purpose), shuffled(terms)) == decided(purpose, terms)


@given(purpose=LIKELY_PURPOSES, terms=TERMS | DISEASE_TERMS)
def test_null_and_absent_are_the_same(
    purpose: dict[str, Any], terms: dict[str, Any]
) -> None:
    def stripped(value: dict[str, Any]) -> dict[str, Any]:
        return {
            key: stripped(inner) if isinstance(inner, dict) else inner
            for key, inner in value.items()
            if inner is not None
        }

    assert decided(stripped(purpose), stripped(terms)) == decided(purpose, terms)


@given(purpose=PURPOSES, terms=TERMS, key=st.sampled_from(duo.MODIFIERS))
def test_a_null_modifier_is_never_taken_for_true(
    purpose: dict[str, Any], terms: dict[str, Any], key: str
) -> None:
    modifiers = terms.get("modifiers") or {}
    null = {**terms, "modifiers": {**modifiers, key: None}}
    without = {k: v for k, v in modifiers.items() if k != key}
    assert decided(purpose, null) == decided(purpose, {**terms, "modifiers": without})


@given(purpose=LIKELY_PURPOSES, terms=TERMS | DISEASE_TERMS)
def test_deny_beats_review_beats_permit(
    purpose: dict[str, Any], terms: dict[str, Any]
) -> None:
    found = decided(purpose, terms)
    assert found.clauses
    assert WIDTH[found.verdict] == min(WIDTH[c.verdict] for c in found.clauses)
    json.dumps(found.to_json())


@given(purpose=PURPOSES, terms=TERMS, key=st.text(max_size=8), value=JUNK)
def test_a_key_that_is_not_known_denies(
    purpose: dict[str, Any], terms: dict[str, Any], key: str, value: JSON
) -> None:
    # No key of the schema is made of capitals, so this one never is one.
    odd = f"X{key}"
    assert width({**purpose, odd: value}, terms) == 0
    assert width(purpose, {**terms, odd: value}) == 0
    modifiers = {**(terms.get("modifiers") or {}), odd: value}
    assert width(purpose, {**terms, "modifiers": modifiers}) == 0


@given(purpose=JUNK | PURPOSES, terms=JUNK | TERMS)
def test_no_input_whatever_crashes(purpose: JSON, terms: JSON) -> None:
    found = decided(purpose, terms)
    if not isinstance(purpose, dict) or not isinstance(terms, dict):
        assert found.verdict is Verdict.DENY


@given(
    field=st.sampled_from(sorted(Purpose.__dataclass_fields__)),
    value=JUNK,
    terms=TERMS,
)
def test_junk_in_a_field_never_permits_more_than_its_absence(
    field: str, value: JSON, terms: dict[str, Any]
) -> None:
    purpose = {"research_types": ["biomedical"], field: value}
    unread = Purpose.read(purpose).problems
    if unread:
        assert width(purpose, terms) == 0
