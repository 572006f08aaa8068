"""What a donor keeps back: one form, or a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import withheld
from consent.errors import WithheldInvalid

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["genes", "regions", "flank", "mode", "build", "x"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def test_nothing_kept_back_has_one_form() -> None:
    ways: list[Any] = [None, {}, {"genes": []}, {"genes": None, "flank": 10}]
    for nothing in ways:
        assert withheld.read(nothing) == {}


def test_genes_and_regions_are_sorted_and_completed() -> None:
    found = withheld.read(
        {
            "genes": ["TP53", "APOE", "TP53"],
            "regions": [["X", 5, 9], ["17", 1, 2]],
            "build": "GRCh38",
        }
    )
    assert found == {
        "genes": ["APOE", "TP53"],
        "regions": [["17", 1, 2], ["X", 5, 9]],
        "build": "GRCh38",
        "flank": 50_000,
        "mode": "missing",
    }
    assert withheld.read(found) == found


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "is an object"),
        ({"chromosomes": ["1"]}, "'chromosomes'"),
        ({"genes": "BRCA1"}, "a list of up to 500"),
        ({"genes": ["A"] * 501}, "a list of up to 500"),
        ({"genes": [1]}, "'int' is not a gene symbol"),
        ({"genes": ["../etc"]}, "not a gene symbol"),
        ({"genes": [""]}, "not a gene symbol"),
        ({"genes": ["APOE"], "mode": "hide"}, "expected a mode"),
        ({"genes": ["APOE"], "mode": ["missing"]}, "expected a mode"),
        ({"genes": ["APOE"], "flank": -1}, "a flank is"),
        ({"genes": ["APOE"], "flank": True}, "a flank is"),
        ({"genes": ["APOE"], "flank": 10**9}, "a flank is"),
        ({"regions": [["1", 5, 9]]}, "expected a build"),
        ({"regions": [["1", 5, 9]], "build": "hg19"}, "expected a build"),
        ({"regions": {"1": [5, 9]}, "build": "GRCh38"}, "regions are a list"),
        ({"regions": [["1", 9, 5]], "build": "GRCh38"}, "region 1: expected"),
        ({"regions": [["1", -1, 5]], "build": "GRCh38"}, "region 1: expected"),
        ({"regions": [["1", False, 5]], "build": "GRCh38"}, "region 1: expected"),
        ({"regions": [["1 ", 1, 5]], "build": "GRCh38"}, "region 1: expected"),
        ({"regions": [["1", 1, 2**31]], "build": "GRCh38"}, "region 1: expected"),
        ({"regions": [["1", 1, 5], "1:1-5"], "build": "GRCh38"}, "region 2"),
    ],
)
def test_what_cannot_be_read_is_refused(data: Any, message: str) -> None:
    with pytest.raises(WithheldInvalid, match=message):
        withheld.read(data)


@given(JUNK)
def test_any_input_gives_the_one_form_or_the_rooms_error(data: Any) -> None:
    try:
        found = withheld.read(data)
    except WithheldInvalid:
        return
    assert withheld.read(found) == found
