"""What the values of a cell mean, plain and slow: genotypes, carriers, probabilities.

Written apart from the engine, from the documentation of the release job.
"""

import functools
import itertools
import math
import re
from collections.abc import Mapping, Sequence

# What tells carriers where nothing is called.
TELLERS = ("GP", "DS", "HDS", "EC", "CN")

Cell = Mapping[str, str]
Version = tuple[int, int]


def version_of(text: str) -> Version:
    """Return the version that a VCF says in its first line."""
    major, minor = text.partition("\n")[0].removeprefix("##fileformat=VCFv").split(".")
    return int(major), int(minor)


@functools.cache
def genotypes_in_order(alt_count: int, ploidy: int) -> list[tuple[int, ...]]:
    """List genotypes by the recursive rule of VCF 4.3, section 1.6.2."""
    if ploidy == 0:
        return [()]
    return [
        (*rest, last)
        for last in range(alt_count + 1)
        for rest in genotypes_in_order(last, ploidy - 1)
    ]


def probabilities(items: Sequence[str], version: Version) -> list[float] | None:
    """Return what GP or LGP means; None where it means nothing."""
    if not all(map(_is_finite, items)):
        return None
    numbers = [float(item) for item in items]
    is_sum = abs(sum(numbers) - 1) < 0.01 * len(numbers) + 1e-9
    if any(number < 0 for number in numbers):
        return None
    if all(number <= 1 for number in numbers):
        return numbers if is_sum else None
    if is_sum or version >= (4, 3):
        return None
    parts = [math.pow(10, -number / 10) for number in numbers]
    return [part / sum(parts) for part in parts]


def left_of(
    items: Sequence[str], is_kept: Sequence[bool], version: Version
) -> list[str] | None:
    """Return the entries of GP or LGP that stay, as a release writes them."""
    means = probabilities(items, version)
    if means is None:
        return None
    left = list(itertools.compress(means, is_kept))
    is_converted = max(map(float, items)) > 1
    gone = itertools.compress(means, [not kept for kept in is_kept])
    if not is_converted and not any(gone):
        return list(itertools.compress(items, is_kept))
    total = math.fsum(left)
    return [f"{part / total:.6g}" for part in left] if total else None


def listed(cell: Cell, alt_count: int) -> list[str] | None:
    """Return the ALT numbers of LAA or of Hail's LA; None where there is no list."""
    text = cell.get("LAA", cell.get("LA"))
    if text is None:
        return None
    numbers = [] if text in (".", "") else text.split(",")
    if "LAA" not in cell and numbers:
        if numbers[0] != "0":
            return None
        del numbers[0]
    is_sound = set(numbers) <= set(map(str, range(1, alt_count + 1)))
    return numbers if is_sound and len(set(numbers)) == len(numbers) else None


def genotype_of(cell: Cell, keys: Sequence[str], alt_count: int) -> str | None:
    """Return the genotype of a cell, by GT or LGT; None where FORMAT has neither."""
    genotype = cell.get("GT", ".") if "GT" in keys else None
    if genotype is not None and re.search(r"\d", genotype):
        return genotype
    if "LGT" not in keys or not {"LAA", "LA"} & set(keys):
        return genotype
    local = _local_genotype(cell, keys, alt_count)
    return local if genotype is None or re.search(r"\d", local) else genotype


def _local_genotype(cell: Cell, keys: Sequence[str], alt_count: int) -> str:
    every = dict.fromkeys({"LAA", "LA"} & set(keys), ".") | dict(cell)
    numbers = listed(every, alt_count)
    local = cell.get("LGT", ".")
    if numbers is None or not re.fullmatch(r"[/|]?(\d+|\.)([/|](\d+|\.))*", local):
        return "./."
    parts = re.split(r"(\d+)", local)
    if any(int(part) > len(numbers) for part in parts[1::2]):
        return "./."
    parts[1::2] = [
        "0" if part == "0" else numbers[int(part) - 1] for part in parts[1::2]
    ]
    return "".join(parts)


def carried_by(
    cell: Cell, keys: Sequence[str], alts: Sequence[str], version: Version
) -> set[int] | None:
    """Return the ALT numbers a sample has; None where FORMAT tells of no carrier."""
    genotype = genotype_of(cell, keys, len(alts))
    called = {int(number) for number in re.findall(r"\d+", genotype or "")}
    if called:
        return called - {0}
    has_local_counts = "LEC" in keys and bool({"LAA", "LA"} & set(keys))
    if not has_local_counts and not {*TELLERS} & set(keys):
        return None if genotype is None else set()
    counts = cell.get("EC", ".")
    if has_local_counts and counts == ".":
        every = dict.fromkeys({"LAA", "LA"} & set(keys), ".") | dict(cell)
        counts = _spread(cell.get("LEC", "."), listed(every, len(alts)), len(alts))
    ploidy = None
    if genotype not in (None, ".", ""):
        ploidy = len(re.findall(r"\.", genotype or ""))
    told = [
        found
        for found in (
            _by_probabilities(cell.get("GP", "."), len(alts), version, ploidy),
            _by_dosage(cell.get("DS", "."), len(alts)),
            _by_haplotypes(cell.get("HDS", "."), len(alts), ploidy),
            _by_dosage(counts, len(alts)),
        )
        if found is not None
    ]
    if told:
        return set().union(*told) - {0}
    spoken = _copied(alts)
    if genotype is None:
        spoken = spoken or set(range(1, len(alts) + 1))
    return _by_copies(cell.get("CN", "."), alts, spoken) or set()


def _by_probabilities(
    value: str, alt_count: int, version: Version, known: int | None
) -> set[int] | None:
    items = value.split(",")
    means = probabilities(items, version)
    for ploidy in [known] if known else range(1, 9):
        every = genotypes_in_order(alt_count, ploidy)
        if means and len(every) == len(items):
            return set(every[means.index(max(means))])
    return None


def _spread(value: str, numbers: list[str] | None, alt_count: int) -> str:
    items = value.split(",")
    if numbers is None or len(items) != len(numbers):
        return "."
    return ",".join(
        items[numbers.index(str(n))] if str(n) in numbers else "."
        for n in range(1, alt_count + 1)
    )


def _by_dosage(value: str, alt_count: int) -> set[int] | None:
    items = value.split(",")
    if len(items) != alt_count or not _are_numbers(items):
        return None
    return {n for n, item in enumerate(items, 1) if item != "." and float(item) >= 0.5}


def _by_haplotypes(value: str, alt_count: int, known: int | None) -> set[int] | None:
    items = value.split(",")
    ploidy, rest = divmod(len(items), alt_count) if alt_count else (0, 1)
    is_other = known is not None and ploidy != known
    if rest or not 1 <= ploidy <= 8 or is_other or not _are_numbers(items):
        return None
    sums = [0.0] * alt_count
    for place, item in enumerate(items):
        sums[place % alt_count] += 0 if item == "." else float(item)
    return {n for n, total in enumerate(sums, 1) if total >= 0.5}


def _by_copies(value: str, alts: Sequence[str], every: set[int]) -> set[int] | None:
    if not _is_finite(value):
        return None
    if abs(float(value) - 2) < 0.5:
        return set()
    is_loss = float(value) < 2

    def says_other(number: int) -> bool:
        kind = alts[number - 1].strip("<>").split(":")[0]
        if not alts[number - 1].startswith("<"):
            return False
        losses = ("DEL", "CN0")
        is_gain = kind == "DUP" or re.fullmatch(r"CN([2-9]|[1-9]\d+)", kind)
        return bool(is_gain) if is_loss else kind in losses

    return {number for number in every if not says_other(number)} or every


def _copied(alts: Sequence[str]) -> set[int]:
    kinds = r"<(DEL|DUP|CNV|CN\d+)(:[^>]*)?>"
    return {n for n, alt in enumerate(alts, 1) if re.fullmatch(kinds, alt)}


def _are_numbers(items: Sequence[str]) -> bool:
    return set(items) != {"."} and all(i == "." or _is_finite(i) for i in items)


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
