"""Draw the newest edge of the ledger: its last entries as a chain, the tree above it.

What is drawn is the tree of the current size (RFC 6962 section 2.1), each branch that
holds none of those entries folded into one triangle. Says nothing of what an entry
records. Leaves colour to the stylesheet and the exact hashes to the page around it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from django.utils.safestring import SafeString, mark_safe

SHOWN = 3

_LEFT, _BLOCK, _GAP = 84, 92, 22
_WIDTH = _LEFT + SHOWN * _BLOCK + (SHOWN - 1) * _GAP + 2
_TALL = 62  # A block.
_STEP = 48  # From one level of the tree to the next.
_TOP = 38  # Room for the root's label.
_RISE = 40  # From a block up to its leaf.


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One entry of the chain, by its index and the hash of its bytes."""

    seq: int
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf that is shown: `place` among the shown ones, from the left."""

    place: int


@dataclass(frozen=True, slots=True)
class Fork:
    """A node with shown leaves on both sides."""

    left: "Shape"
    right: "Shape"


@dataclass(frozen=True, slots=True)
class Behind:
    """Nodes, from the top, each with a folded branch of `folded` entries on its left.

    The branches follow each other in the log: the first entry of the first is the
    first one below this node.
    """

    folded: tuple[int, ...]
    inner: "Shape"


Shape = Leaf | Fork | Behind


def shape(size: int) -> Shape:
    """Return the tree of `size` entries (at least 1) with the earlier ones folded.

    >>> shape(5)
    Fork(left=Behind(folded=(2,), inner=Fork(left=Leaf(place=0), right=Leaf(place=1))), right=Leaf(place=2))
    """  # noqa: E501 - one value on one line
    return _shape(0, size, max(size - SHOWN, 0))


def _shape(start: int, stop: int, first: int) -> Shape:
    if stop - start == 1:
        return Leaf(start - first)
    # The largest power of two below the number of leaves, RFC 6962 section 2.1.
    middle = start + (1 << (stop - start - 1).bit_length() - 1)
    right = _shape(middle, stop, first)
    if middle > first:
        return Fork(_shape(start, middle, first), right)
    if isinstance(right, Behind):
        return Behind((middle - start, *right.folded), right.inner)
    return Behind((middle - start,), right)


def picture(*, blocks: Sequence[Block], size: int, root: bytes) -> SafeString:
    """Return the SVG of the last entries of a log of `size` and the tree to `root`.

    `blocks` are the last entries in order, as many as there are up to SHOWN.
    """
    assert size > 0, "an empty log has no edge"
    assert len(blocks) == min(size, SHOWN), "the last entries, all of them"
    tree = shape(size)
    floor = _TOP + _STEP * _height(tree) + 8
    svg = ET.Element(
        "svg",
        {
            "class": "edge",
            "viewBox": f"0 0 {_WIDTH} {floor + _RISE + _TALL + 4}",
            "role": "img",
            "aria-labelledby": "edge-title",
            "aria-describedby": "edge-desc",
        },
    )
    ET.SubElement(svg, "title", id="edge-title").text = "The newest edge of the ledger"
    ET.SubElement(svg, "desc", id="edge-desc").text = _description(blocks, size, root)
    lines = ET.SubElement(svg, "g", {"class": "edge-lines"})
    x, y = _draw(svg, lines, tree)
    _dot(svg, x, y, 9, "edge-root")
    _text(svg, x, y - 18, f"root {_short(root)}", anchor="middle")
    for place, block in enumerate(blocks):
        _block(svg, lines, place, block, floor + _RISE, is_first=not block.seq)
    # ElementTree has escaped every number on the way.
    return mark_safe(ET.tostring(svg, encoding="unicode"))  # noqa: S308


def _description(blocks: Sequence[Block], size: int, root: bytes) -> str:
    words = [
        f"Below, the last {len(blocks)} of {size:,} entries stand in a row, numbers "
        f"{blocks[0].seq:,} to {blocks[-1].seq:,}. An arrow leads from each to the one "
        "before it, whose hash it holds."
        if len(blocks) > 1
        else f"Below stands entry {blocks[0].seq:,}, the only one."
    ]
    words.append(
        "Above, the hash of each is a leaf of a tree; pairs are hashed together, step "
        f"by step, up to the root {_short(root)}."
    )
    if size > len(blocks):
        words.append(
            f"The {size - len(blocks):,} earlier entries come in from the left as "
            f"{_folded(shape(size))} more."
        )
    return " ".join(words)


def _folded(tree: Shape) -> str:
    count = sum(len(one.folded) for one in _behinds(tree))
    return "one hash" if count == 1 else f"{count} hashes"


def _behinds(tree: Shape) -> Iterator[Behind]:
    if isinstance(tree, Behind):
        yield tree
        yield from _behinds(tree.inner)
    elif isinstance(tree, Fork):
        yield from _behinds(tree.left)
        yield from _behinds(tree.right)


def _height(tree: Shape) -> int:
    if isinstance(tree, Leaf):
        return 0
    if isinstance(tree, Behind):
        return 1 + _height(tree.inner)
    return 1 + max(_height(tree.left), _height(tree.right))


def _draw(svg: ET.Element, lines: ET.Element, tree: Shape) -> tuple[float, float]:
    """Draw a tree whose top is the root; return where its top stands."""
    whole = _height(tree)

    def draw(one: Shape) -> tuple[float, float]:
        y = float(_TOP + _STEP * (whole - _height(one)))
        if isinstance(one, Leaf):
            x = _LEFT + one.place * (_BLOCK + _GAP) + _BLOCK / 2
            _dot(svg, x, y, 5, "edge-leaf")
            return x, y
        if isinstance(one, Fork):
            below = [draw(one.left), draw(one.right)]
            x = sum(point[0] for point in below) / 2
        else:
            below = [draw(one.inner)]
            x = below[0][0]
            _triangle(svg, lines, (x, y), one.folded)
        for point in below:
            _line(lines, (x, y), point)
        _dot(svg, x, y, 5, "edge-node")
        return x, y

    return draw(tree)


def _triangle(
    svg: ET.Element,
    lines: ET.Element,
    node: tuple[float, float],
    folded: tuple[int, ...],
) -> None:
    top = (_LEFT / 2 - 16, node[1] + 18)
    _line(lines, node, top)
    x, y = top
    ET.SubElement(
        svg,
        "path",
        {"d": f"M{x:g} {y:g}l-20 26h40z", "class": "edge-folded"},
    )
    _text(svg, x + 24, y + 24, f"{sum(folded):,}", class_="edge-small")


def _block(
    svg: ET.Element,
    lines: ET.Element,
    place: int,
    block: Block,
    top: float,
    *,
    is_first: bool,
) -> None:
    x = _LEFT + place * (_BLOCK + _GAP)
    middle = x + _BLOCK / 2
    _line(lines, (middle, top), (middle, top - _RISE - 8))
    ET.SubElement(
        svg,
        "rect",
        {
            "x": str(x),
            "y": f"{top:g}",
            "width": str(_BLOCK),
            "height": str(_TALL),
            "class": "edge-block",
        },
    )
    _text(svg, middle, top + 19, "entry", anchor="middle", class_="edge-small")
    _text(svg, middle, top + 37, f"{block.seq:,}", anchor="middle", class_="value")
    _text(
        svg,
        middle,
        top + 54,
        _short(block.leaf_hash),
        anchor="middle",
        class_="edge-hash",
    )
    if not is_first:
        # The arrow of `prev`: to the block before, or out of the picture.
        tip, y = x - _GAP + 1, top + _TALL / 2
        _line(lines, (x, y), (tip, y))
        head = {"d": f"M{tip + 7:g} {y - 5:g}l-7 5l7 5", "class": "edge-arrow"}
        ET.SubElement(svg, "path", head)


def _line(
    lines: ET.Element, start: tuple[float, float], end: tuple[float, float]
) -> None:
    d = f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}"
    ET.SubElement(lines, "path", {"d": d})


def _dot(svg: ET.Element, x: float, y: float, radius: int, class_: str) -> None:
    ET.SubElement(
        svg,
        "circle",
        {"cx": f"{x:g}", "cy": f"{y:g}", "r": str(radius), "class": class_},
    )


def _text(
    svg: ET.Element,
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    class_: str = "",
) -> None:
    element = ET.SubElement(
        svg, "text", {"x": f"{x:g}", "y": f"{y:g}", "text-anchor": anchor}
    )
    if class_:
        element.set("class", class_)
    element.text = text


def _short(value: bytes) -> str:
    text = value.hex()
    return f"{text[:4]}…{text[-4:]}"
