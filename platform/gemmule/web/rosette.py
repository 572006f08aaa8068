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

_SIZE = 120
_CENTRE = _SIZE / 2
_EDGE = 58.0
# Turns and lobes without a common factor, so that the curve closes only after
# all its turns and crosses itself on the way.
_OUTER = [(3, 25), (3, 26), (3, 28), (4, 27), (4, 29), (4, 31), (5, 31), (5, 32)]
_INNER = [(2, 9), (2, 11), (2, 13), (3, 10), (3, 11), (3, 13), (4, 13), (5, 14)]


def rosette(leaf_hash: bytes, *, sealed: bool = True) -> str:
    """Return the SVG of an entry's mark, about 4 KB; a full heart once sealed."""
    seed = _seed(leaf_hash)
    svg = _svg("rosette", f"0 0 {_SIZE} {_SIZE}")
    _path(svg, _edge(leaf_hash), "edge")
    outer, inner = _OUTER[seed[0] % 8], _INNER[seed[1] % 8]
    _path(svg, _lathe(outer, 38.0, 8.0 + seed[2] % 5, seed[4] / 256))
    _path(svg, _lathe(inner, 16.0, 5.0 + seed[3] % 5, seed[5] / 256))
    heart = ET.SubElement(svg, "circle", cx="60", cy="60", r="2.6")
    if sealed:
        heart.set("class", "heart")
    else:
        heart.set("fill", "none")
        heart.set("stroke", "currentColor")
    return ET.tostring(svg, encoding="unicode")


def small_rosette(leaf_hash: bytes) -> str:
    """Return the mark for a line of text or a table cell, about 900 bytes."""
    seed = _seed(leaf_hash)
    svg = _svg("rosette", f"0 0 {_SIZE} {_SIZE}")
    turns, lobes = _INNER[seed[1] % 8]
    _path(svg, _lathe((turns, lobes), 40.0, 12.0 + seed[3] % 5, seed[5] / 256))
    return ET.tostring(svg, encoding="unicode")


def unsealed() -> str:
    """Return the mark of an entry that waits for its place: an empty ring."""
    svg = _svg("rosette", f"0 0 {_SIZE} {_SIZE}")
    ring = "M60 4a56 56 0 1 1 -0.01 0ZM60 22a38 38 0 1 1 -0.01 0Z"
    _path(svg, ring, "unsealed")
    return ET.tostring(svg, encoding="unicode")


def band(root: bytes) -> str:
    """Return a strip of engraving drawn from a tree's root, for the foot of a page."""
    seed = _seed(root)
    height, length, wave = 28.0, 2600.0, 44.0 + seed[0] % 24
    first, second = 5.0 + seed[1] % 4, 1.5 + seed[2] % 4
    turn = math.tau * seed[3] / 256

    def wavy(x: float) -> Point:
        t = math.tau * x / wave
        # Both terms share the period, so that three shifted copies interlace.
        y = first * math.sin(t) + second * math.sin(2 * t + turn)
        return x, height / 2 + y

    svg = _svg("band", f"0 0 2400 {height:.0f}")
    svg.set("preserveAspectRatio", "xMidYMid slice")
    line = _smooth(wavy, -100.0, length, round((length + 100.0) / wave) * 4)
    ET.SubElement(svg, "path", id="band-line", d=line)
    for shift in (wave / 3, 2 * wave / 3):
        ET.SubElement(svg, "use", href="#band-line", x=f"{-shift:.1f}")
    return ET.tostring(svg, encoding="unicode")


def _svg(name: str, view_box: str) -> ET.Element:
    # The text beside the mark says all it shows: assistive tools pass it over.
    return ET.Element(
        "svg",
        {
            "class": name,
            "viewBox": view_box,
            "aria-hidden": "true",
            "focusable": "false",
        },
    )


def _path(svg: ET.Element, line: str, name: str | None = None) -> None:
    path = ET.SubElement(svg, "path", d=line)
    if name:
        path.set("class", name)


def _seed(value: bytes) -> bytes:
    # Hashed once more: leaf hashes of a test or a demo may share their first bytes.
    return hashlib.sha256(b"gemmule/rosette/v1" + value).digest()


def _edge(leaf_hash: bytes) -> str:
    strokes = []
    digits = leaf_hash.hex()
    for place, digit in enumerate(digits):
        angle = math.tau * place / len(digits) - math.pi / 2
        inside = _EDGE - 1.5 - int(digit, 16) * 0.4
        start, end = _polar(_EDGE, angle), _polar(inside, angle)
        strokes.append(f"M{_pair(start)}L{_pair(end)}")
    return "".join(strokes)


def _lathe(gear: tuple[int, int], radius: float, swing: float, phase: float) -> str:
    turns, lobes = gear

    def curve(t: float) -> Point:
        r = radius + swing * math.cos(lobes * t / turns)
        return _polar(r, t + math.tau * phase)

    return _smooth(curve, 0.0, math.tau * turns, lobes * 4) + "Z"


def _smooth(curve: Curve, start: float, end: float, pieces: int) -> str:
    """Return a path of `pieces` cubics through the curve, tangents by difference.

    With equal steps each control point mirrors the one before it, so that the
    short form `S` holds: half the bytes of `C`.
    """
    step = (end - start) / pieces
    points = [curve(start + step * i) for i in range(pieces + 1)]
    handles = [_tangent(curve, start + step * i, step) for i in range(pieces + 1)]
    (x, y), (dx, dy) = points[0], handles[0]
    path = [f"M{_pair((x, y))}C{_pair((x + dx, y + dy))}"]
    for (x, y), (dx, dy) in zip(points[1:], handles[1:], strict=True):
        path.append(f" {_pair((x - dx, y - dy))} {_pair((x, y))}S")
    return "".join(path).removesuffix("S")


def _tangent(curve: Curve, t: float, step: float) -> Point:
    near = step / 100
    (x0, y0), (x1, y1) = curve(t - near), curve(t + near)
    scale = step / 3 / (2 * near)
    return (x1 - x0) * scale, (y1 - y0) * scale


def _polar(radius: float, angle: float) -> Point:
    return _CENTRE + radius * math.cos(angle), _CENTRE + radius * math.sin(angle)


def _pair(point: Point) -> str:
    return f"{_short(point[0])} {_short(point[1])}"


def _short(value: float) -> str:
    # One decimal of 120 units is a fifth of a pixel at the largest size in use.
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")
