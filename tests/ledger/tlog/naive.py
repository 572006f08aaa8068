"""The tree a second time, as RFC 6962 and RFC 9162 draw it: recursive, slow, plain."""

import hashlib
from collections.abc import Sequence


class Refused(Exception):
    """The proof does not hold."""


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    half = 1
    while half * 2 < size:
        half *= 2
    return half


class NaiveTree:
    """The tree over the data of all leaves."""

    def __init__(self, data: Sequence[bytes]) -> None:
        self._data = data
        self._roots: dict[tuple[int, int], bytes] = {}

    def root(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]), RFC 6962 section 2.1."""
        found = self._roots.get((start, end))
        if found is None:
            found = self._roots[start, end] = self._root(start, end)
        return found

    def _root(self, start: int, end: int) -> bytes:
        if start == end:
            return hashlib.sha256().digest()
        if end - start == 1:
            return hashlib.sha256(b"\x00" + self._data[start]).digest()
        middle = start + split(end - start)
        return node(self.root(start, middle), self.root(middle, end))

    def path(self, index: int, start: int, end: int) -> list[bytes]:
        """PATH(index, D[start:end]), RFC 6962 section 2.1.1."""
        if end - start == 1:
            return []
        half = split(end - start)
        middle = start + half
        if index < half:
            return [*self.path(index, start, middle), self.root(middle, end)]
        return [*self.path(index - half, middle, end), self.root(start, middle)]

    def consistency(
        self, old_size: int, start: int, end: int, is_known: bool = True
    ) -> list[bytes]:
        """SUBPROOF(old_size, D[start:end], is_known), RFC 6962 section 2.1.2."""
        if old_size == end - start:
            return [] if is_known else [self.root(start, end)]
        half = split(end - start)
        middle = start + half
        if old_size <= half:
            path = self.consistency(old_size, start, middle, is_known)
            return [*path, self.root(middle, end)]
        path = self.consistency(old_size - half, middle, end, False)
        return [*path, self.root(start, middle)]


class EqualTree(NaiveTree):
    """The tree whose leaves all hold one datum, however many they are."""

    def __init__(self, datum: bytes) -> None:
        super().__init__([datum])

    def root(self, start: int, end: int) -> bytes:
        # Ranges of one width have one root, and there are few widths.
        return super().root(0, end - start)


def check_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Walk down the tree along the proof; raise Refused where it does not fit."""
    rest = list(proof)

    def walk(index: int, size: int) -> bytes:
        if size == 1:
            return leaf
        half = split(size)
        sibling = _last(rest)
        if index < half:
            return node(walk(index, half), sibling)
        return node(sibling, walk(index - half, size - half))

    if not 0 <= index < size or any(len(each) != 32 for each in (leaf, root, *proof)):
        raise Refused
    if walk(index, size) != root or rest:
        raise Refused


def check_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: list[bytes]
) -> None:
    """Walk down the new tree to the old one; raise Refused where it does not fit."""
    rest = list(proof)

    def walk(old_size: int, size: int, is_known: bool) -> tuple[bytes, bytes]:
        if old_size == size:
            found = old_root if is_known else _last(rest)
            return found, found
        half = split(size)
        sibling = _last(rest)
        if old_size <= half:
            old, new = walk(old_size, half, is_known)
            return old, node(new, sibling)
        old, new = walk(old_size - half, size - half, False)
        return node(sibling, old), node(sibling, new)

    if not 0 < old_size <= new_size or any(len(each) != 32 for each in proof):
        raise Refused
    if walk(old_size, new_size, True) != (old_root, new_root) or rest:
        raise Refused


def _last(rest: list[bytes]) -> bytes:
    if not rest:
        raise Refused
    return rest.pop()
