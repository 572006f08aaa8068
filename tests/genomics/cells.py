"""Draw FORMAT and the cells of a record, sound and odd."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.genomics.values import TELLERS, genotypes_in_order

NUMBERED = {"AD": "R", "PL": "G", "GL": "G", "GP": "G", "DS": "A", "EC": "A"}
PLAIN = ("DP", "GQ", "PS", "FT", "GD", "UNLISTED", "HDS", "CN")
SETS = ("PSL", "PSO", "PSQ")
# Names of phase sets as Integer, and as String: some are places, people or lists.
SET_NUMBERS = ("0", "1", "5", "4005", "1048571", "9223372036854775808")
SET_NAMES = (*SET_NUMBERS, "PATMAT", "HOMVAR", "S1", "5_A_C", "05", "1,2", "-7")
LOCAL = ("LAA", "LAD", "LPL", "LGL")
_ORDER = ["AD", "DP", "GQ", "PL", "GL", "GP", "DS", "HDS", "CN", "PS", "FT"]
# FORMAT of records without GT whose values tell the carriers, and without any.
_TELLING = (
    ["DS"],
    ["DS", "GP"],
    ["GP"],
    ["HDS", "DS", "AD"],
    ["HDS"],
    ["CN"],
    ["CN", "GP", "PL"],
    ["EC"],
    ["LAA", "LEC", "LAD"],
    ["LGT", "LAA", "LAD", "LPL", "LGP"],
    ["LGT", "LA", "LAD", "LPL", "GP"],
)
_SILENT: tuple[list[str], ...] = ([], ["DP"], ["AD", "DP"], ["LGT"], ["LAA", "LAD"])
_LOCAL_NUMBER = {"LAD": "R", "LPL": "G", "LGL": "G", "LGP": "G", "LEC": "A"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a record is to be like; `ploidy` gives that of the next person.

    `sets` are the names that PS may have; where records are `phased`, most have one of
    two of them.
    """

    kind: str
    contig: str
    mates: Sequence[str]
    pos: int
    people: int
    version: str
    ploidy: Callable[[], int]
    sets: Sequence[str] = SET_NAMES
    is_phased: bool = False


def draw_keys(rng: random.Random, shape: Shape) -> list[str]:
    """Return the keys of FORMAT."""
    form = rng.random()
    if shape.is_phased and form < 0.8:
        return rng.choice([["GT", "PS"], ["GT", "PS"], ["GT", "DP", "PS", "FT"]])
    if form < 0.25:
        return ["GT"]
    if form < 0.35:  # as phasing tools leave them
        return rng.choice([["GT", "PS"], ["GT", "DP", "PS", "FT"], ["GT", *SETS]])
    if form < 0.6:  # in the order of releases, so that cells may be copied
        return ["GT", *(key for key in _ORDER if rng.random() < 0.5)]
    if form < 0.65:
        return list(rng.choice(_SILENT))
    if form < 0.8:
        return list(rng.choice(_TELLING))
    keys = rng.sample([*NUMBERED, *PLAIN], rng.randint(0, 8))
    if rng.random() < 0.15:
        keys += rng.sample(SETS, rng.randint(1, 3))
    if shape.version == "4.5" and rng.random() < 0.5:
        keys += [*LOCAL[rng.random() < 0.1 :]]
    elif rng.random() < 0.2:
        keys += ["LA", "LAD", "LGP", *rng.choice([[], ["LGT"]])]
    return ["GT", *keys]


def draw_cells(
    rng: random.Random, shape: Shape, keys: list[str], alts: int
) -> list[str]:
    if not keys:
        return ["."] * shape.people
    is_rough = rng.random() < 0.5
    marks = "|" if shape.is_phased else rng.choice(["/", "|", "/|"])
    common = rng.random() < 0.3  # the ALT alleles of some people only
    return [
        _cell(
            rng,
            shape,
            keys,
            0 if common and rng.random() < 0.6 else alts,
            alts,
            marks,
            is_rough=is_rough,
        )
        for _ in range(shape.people)
    ]


def _cell(
    rng: random.Random,
    shape: Shape,
    keys: list[str],
    highest: int,
    alts: int,
    marks: str,
    *,
    is_rough: bool,
) -> str:
    ploidy = shape.ploidy()
    genotype = _genotype(rng, shape, ploidy, highest, marks, is_rough=is_rough)
    if keys[0] == "GT" and genotype in (".", ""):
        ploidy = rng.choice([1, 2])
    local = rng.sample(range(1, alts + 1), rng.randint(0, min(alts, 3)))
    values = []
    for key in keys:
        if key == "GT":
            values.append(genotype)
        elif key == "LGT":
            rest = rng.choice([len(local), len(local), alts])
            values.append(_genotype(rng, shape, ploidy, rest, marks, is_rough=is_rough))
        else:
            values.append(_value(rng, shape, key, alts, ploidy, local, is_rough))
    if is_rough and rng.random() < 0.3:
        values = values[: rng.randint(1, len(values))]
    return ":".join(values)


def _genotype(
    rng: random.Random,
    shape: Shape,
    ploidy: int,
    highest: int,
    marks: str,
    *,
    is_rough: bool,
) -> str:
    missing = 0.25 if is_rough else 0.02
    if is_rough and rng.random() < 0.1:
        return rng.choice([".", "./.", ".|."])
    text = ""
    for _ in range(ploidy):
        allele = str(rng.choice([0, rng.randint(0, highest)]))
        text += rng.choice(marks) + ("." if rng.random() < missing else allele)
    is_leading = shape.version in ("4.4", "4.5") and rng.random() < 0.05
    return text if is_leading else text[1:]


def _value(
    rng: random.Random,
    shape: Shape,
    key: str,
    alts: int,
    ploidy: int,
    local: Sequence[int],
    is_rough: bool,
) -> str:
    if key == "PS" and shape.is_phased and rng.random() < 0.9:
        return rng.choice(shape.sets[-2:])
    if key == "PS":
        return rng.choice([".", rng.choice(shape.sets), rng.choice(shape.sets[:3])])
    if key in SETS:
        return _list_of_sets(rng, key, ploidy)
    if is_rough and rng.random() < 0.2:
        return rng.choice([".", ".", ".,.", "1,2,3,4,5"]) if key != "FT" else "."
    match key:
        case "LAA":
            return ",".join(map(str, local)) or "."
        case "LA":
            return (
                ",".join(map(str, [0, *local] if rng.random() < 0.9 else local)) or "."
            )
        case "FT":
            return rng.choice(["PASS", "q10", "q10;s50"])
        case "UNLISTED":
            return "secret"
        case "GQ" | "GD":
            return rng.choice(["35", "35.25", "1e1"])
        case "CN":
            return rng.choice(["0", "1", "2", "3", "2.0", "1.4", "1.6", "x", "."])
        case "HDS":
            dosages = ["0", "0.01", "0.24", "0.5", "0.98", "1", "."]
            return ",".join(rng.choices(dosages, k=alts * ploidy)) or "."
        case "DP":
            return str(rng.randint(0, 99))
    number = _LOCAL_NUMBER.get(key) or NUMBERED[key]
    count = len(local) if key[0] == "L" else alts
    size = {"A": count, "R": count + 1}.get(number)
    if size is None:
        size = len(genotypes_in_order(count, min(ploidy, 2)))
        if ploidy > 2:
            size = rng.choice([size, len(genotypes_in_order(count, ploidy))])
    if is_rough and rng.random() < 0.1:
        size += rng.choice([-1, 1])
    if key in ("GP", "LGP") and rng.random() < 0.9:
        return _probabilities(rng, size)
    if key == "DS" and rng.random() < 0.9:
        return ",".join(rng.choices(["0", "0.49", "0.5", "1", "1.98"], k=size)) or "."
    is_float = key in ("GL", "GP", "DS", "LGL", "LGP")
    items = [
        f"-{rng.randint(0, 9)}.{rng.randint(0, 9)}"
        if is_float
        else str(rng.randint(0, 99))
        for _ in range(size)
    ]
    if is_rough and items and rng.random() < 0.1:
        items[0] = "."
    return ",".join(items) or "."


def _list_of_sets(rng: random.Random, key: str, ploidy: int) -> str:
    """Return an entry for each allele: mostly of one set, sometimes too few."""
    if rng.random() < 0.3:
        return "."
    size = ploidy if rng.random() < 0.9 else rng.randint(1, 4)
    if key != "PSL":
        return ",".join(str(rng.randint(1, 9)) for _ in range(size))
    names = ["a", "1*5*1"] if rng.random() < 0.3 else [rng.choice(["a", "b", "5"])]
    gaps = [*names, "."] if rng.random() < 0.2 else names
    return ",".join(rng.choice(gaps) for _ in range(size))


def _probabilities(rng: random.Random, size: int) -> str:
    """Return entries that sum to 1, or near it, or not, or are scaled by Phred."""
    if not size:
        return "."
    if rng.random() < 0.3:
        phred = [rng.choice(["1.5", "39.9", "99", "450", "0.4"]) for _ in range(size)]
        phred[rng.randrange(size)] = rng.choice(["0", "0.00022", "1"])
        return ",".join(phred)
    weights = [rng.choice([0, 0, 0, 1, 5, 90]) for _ in range(size)]
    weights[rng.randrange(size)] += 7
    total = sum(weights) * rng.choice([1, 1, 1, 1.001, 1.5])
    return ",".join(f"{weight / total:.3g}" for weight in weights)


def is_telling(line: str) -> bool:
    """Whether a record's FORMAT tells who carries an allele."""
    keys = set(line.split("\t")[8].split(":"))
    has_local = bool(keys & {"LGT", "LEC"}) and bool(keys & {"LAA", "LA"})
    return has_local or bool(keys & {"GT", *TELLERS})
