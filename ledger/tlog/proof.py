"""Make and check inclusion and consistency proofs.

Where the hashes of subtrees are kept is left to the caller, who passes a function.
Source: RFC 6962 section 2.1.1 and 2.1.2 for making, RFC 9162 section 2.1.3.2 and
2.1.4.2 for checking.
"""

import hmac
from collections.abc import Callable, Sequence

from ledger import errors
from ledger.tlog.hashing import EMPTY_ROOT, HASH_BYTES, Frontier, LeafHash, node_hash

# (level, index) -> hash of the perfect subtree over the leaves
# [index << level, (index + 1) << level)
Subtrees = Callable[[int, int], bytes]

# Other implementations count leaves in 64 bits.
MAX_SIZE = 2**64 - 1


def subtrees_of(frontier: Frontier, leaves: Sequence[LeafHash]) -> Subtrees:
    """Return the perfect subtrees known from a frontier and the leaves after it.

    These are all that a consistency proof from `frontier.size` on consists of.
    """
    known = frontier.subtrees()

    def subtree(level: int, index: int) -> bytes:
        found = known.get((level, index))
        if found is None:
            if level == 0:
                found = leaves[index - frontier.size]
            else:
                found = node_hash(
                    subtree(level - 1, 2 * index), subtree(level - 1, 2 * index + 1)
                )
            known[level, index] = found
        return found

    return subtree


def root_of(size: int, subtree: Subtrees) -> bytes:
    """Return the root of the tree of `size` leaves."""
    return _range_hash(0, size, subtree) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, subtree: Subtrees) -> list[bytes]:
    """Return the audit path of leaf `index` in the tree of `size` leaves.

    At most ceil(log2(size)) hashes, from the leaf upwards.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    path = []
    start, end = 0, size
    # PATH(m, D[n]): walk down to the leaf, noting the sibling at each step.
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start = middle
    path.reverse()
    return path


def consistency_proof(old_size: int, new_size: int, subtree: Subtrees) -> list[bytes]:
    """Return the proof that the tree of `old_size` leaves is a prefix of the new one.

    Empty for equal sizes.
    """
    if not 0 < old_size <= new_size:
        raise ValueError(f"no proof leads from {old_size} leaves to {new_size}")
    path = []
    start, end = 0, new_size
    # SUBPROOF(m, D[n], b): walk down to the subtree that ends where the old tree ends.
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(_range_hash(middle, end, subtree))
            end = middle
        else:
            path.append(_range_hash(start, middle, subtree))
            start = middle
    # b is true as long as the walk went left only: the old root is then known.
    if start:
        path.append(_range_hash(start, end, subtree))
    path.reverse()
    return path


def verify_inclusion(
    *, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that `leaf` is leaf `index` of the tree; raise ProofInvalid if not."""
    _check_counts(index, size)
    if index >= size:
        raise errors.ProofInvalid(f"leaf {index} is not in a tree of {size} leaves")
    _check_lengths(leaf, root, *proof)
    node, last, node_leaf = index, size - 1, leaf
    # RFC 9162 section 2.1.3.2
    for sibling in proof:
        if last == 0:
            raise errors.ProofInvalid(
                f"the proof of leaf {index} in {size} is longer than the tree is high"
            )
        if node & 1 or node == last:
            node_leaf = node_hash(sibling, node_leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            node_leaf = node_hash(node_leaf, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise errors.ProofInvalid(f"the proof of leaf {index} in {size} is too short")
    _same(node_leaf, root, f"the proof of leaf {index} in {size} leads to another root")


def verify_consistency(
    *,
    old_size: int,
    old_root: bytes,
    new_size: int,
    new_root: bytes,
    proof: Sequence[bytes],
) -> None:
    """Check that the new tree only adds leaves to the old, or raise ProofInvalid."""
    _check_counts(old_size, new_size)
    step = f"from {old_size} to {new_size} leaves"
    # A tree without leaves is a prefix of every tree: that proves nothing.
    if not 0 < old_size <= new_size:
        raise errors.ProofInvalid(f"no proof can lead {step}")
    if old_size == new_size:
        if proof:
            raise errors.ProofInvalid(f"the proof {step} should be empty")
        _same(old_root, new_root, f"two different roots for {old_size} leaves")
        return
    if not proof:
        raise errors.ProofInvalid(f"the proof {step} is empty")
    _check_lengths(old_root, new_root, *proof)
    # RFC 9162 section 2.1.4.2
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_hash = new_hash = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise errors.ProofInvalid(f"the proof {step} is too long")
        if node & 1 or node == last:
            old_hash = node_hash(sibling, old_hash)
            new_hash = node_hash(sibling, new_hash)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_hash = node_hash(new_hash, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise errors.ProofInvalid(f"the proof {step} is too short")
    _same(old_hash, old_root, f"the proof {step} does not start at the old root")
    _same(new_hash, new_root, f"the proof {step} does not end at the new root")


def _split(size: int) -> int:
    """Return the largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _range_hash(start: int, end: int, subtree: Subtrees) -> bytes:
    """Return MTH(D[start:end]); `start` is a multiple of the range's tree width."""
    node: bytes | None = None
    # Perfect subtrees from the right: the lowest 1 bit of `end` is the smallest.
    while end > start:
        level = (end & -end).bit_length() - 1
        while end - (1 << level) < start:
            level -= 1
        end -= 1 << level
        left = subtree(level, end >> level)
        node = left if node is None else node_hash(left, node)
    assert node is not None, "a range of a proof is never empty"
    return node


def _check_counts(*counts: int) -> None:
    if not all(0 <= each <= MAX_SIZE for each in counts):
        raise errors.ProofInvalid("leaves are counted from 0 to 2^64-1")


def _check_lengths(*hashes: bytes) -> None:
    """Refuse hashes of another length, whose bytes could pass for their neighbours'."""
    if any(len(each) != HASH_BYTES for each in hashes):
        raise errors.ProofInvalid(f"every hash of a proof has {HASH_BYTES} bytes")


def _same(computed: bytes, expected: bytes, otherwise: str) -> None:
    if not hmac.compare_digest(computed, expected):
        raise errors.ProofInvalid(otherwise)
