"""The mark of an entry: drawn from the leaf hash, from nothing else, and safely."""

import hashlib
import re
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from gemmule.web import rosette

HASHES = st.binary(min_size=32, max_size=32)
SVG_WORDS = {"svg", "path", "circle", "use"}


def strokes(svg: str) -> list[str]:
    """Return the strokes of the edge as they are written."""
    edge = re.search(r'<path d="([^"]*)"[^>]* class="edge"', svg)
    assert edge is not None
    return re.findall(r"M[^M]+", edge.group(1))


def length(stroke: str) -> float:
    """Return how long a stroke `Mx yldx dy` is."""
    dx, dy = map(int, re.findall(r"-?\d+", stroke.partition("l")[2]))
    return float((dx * dx + dy * dy) ** 0.5)


@given(HASHES)
def test_the_same_hash_gives_the_same_mark(leaf_hash: bytes) -> None:
    assert rosette.rosette(leaf_hash) == rosette.rosette(leaf_hash)


@given(HASHES, st.integers(0, 255))
def test_one_bit_of_the_hash_changes_the_mark(leaf_hash: bytes, bit: int) -> None:
    number = int.from_bytes(leaf_hash, "big") ^ (1 << bit)
    other = number.to_bytes(32, "big")
    assert rosette.rosette(leaf_hash) != rosette.rosette(other)


@given(HASHES)
def test_the_edge_spells_the_hash_digit_by_digit(leaf_hash: bytes) -> None:
    found = strokes(rosette.rosette(leaf_hash))
    assert len(found) == 64
    # A stroke is 15 units and 4 for each of the digit's sixteen values.
    read = "".join(f"{round((length(stroke) - 15) / 4):x}" for stroke in found)
    assert bytes.fromhex(read) == leaf_hash


@given(HASHES)
def test_a_mark_is_well_formed_and_within_its_box(leaf_hash: bytes) -> None:
    for svg in (rosette.rosette(leaf_hash), rosette.small_rosette(leaf_hash)):
        tree = ET.fromstring(svg)
        assert {element.tag for element in tree.iter()} <= SVG_WORDS
        for path in tree.iter("path"):
            for x, y in drawn_points(path.attrib["d"]):
                assert 0 <= x <= 1200
                assert 0 <= y <= 1200


def drawn_points(line: str) -> list[tuple[int, int]]:
    """Return the points that a path of ours passes, in absolute units."""
    points = []
    x = y = 0
    for command, text in re.findall(r"([Mlcs])([^Mlcs]*)", line):
        numbers = [int(n) for n in re.findall(r"-?\d+", text)]
        if command == "M":
            x, y = numbers
        else:
            # `c` closes its segment in the numbers after the first control point.
            x, y = x + numbers[-2], y + numbers[-1]
        points.append((x, y))
    return points


def test_a_curve_ends_where_it_began() -> None:
    svg = rosette.rosette(hashlib.sha256(b"an entry").digest())
    _edge, outer, inner = (path.attrib["d"] for path in ET.fromstring(svg).iter("path"))
    for line in (outer, inner):
        points = drawn_points(line)
        assert points[0] == points[-1]


def test_the_heart_fills_only_once_a_checkpoint_covers_the_entry() -> None:
    leaf_hash = hashlib.sha256(b"an entry").digest()
    assert 'class="heart"' in rosette.rosette(leaf_hash, published=True)
    assert 'class="heart"' not in rosette.rosette(leaf_hash, published=False)


def test_an_entry_without_a_place_has_an_empty_mark() -> None:
    assert "<path" not in rosette.unsealed()


def test_marks_need_no_inline_style_and_stay_small() -> None:
    marks = [hashlib.sha256(bytes([n])).digest() for n in range(64)]
    for mark in marks:
        assert "style" not in rosette.rosette(mark) + rosette.band(mark)
        assert len(rosette.rosette(mark)) < 5_200
        assert len(rosette.small_rosette(mark)) < 1_600
        assert len(rosette.band(mark)) < 4_000
    assert len({rosette.small_rosette(mark) for mark in marks}) == len(marks)
