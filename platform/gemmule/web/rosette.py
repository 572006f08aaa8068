"""Draw the mark of a ledger entry from its leaf hash: the same hash, the same mark.

The 64 strokes of the edge are the hash itself, one hexadecimal digit each and
clockwise from the top, longer for larger; the two interlaced curves inside take
their lobes and turns from it. It leaves colour to the stylesheet and makes no
claim of its own: what proves an entry is the ledger, not its picture.

The curves are r(t) = R + a cos(n t) over k turns, as engraved on banknotes by
geometric lathes; each is written as smooth cubic Bezier segments.
"""

import hashlib
import math
from collections.abc import Callable
from xml.etree import ElementTree as ET

Point = tuple[float, float]
Curve = Callable[[float], Point]

_SIZE = 1200
_CENTRE = _SIZE / 2
_EDGE = 580.0
# (turns, lobes) without a common factor, so that a curve closes only after all
# its turns and crosses itself on the way.
_OUTER = [(3, 25), (3, 26), (3, 28), (4, 27), (4, 29), (4, 31), (5, 31), (5, 32)]
_INNER = [(2, 9), (2, 11), (2, 13), (3, 10), (3, 11), (3, 13), (4, 13), (5, 14)]
# With four cubics a lobe the eye sees the error at the inner turns; with six not.
_CUBICS_A_LOBE = 6


def rosette(leaf_hash: bytes, *, published: bool = True) -> str:
    """Return the SVG of an entry's mark, about 4 KB; its heart is full once published.

    `published`: a signed checkpoint covers the entry.
    """
    seed = _seed(leaf_hash)
    svg = _svg("rosette", _SIZE, _SIZE)
    _path(svg, _edge(leaf_hash), name="edge")
    outer, inner = _OUTER[seed[0] % 8], _INNER[seed[1] % 8]
    _path(svg, _lathe(outer, 380.0, 80.0 + seed[2] % 50, seed[4] / 256))
    _path(svg, _lathe(inner, 160.0, 50.0 + seed[3] % 50, seed[5] / 256))
    heart = ET.SubElement(svg, "circle", cx="600", cy="600", r="26")
    heart.set("class", "heart" if published else "heart-open")
    if published:
        heart.set("fill", "currentColor")
    return ET.tostring(svg, encoding="unicode")


def small_rosette(leaf_hash: bytes) -> str:
    """Return the mark for a line of text or a table cell, about 1 KB."""
    seed = _seed(leaf_hash)
    svg = _svg("rosette", _SIZE, _SIZE)
    _path(svg, _lathe(_INNER[seed[1] % 8], 400.0, 120.0 + seed[3] % 50, seed[5] / 256))
    return ET.tostring(svg, encoding="unicode")


def unsealed() -> str:
    """Return the mark of an entry that waits for its place: two dashed rings."""
    svg = _svg("rosette", _SIZE, _SIZE)
    for radius in ("560", "380"):
        ring = ET.SubElement(svg, "circle", cx="600", cy="600", r=radius)
        ring.set("class", "unsealed")
        ring.set("stroke-dasharray", "2 4")
        ring.set("vector-effect", "non-scaling-stroke")
    return ET.tostring(svg, encoding="unicode")


def band(root: bytes) -> str:
    """Return a strip of engraving drawn from a tree's root, for the foot of a page.

    About 3 KB; one on a page, since its line is named to be drawn three times.
    """
    seed = _seed(root)
    width, height, wave = 2400, 280, 460.0 + seed[0]
    # Both terms share the period, so that three shifted copies interlace.
    first, second, turn = 70.0, 10.0 + seed[1] % 30, math.tau * seed[2] / 256

    def wavy(x: float) -> Point:
        t = math.tau * x / wave
        y = first * math.sin(t) + second * math.sin(2 * t + turn)
        return x, height / 2 + y

    svg = _svg("band", width * 10, height)
    svg.set("preserveAspectRatio", "xMidYMid slice")
    start, waves = -1000.0, math.ceil((width * 10 + 2000.0) / wave)
    line = _smooth(wavy, start, start + waves * wave, waves * 4)
    _path(svg, line, name=None).set("id", "band-line")
    for shift in (wave / 3, 2 * wave / 3):
        ET.SubElement(svg, "use", href="#band-line", x=f"{-shift:.0f}")
    return ET.tostring(svg, encoding="unicode")


def _svg(name: str, width: int, height: int) -> ET.Element:
    # The text beside the mark says all it shows: assistive tools pass it over.
    return ET.Element(
        "svg",
        {
            "class": name,
            "viewBox": f"0 0 {width} {height}",
            "fill": "none",
            "stroke": "currentColor",
            "stroke-width": "0.75",
            "aria-hidden": "true",
            "focusable": "false",
        },
    )


def _path(svg: ET.Element, line: str, *, name: str | None = None) -> ET.Element:
    # Lines keep their width at every size, as an engraver's would.
    path = ET.SubElement(
        svg, "path", {"d": line, "vector-effect": "non-scaling-stroke"}
    )
    if name:
        path.set("class", name)
    return path


def _seed(value: bytes) -> bytes:
    # Hashed once more, so that the drawing says nothing about single bits.
    return hashlib.sha256(b"gemmule/rosette/v1" + value).digest()


def _edge(leaf_hash: bytes) -> str:
    digits = leaf_hash.hex()
    strokes = []
    for place, digit in enumerate(digits):
        angle = math.tau * place / len(digits) - math.pi / 2
        x, y = _whole(_polar(_EDGE, angle))
        x1, y1 = _whole(_polar(_EDGE - 15 - int(digit, 16) * 4, angle))
        strokes.append(f"M{_numbers(x, y)}l{_numbers(x1 - x, y1 - y)}")
    return "".join(strokes)


def _lathe(gear: tuple[int, int], radius: float, swing: float, phase: float) -> str:
    turns, lobes = gear

    def curve(t: float) -> Point:
        r = radius + swing * math.cos(lobes * t / turns)
        return _polar(r, t + math.tau * phase)

    return _smooth(curve, 0.0, math.tau * turns, lobes * _CUBICS_A_LOBE)


def _smooth(curve: Curve, start: float, end: float, pieces: int) -> str:
    """Return a path of `pieces` cubics through the curve, with its own tangents.

    With equal steps each first control point mirrors the one before it, so that
    the short form `s` holds. Whole units, relative to the last rounded point: a
    rounding never adds up, and the path takes a third of its absolute length.
    """
    step = (end - start) / pieces
    x, y = _whole(curve(start))
    first = _whole(_tangent(curve, start, step))
    path = [f"M{_numbers(x, y)}c{_numbers(*first)}"]
    for i in range(1, pieces + 1):
        t = start + step * i
        px, py = curve(t)
        dx, dy = _tangent(curve, t, step)
        cx, cy = _whole((px - dx, py - dy))
        nx, ny = _whole((px, py))
        path.append(f" {_numbers(cx - x, cy - y, nx - x, ny - y)}s")
        x, y = nx, ny
    return "".join(path).removesuffix("s").replace("s ", "s").replace(" -", "-")


def _tangent(curve: Curve, t: float, step: float) -> Point:
    near = step / 100
    (x0, y0), (x1, y1) = curve(t - near), curve(t + near)
    scale = step / 3 / (2 * near)
    return (x1 - x0) * scale, (y1 - y0) * scale


def _polar(radius: float, angle: float) -> Point:
    return _CENTRE + radius * math.cos(angle), _CENTRE + radius * math.sin(angle)


def _whole(point: Point) -> tuple[int, int]:
    return round(point[0]), round(point[1])


def _numbers(*values: int) -> str:
    return " ".join(map(str, values)).replace(" -", "-")
