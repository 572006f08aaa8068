"""The picture of the ledger's newest edge draws the very tree that is signed."""

import hashlib
from xml.etree import ElementTree as ET

import pytest

from gemmule.web import edge
from gemmule.web.edge import Behind, Block, Fork, Leaf, Shape
from ledger.tlog.hashing import LeafHash, leaf_hash, node_hash, root_hash

_SVG = "{http://www.w3.org/2000/svg}"


def leaves_of(size: int) -> list[LeafHash]:
    return [leaf_hash(str(seq).encode()) for seq in range(size)]


def root_of(tree: Shape, leaves: list[LeafHash], start: int, first: int) -> bytes:
    """Return the root of a drawn tree, its folded branches hashed from the leaves."""
    if isinstance(tree, Leaf):
        return leaves[first + tree.place]
    if isinstance(tree, Fork):
        width = size_of(tree.left)
        left = root_of(tree.left, leaves, start, first)
        return node_hash(left, root_of(tree.right, leaves, start + width, first))
    width = tree.folded[0]
    rest = Behind(tree.folded[1:], tree.inner) if tree.folded[1:] else tree.inner
    left = root_hash(leaves[start : start + width])
    return node_hash(left, root_of(rest, leaves, start + width, first))


def size_of(tree: Shape) -> int:
    if isinstance(tree, Leaf):
        return 1
    if isinstance(tree, Fork):
        return size_of(tree.left) + size_of(tree.right)
    return sum(tree.folded) + size_of(tree.inner)


def draw(size: int) -> ET.Element:
    blocks = [
        Block(seq=seq, leaf_hash=hashlib.sha256(str(seq).encode()).digest())
        for seq in range(max(size - edge.SHOWN, 0), size)
    ]
    return ET.fromstring(edge.picture(blocks=blocks, size=size, root=bytes(32)))


@pytest.mark.parametrize("size", [*range(1, 70), 255, 256, 257, 1000])
def test_the_drawn_tree_has_the_root_of_the_log(size: int) -> None:
    leaves = leaves_of(size)
    tree = edge.shape(size)
    assert size_of(tree) == size
    first = max(size - edge.SHOWN, 0)
    assert root_of(tree, leaves, 0, first) == root_hash(leaves)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 41_233, 65_536, 10_000_001])
def test_everything_lies_inside_the_picture(size: int) -> None:
    svg = draw(size)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    for one in svg.iter("circle"):
        assert 0 < float(one.attrib["cx"]) < width
        assert 0 < float(one.attrib["cy"]) < height
    for one in svg.iter("rect"):
        assert float(one.attrib["x"]) >= 0
        assert float(one.attrib["x"]) + float(one.attrib["width"]) <= width
        assert float(one.attrib["y"]) + float(one.attrib["height"]) <= height
    for one in svg.iter("text"):
        assert 0 < float(one.attrib["x"]) < width
        assert 0 < float(one.attrib["y"]) < height


def test_it_says_in_words_what_it_draws() -> None:
    svg = draw(41_233)
    title, told = svg.find("title"), svg.find("desc")
    assert title is not None and told is not None
    assert svg.attrib["aria-labelledby"] == title.attrib["id"]
    assert svg.attrib["aria-describedby"] == told.attrib["id"]
    assert told.text is not None
    assert "numbers 41,230 to 41,232" in told.text
    assert "The 41,230 earlier entries" in told.text
    # 41,233 = 2^15 + 2^13 + 2^8 + 2^4 + 1: three, then 8, 4 and 2 of the sixteen.
    assert "6 hashes" in told.text


def test_the_first_entry_follows_none() -> None:
    assert len(draw(1).findall("path[@class='edge-arrow']")) == 0
    assert len(draw(3).findall("path[@class='edge-arrow']")) == 2
    assert len(draw(4).findall("path[@class='edge-arrow']")) == 3
    told = draw(1).find("desc")
    assert told is not None and told.text is not None
    assert "earlier" not in told.text


@pytest.mark.parametrize(("size", "given"), [(0, 0), (5, 2), (2, 3)])
def test_other_blocks_than_the_last_are_a_defect(size: int, given: int) -> None:
    blocks = [Block(seq=seq, leaf_hash=bytes(32)) for seq in range(given)]
    with pytest.raises(AssertionError):
        edge.picture(blocks=blocks, size=size, root=bytes(32))
