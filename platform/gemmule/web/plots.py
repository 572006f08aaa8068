"""Draw plots on the server: an SVG with a title and a description, styled by class.

Three kinds carry what the pages show: shares of a whole, amounts side by side, and
amounts over time. A tone is never told by colour alone: what stops is hatched, and
the names stand beside. Leaves the exact numbers to the table that stands next to
each plot (`<c-figure>`).
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree as ET

from django.utils.safestring import SafeString, mark_safe

Tone = Literal["good", "attention", "stop", "plain-tone"]

_WIDTH = 420
_LINE = 24
_AXIS = 40
_TALL = 180
_MOST_LABELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """One amount with its name; `shown` replaces the number where it is rounded."""

    name: str
    value: float
    tone: Tone = "good"
    shown: str = ""

    @property
    def text(self) -> str:
        """The number as a reader sees it."""
        return self.shown or f"{self.value:,g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Amounts of one kind, one for each period."""

    name: str
    values: Sequence[float]
    tone: Tone = "good"


def shares(*, title: str, description: str, parts: Sequence[Amount]) -> SafeString:
    """Return one bar divided among the parts of a whole, with their names below."""
    total = sum(part.value for part in parts)
    svg, hatch = _plot(title, description, 30 + _LINE * len(parts))
    start = 0.0
    for part in parts:
        width = _WIDTH * part.value / total if total else 0.0
        if width:
            _bar(svg, hatch, part.tone, (start, 0, width, 16))
        start += width
    if not total:
        _element(svg, "rect", width=_WIDTH, height=16, class_="nothing")
    _legend(svg, hatch, [(part.name, part.text, part.tone) for part in parts], 42)
    return _done(svg)


def bars(*, title: str, description: str, rows: Sequence[Amount]) -> SafeString:
    """Return a bar for each row, all on one scale that starts at nothing."""
    tall = 50
    svg, hatch = _plot(title, description, tall * len(rows))
    longest = max((row.value for row in rows), default=0.0)
    for number, row in enumerate(rows):
        top = tall * number
        _text(svg, 0, top + 15, row.name)
        _text(svg, _WIDTH, top + 15, row.text, anchor="end", class_="value")
        _element(svg, "line", x1=0, x2=_WIDTH, y1=top + 33, y2=top + 33, class_="tick")
        if row.value:
            width = _WIDTH * row.value / longest
            _bar(svg, hatch, row.tone, (0, top + 23, width, 10))
    return _done(svg)


def columns(
    *, title: str, description: str, periods: Sequence[str], series: Sequence[Series]
) -> SafeString:
    """Return a column for each period, the series stacked from below in their order."""
    for one in series:
        if len(one.values) != len(periods):
            raise ValueError(
                f"expected {len(periods)} values, one for each period, "
                f"got {len(one.values)} for {one.name!r}"
            )
    legend = _LINE * len(series) if len(series) > 1 else 0
    svg, hatch = _plot(title, description, _TALL + 32 + legend)
    sums = [sum(one.values[i] for one in series) for i in range(len(periods))]
    ticks = _ticks(max(sums, default=0.0))
    _scale(svg, ticks)
    room = (_WIDTH - _AXIS) / max(len(periods), 1)
    for i in range(len(periods)):
        low = 0.0
        for one in series:
            tall = (_TALL - 14) * one.values[i] / ticks[-1]
            if tall:
                left = _AXIS + room * (i + 0.14)
                box = (left, _TALL - low - tall, room * 0.72, tall)
                _bar(svg, hatch, one.tone, box)
            low += tall
    _element(svg, "line", x1=_AXIS, x2=_WIDTH, y1=_TALL, y2=_TALL, class_="base")
    every = math.ceil(len(periods) / _MOST_LABELS)
    for i in range(0, len(periods), max(every, 1)):
        middle = _AXIS + room * (i + 0.5)
        _text(svg, middle, _TALL + 20, periods[i], anchor="middle")
    if legend:
        named = [(one.name, f"{sum(one.values):,g}", one.tone) for one in series]
        _legend(svg, hatch, named, _TALL + 52)
    return _done(svg)


def _plot(title: str, description: str, height: float) -> tuple[ET.Element, str]:
    # Ids must differ between the plots of a page; the same plot keeps its own.
    name = hashlib.sha256(f"{title}\0{description}".encode()).hexdigest()[:8]
    svg = ET.Element(
        "svg",
        {
            "class": "plot",
            "viewBox": f"0 0 {_WIDTH} {height:g}",
            "role": "img",
            "aria-labelledby": f"plot-{name}-title",
            "aria-describedby": f"plot-{name}-desc",
        },
    )
    ET.SubElement(svg, "title", id=f"plot-{name}-title").text = title
    ET.SubElement(svg, "desc", id=f"plot-{name}-desc").text = description
    pattern = _element(
        svg,
        "pattern",
        id=f"plot-{name}-hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    _element(pattern, "rect", width=6, height=6, class_="s-stop")
    _element(pattern, "line", x1=0, x2=0, y1=0, y2=6, class_="hatch")
    return svg, f"url(#plot-{name}-hatch)"


def _bar(
    svg: ET.Element, hatch: str, tone: Tone, box: tuple[float, float, float, float]
) -> None:
    x, y, width, height = box
    bar = _element(svg, "rect", x=x, y=y, width=width, height=height)
    if tone == "stop":
        bar.set("fill", hatch)
    else:
        bar.set("class", f"s-{tone}")


def _legend(
    svg: ET.Element, hatch: str, rows: Sequence[tuple[str, str, Tone]], top: float
) -> None:
    for number, (name, text, tone) in enumerate(rows):
        y = top + _LINE * number
        _bar(svg, hatch, tone, (0, y - 12, 13, 13))
        _text(svg, 22, y, name)
        _text(svg, _WIDTH, y, text, anchor="end", class_="value")


def _scale(svg: ET.Element, ticks: Sequence[float]) -> None:
    for tick in ticks:
        y = _TALL - (_TALL - 14) * tick / ticks[-1]
        _element(svg, "line", x1=_AXIS, x2=_WIDTH, y1=y, y2=y, class_="tick")
        _text(svg, _AXIS - 8, y + 5, f"{tick:,g}", anchor="end")


def _ticks(most: float) -> list[float]:
    """Return round steps from 0 that reach at least `most`.

    >>> _ticks(7)
    [0.0, 2.0, 4.0, 6.0, 8.0]
    """
    if most <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next(power * n for n in (1, 2, 5, 10) if power * n * 4 >= most)
    # Counts have no halves.
    step = max(step, 1.0)
    return [step * n for n in range(math.ceil(most / step) + 1)]


def _text(
    svg: ET.Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    class_: str = "",
) -> None:
    element = _element(svg, "text", x=x, y=y, class_=class_)
    element.set("text-anchor", anchor)
    element.text = text


def _element(
    parent: ET.Element, tag: str, *, class_: str = "", **attributes: float | str
) -> ET.Element:
    element = ET.SubElement(parent, tag)
    for name, value in attributes.items():
        element.set(name, value if isinstance(value, str) else f"{round(value, 1):g}")
    if class_:
        element.set("class", class_)
    return element


def _done(svg: ET.Element) -> SafeString:
    # ElementTree has escaped every name and number on the way.
    return mark_safe(ET.tostring(svg, encoding="unicode"))  # noqa: S308
