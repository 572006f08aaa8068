"""One record of a made-up upload: alleles of every kind, and cells of every make."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from tests.genomics.cells import Shape, draw_cells, draw_keys

KINDS = (
    "snv",
    "multi",
    "indel",
    "padded",
    "star",
    "many",
    "deletion",
    "symbolic",
    "breakend",
    "reference",
    "none",
    "wide",
    "join",
    "copies",
)


def pair(rng: random.Random, shapes: Sequence[Shape]) -> list[str]:
    """Return the lines of mates, one of which may say more than the other.

    They name each other by place, by id, or both.
    """
    number = rng.randrange(100)
    lines = []
    for side, shape in enumerate(shapes):
        other = shapes[1 - side]
        is_named = rng.random() < 0.7
        place = f"{other.contig}:{other.pos if is_named else other.pos + 3}"
        alt = rng.choice([f"A[{place}[", f"]{place}]A", f"A]{place}]", "<BND>"])
        info = [f"DP={number}", "SVTYPE=BND", *_around(rng, shape, 1)]
        if not is_named or rng.random() < 0.3:
            key = rng.choice(["MATEID", "PARID"])
            info.append(f"{key}=m{number}_{1 - side}")
        line = record(rng, replace(shape, kind="snv")).split("\t")
        line[2] = f"m{number}_{side}"
        line[3:5], line[7] = ["A", alt], ";".join(info)
        lines.append("\t".join(line))
    return lines


def ploidies(contig: str, rng: random.Random) -> Callable[[], int]:
    """Return what gives each person's ploidy, as X, Y and MT have it or diploid."""
    if contig in ("X", "Y"):
        return lambda: rng.choice([1, 2, 2])
    if contig in ("MT", "chrM"):
        return lambda: 1
    if rng.random() < 0.75:
        return lambda: 2
    return lambda: rng.choice([1, 2, 2, 2, 3, 4])


def record(rng: random.Random, shape: Shape) -> str:
    """Return the line of a record."""
    ref, alts, info = _alleles(rng, shape)
    info += rng.choice([[], ["DP=77"], ["MAPQ=60", "AC=9"], ["AF=0.1;DB"]])
    keys = draw_keys(rng, shape)
    cells = draw_cells(rng, shape, keys, len(alts))
    return "\t".join(
        [
            shape.contig,
            str(shape.pos),
            rng.choice([".", "rs12", "x1;rs5;rs6", "cosmic;é"]),
            ref,
            ",".join(alts) or ".",
            rng.choice([".", "12.5", "1e3"]),
            rng.choice([".", "PASS", "q10", "q10;s50"]),
            ";".join(info) or ".",
            ":".join(keys) or ".",
            *cells,
        ]
    )


def _bases(rng: random.Random, size: int) -> str:
    # Two letters, so that alleles often begin and end alike.
    return "".join(rng.choices("AC", k=size))


def _distinct(rng: random.Random, ref: str, count: int, longest: int) -> list[str]:
    found: list[str] = []
    size = 1
    while len(found) < count:
        alt = _bases(rng, rng.randint(1, max(longest, size)))
        if alt not in (ref, *found):
            found.append(alt)
        size += 1
    return found


def _alleles(rng: random.Random, shape: Shape) -> tuple[str, list[str], list[str]]:
    """Return REF, ALT and the INFO that belongs to them."""
    ref = _bases(rng, 1)
    match shape.kind:
        case "snv":
            around = _around(rng, shape, 1) if rng.random() < 0.1 else []
            return rng.choice("AGa"), [rng.choice("CTc")], around
        case "multi":
            return "A", rng.sample("CGT", rng.randint(2, 3)), []
        case "indel":
            ref = _bases(rng, rng.randint(1, 6))
            return ref, _distinct(rng, ref, rng.randint(1, 3), 6), []
        case "padded":
            # A tail that a long deletion of somebody brought, or a head.
            head, tail = (
                _bases(rng, rng.randint(0, 12)),
                _bases(rng, rng.randint(0, 40)),
            )
            some = _distinct(rng, ref, rng.randint(1, 3), 2)
            alts = [head + alt + tail for alt in some]
            whole = head + ref + tail
            if whole[0] not in (whole, *alts):
                alts.append(whole[0])
            return whole, alts, []
        case "star":
            return ref, rng.sample(["*", *_distinct(rng, ref, 2, 3)], 3), []
        case "many":
            return ref, _distinct(rng, ref, rng.randint(9, 12), 5), []
        case "wide":
            ref = _bases(rng, rng.randint(800, 3000))
            return ref, [ref[0], ref[:-1] + "G"], []
        case "deletion":
            size = rng.choice([5, 60, 900])
            found = _extent(rng, shape.pos, [-size])
            if rng.random() < 0.2 and len(found) == 3:
                found[1] = rng.choice(["SVLEN=-1", "SVLEN=0", "SVLEN=-2000"])
            return ref, ["<DEL>"], found + _around(rng, shape, 1)
        case "symbolic":
            return _symbolic(rng, shape, ref)
        case "breakend":
            alts = _breakends(rng, shape, ref)
            return ref, alts, ["SVTYPE=BND", *_around(rng, shape, len(alts))]
        case "join":
            alt = rng.choice(["<BND>", "<CTX>", "<TRA>", "<CPX>", "<INS>"])
            others = rng.choice([[], [], ["G"], ["<DEL>"]])
            info = rng.choice([[], ["SVTYPE=BND"], [f"SVTYPE={alt.strip('<>')}"]])
            ends = [f"END={shape.pos + rng.choice([-40, 0, 900, 1 << 20])}"]
            info += rng.choice([[], ends])
            return ref, [alt, *others], info + _around(rng, shape, 1 + len(others))
        case "copies":
            alts = rng.sample(["<CN0>", "<CN2>", "<CN3>", "<STR20>"], rng.randint(1, 3))
            found = _extent(rng, shape.pos, [300] * len(alts))
            if rng.random() < 0.3:
                found = [f"END={shape.pos + 300}", "SVLEN=300", "SVTYPE=CNV"]
            return ref, alts, found
        case "reference":
            alts = rng.choice([["<NON_REF>"], ["C", "<NON_REF>"], ["<*>"]])
            return "A", alts, rng.choice([[], [f"END={shape.pos + 40}"]])
    return ref, [], []


def _symbolic(
    rng: random.Random, shape: Shape, ref: str
) -> tuple[str, list[str], list[str]]:
    named = {"<DUP>": 70, "<INS>": 31, "<CNV>": 500, "<INV>": 12, "<DEL:ME>": -45}
    alts = rng.sample(sorted(named), rng.randint(1, 3))
    sizes: list[int | None] = [named[alt] for alt in alts]
    if rng.random() < 0.5:
        alts.append("G")
        sizes.append(None)
    return ref, alts, _extent(rng, shape.pos, sizes)


def _extent(rng: random.Random, pos: int, sizes: Sequence[int | None]) -> list[str]:
    """Return END and SVLEN, or one of them, or neither."""
    longest = max(abs(size or 0) for size in sizes)
    lengths = ",".join("." if size is None else str(size) for size in sizes)
    found = [f"END={pos + longest}", f"SVLEN={lengths}", "SVTYPE=DEL"]
    if rng.random() < 0.1:
        found[1] = "SVLEN=7,8,9,10,11"  # of nobody
    return rng.choice([found, found[:1], found[1:], found[2:], []])


def _around(rng: random.Random, shape: Shape, alts: int) -> list[str]:
    """Return INFO that says how unsure a place is, or names another one."""

    def interval(key: str) -> str:
        count = rng.choice([1, 1, 1, alts])
        items = [f"{-rng.randint(0, 60)},{rng.randint(0, 60)}" for _ in range(count)]
        return f"{key}={','.join(items)}"

    # Names that INFO can hold.
    mate = rng.choice(["3", *(name for name in shape.mates if ";" not in name)])
    place = rng.choice([5, 4005, 1 << 20])
    choices = [
        [interval("CIPOS")],
        [interval("CIEND")],
        [interval("CIPOS95"), interval("CIEND95")],
        [f"CHR2={mate}", f"END2={place}"],
        [f"CHR2={mate}", f"{rng.choice(['END2', 'POS2'])}={place + 9}"],
        [f"CHR2={mate}"],
        [f"POS2={place}"],
        [f"SOURCE=INV_{mate}:{place}-{place + 20}"],
        [f"PARTS=DEL_{mate}:{place + 9}-{place},x_9:1-2"],
    ]
    found = {}
    for entries in rng.sample(choices, rng.choice([0, 1, 1, 2])):
        found.update(dict(entry.split("=", 1) for entry in entries))
    return [f"{key}={value}" for key, value in found.items()]


def _breakends(rng: random.Random, shape: Shape, ref: str) -> list[str]:
    mate = f"{rng.choice([*shape.mates, '<ctg1>'])}:{rng.choice([5, 4005, 1 << 20])}"
    forms = [
        f"{ref}[{mate}[",
        f"{ref}]{mate}]",
        f"]{mate}]{ref}",
        f"[{mate}[GG{ref}",
        f"{ref}.",
        f".{ref}",
    ]
    return rng.sample(forms, rng.randint(1, 2)) + rng.choice([[], ["T"]])


def call_set(rng: random.Random, names: Sequence[str], records: int) -> str:
    """Return VCF text of two contigs with records of every kind, in three windows."""
    version = rng.choice(["4.2", "4.4"])
    lines = [f"##fileformat=VCFv{version}"]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines.append("\t".join([*columns, *names]))
    found: list[tuple[Shape, str]] = []
    is_phased = rng.random() < 0.3
    for contig in ("1", "X"):
        places = sorted(rng.sample(range(1, 3 << 20), records))
        for number, pos in enumerate(places):
            shape = Shape(
                kind=KINDS[number % len(KINDS)],
                contig=contig,
                mates=("1", "X"),
                pos=pos,
                people=len(names),
                version=version,
                ploidy=ploidies(contig, rng),
                is_phased=is_phased,
            )
            found.append((shape, record(rng, shape)))
    mates = rng.sample([shape for shape, _ in found], 2)
    replaced = dict(zip(mates, pair(rng, mates), strict=True))
    lines += [replaced.get(shape, line) for shape, line in found]
    return "\n".join([*lines, ""])
