"""What a donor reads back about her own choices."""

import pytest

from consent import duo
from consent.forms.sentences import plain_sentences
from consent.terms import Terms

BREAST_CANCER = "MONDO:0007254"
PARAMETERS = {"GS": ["SE"], "TS": 12, "MOR": "2027-01-31"}


def said(terms: Terms, **withheld: object) -> list[str]:
    return plain_sentences(terms, withheld, discovery=True)


def test_a_consent_for_an_illness_names_it() -> None:
    assert said(Terms(permission="DS", diseases=(BREAST_CANCER,))) == [
        "Your data may be used only for research on: breast cancer. "
        "All forms of it are part of this.",
        "You are counted when a researcher asks how many people fit a study.",
    ]


def test_an_id_without_a_name_is_shown_rather_than_left_out() -> None:
    assert (
        "MONDO:9999999" in said(Terms(permission="DS", diseases=("MONDO:9999999",)))[0]
    )


def test_nothing_allowed_says_just_that() -> None:
    for terms in (Terms(permission=None), Terms(permission=None, state="refused")):
        assert plain_sentences(terms, {"genes": ["APOE"]}, True) == [
            "Your data may not be used."
        ]


def test_an_unknown_permission_is_not_praised_as_one() -> None:
    assert said(Terms(permission="ALL"))[0] == "Your data may not be used."


@pytest.mark.parametrize("code", duo.MODIFIERS)
def test_every_condition_has_a_sentence(code: str) -> None:
    value = PARAMETERS.get(code, True)
    sentences = said(Terms(permission="GRU", modifiers={code: value}))
    assert len(sentences) == 3
    assert code not in sentences[1].replace("GSO", "")


@pytest.mark.parametrize(
    ("modifiers", "sentence"),
    [
        (
            {"GS": ["SE", "FI"]},
            "Your data may be used and kept only in: Finland, Sweden.",
        ),
        ({"TS": 12}, "One project may use your data for 1 year at most."),
        ({"TS": 60}, "One project may use your data for 5 years at most."),
        ({"TS": 18}, "One project may use your data for 18 months at most."),
        ({"TS": 1}, "One project may use your data for 1 month at most."),
        (
            {"MOR": "2027-01-31"},
            "Researchers must wait until 31 January 2027 before they make their "
            "results public.",
        ),
        (
            {"MOR": True},
            "Researchers must wait before they make their results public.",
        ),
    ],
)
def test_parameters_are_said_in_words(
    modifiers: dict[str, object], sentence: str
) -> None:
    assert sentence in said(Terms(permission="GRU", modifiers=modifiers))


def test_what_is_kept_back_is_not_handed_over_and_never_hidden() -> None:
    few = said(Terms(permission="GRU"), genes=["APOE", "HTT"], mode="missing")
    assert few[1:4] == [
        "These genes are not handed over: APOE, HTT.",
        "Researchers may see that a part was kept back.",
        "DNA close by may still give a hint of what is in them.",
    ]
    many = said(Terms(permission="GRU"), genes=[f"G{n}" for n in range(84)])
    assert many[1].startswith("84 genes are not handed over. Some of them are: G0, ")
    regions = said(
        Terms(permission="GRU"),
        regions=[["1", 0, 9], ["2", 0, 9]],
        mode="exclude-sample",
    )
    assert "2 stretches of your DNA are not handed over." in regions
    assert "You are left out of each file that these parts could be in." in regions
    one = said(Terms(permission="GRU"), regions=[["1", 0, 9]], mode="missing")
    assert "1 stretch of your DNA is not handed over." in one


def test_the_order_of_sentences_does_not_depend_on_the_order_of_codes() -> None:
    codes = ["TS", "PUB", "NPUNCU", "IRB"]
    values = {code: PARAMETERS.get(code, True) for code in codes}
    backwards = dict(reversed(list(values.items())))
    assert said(Terms(permission="GRU", modifiers=values)) == said(
        Terms(permission="GRU", modifiers=backwards)
    )
