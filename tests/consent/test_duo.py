"""The pinned ontology holds every code the policy knows, and no other."""

from consent import duo


def test_every_code_of_the_policy_is_a_term_and_every_term_is_known() -> None:
    assert set(duo.TERMS) == {*duo.PERMISSIONS, *duo.MODIFIERS}


def test_a_term_carries_its_id_and_label() -> None:
    term = duo.TERMS["GRU"]
    assert (term.id, term.label) == ("DUO:0000042", "general research use")
    assert term.code == "GRU"
    assert "any research purpose" in term.description


def test_the_abstract_parents_are_no_codes() -> None:
    assert "" not in duo.TERMS
    assert not {term.id for term in duo.TERMS.values()} & {
        "DUO:0000001",
        "DUO:0000017",
    }
