"""Plots tell their numbers in words, by place and length, and let no text out."""

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gemmule.web import plots
from gemmule.web.plots import Amount, Series

AMOUNTS = st.lists(
    st.builds(
        Amount,
        name=st.text(
            st.characters(
                exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
            ),
            max_size=30,
        ),
        value=st.integers(0, 10**7),
        tone=st.sampled_from(["good", "attention", "stop", "plain-tone"]),
    ),
    max_size=8,
)


def drawn(svg: str) -> list[dict[str, str]]:
    """Return the rectangles that stand for an amount."""
    root = ET.fromstring(svg)
    pattern = root.find("pattern")
    assert pattern is not None
    root.remove(pattern)
    return [dict(rect.attrib) for rect in root.iter("rect")]


def words(svg: str) -> list[str]:
    """Return the texts of a plot in their order."""
    return [element.text or "" for element in ET.fromstring(svg).iter("text")]


def columns(**changes: object) -> str:
    """Return decisions of three months, changed where a test says so."""
    stated: dict[str, object] = {
        "title": "Decisions",
        "description": "Three months",
        "periods": ["Jan", "Feb", "Mar"],
        "series": [
            Series(name="Approved", values=[4, 6, 2]),
            Series(name="Denied", values=[1, 0, 2], tone="stop"),
        ],
    }
    return plots.columns(**{**stated, **changes})  # type: ignore[arg-type]  # a dict


@given(AMOUNTS)
def test_any_name_and_amount_gives_a_sound_picture(rows: list[Amount]) -> None:
    for draw in (
        plots.bars(title="<t>", description="&d", rows=rows),
        plots.shares(title="<t>", description="&d", parts=rows),
    ):
        root = ET.fromstring(draw)
        assert root.findtext("title") == "<t>"
        assert root.findtext("desc") == "&d"
        assert "style" not in {name for e in root.iter() for name in e.attrib}
        for row in rows:
            assert row.text in words(draw)


@given(AMOUNTS)
def test_bars_are_as_long_as_their_amounts(rows: list[Amount]) -> None:
    found = [
        float(bar["width"])
        for bar in drawn(plots.bars(title="t", description="d", rows=rows))
    ]
    shown = [row.value for row in rows if row.value]
    longest = max(shown, default=1)
    assert found == pytest.approx([420 * v / longest for v in shown], abs=0.06)


def test_shares_fill_the_bar() -> None:
    parts = [Amount(name="Yes", value=30), Amount(name="No", value=10, tone="stop")]
    found = drawn(plots.shares(title="t", description="d", parts=parts))[:2]
    assert [float(bar["width"]) for bar in found] == [315, 105]
    assert [float(bar["x"]) for bar in found] == [0, 315]


def test_a_whole_of_nothing_is_drawn_as_nothing() -> None:
    parts = [Amount(name="Yes", value=0), Amount(name="No", value=0)]
    svg = plots.shares(title="t", description="d", parts=parts)
    assert drawn(svg)[0]["class"] == "nothing"
    assert words(svg) == ["Yes", "0", "No", "0"]


def test_a_rounded_amount_shows_its_rounding_alone() -> None:
    row = Amount(name="Donors", value=13, shown="< 20")
    svg = plots.bars(title="t", description="d", rows=[row])
    assert words(svg) == ["Donors", "< 20"]
    assert "13" not in words(svg)


def test_columns_stack_from_the_base() -> None:
    boxes = [bar for bar in drawn(columns()) if float(bar["width"]) > 13]
    assert len(boxes) == 5, "an empty amount draws no column"
    january = [box for box in boxes if box["x"] == boxes[0]["x"]]
    bottoms = [float(box["y"]) + float(box["height"]) for box in january]
    assert bottoms == pytest.approx([180, float(january[0]["y"])], abs=0.11)


def test_what_stops_is_hatched_and_not_only_red() -> None:
    fills = {bar.get("fill", "")[:5] for bar in drawn(columns())}
    assert fills == {"", "url(#"}


def test_every_series_is_named_with_its_sum() -> None:
    assert words(columns())[-4:] == ["Approved", "12", "Denied", "3"]


def test_many_periods_label_some_of_them() -> None:
    periods = [f"w{n}" for n in range(52)]
    one = [Series(name="Requests", values=[1] * 52)]
    found = [
        word for word in words(columns(periods=periods, series=one)) if word[0] == "w"
    ]
    assert 1 < len(found) <= 6


def test_a_scale_of_counts_has_whole_steps() -> None:
    one = [Series(name="Requests", values=[1, 0, 0])]
    assert words(columns(series=one))[:2] == ["0", "1"]


def test_a_series_of_the_wrong_length_is_refused() -> None:
    short = [Series(name="Approved", values=[1, 2])]
    with pytest.raises(ValueError, match=r"expected 3 values.*got 2 for 'Approved'"):
        columns(series=short)


def test_two_plots_of_a_page_share_no_id() -> None:
    first, second = columns(), columns(title="Withdrawals")
    ids = [
        e.attrib["id"]
        for s in (first, second)
        for e in ET.fromstring(s).iter()
        if "id" in e.attrib
    ]
    assert len(ids) == len(set(ids)) == 6
