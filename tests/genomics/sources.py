"""Made-up call sets: what some people carry, told with or without other people.

`people` makes included donors and what they carry. `told_with_strangers` writes the
same as a joint call set in which others stand too: their columns anywhere, their own
sites, their own alleles in shared records (with the padding and the longer value lists
that these bring), cohort statistics and header lines about them.
"""

import dataclasses
import random

REFERENCE_BASES = 4000
SECRET_BASES = "GATTACAGATTACA"  # an insertion only strangers carry
STRANGER = "Stranger"


@dataclasses.dataclass(slots=True)
class Variant:
    """One record before it is written; genotypes hold allele numbers or None."""

    contig: str
    pos: int  # 1-based
    ref: str
    alts: list[str]
    lengths: list[str]  # SVLEN of each ALT, "." for bases
    genotypes: dict[str, tuple[str, list[int | None]]]  # marks, alleles
    values: dict[str, dict[str, object]]  # sample -> key -> scalar or by allele(s)
    id: str = "."


@dataclasses.dataclass(slots=True)
class People:
    """Included donors and everything the release may tell of them."""

    names: list[str]
    reference: dict[str, str]
    variants: list[Variant]


def people(
    rng: random.Random,
    *,
    contigs: int = 2,
    sites: int = 12,
    ploidies: tuple[int, ...] = (2, 2, 2, 1, 3),
) -> People:
    """Make included donors with every kind of allele and of genotype."""
    names = [f"Donor{n}" for n in range(rng.randint(1, 6))]
    reference = {
        str(20 + n): "".join(rng.choices("ACGT", k=REFERENCE_BASES))
        for n in range(contigs)
    }
    variants = []
    for contig, bases in reference.items():
        # Far enough apart for padding not to run into the next site.
        for pos in sorted(rng.sample(range(50, REFERENCE_BASES - 200, 40), sites)):
            variants.append(_variant(rng, contig, bases, pos, names, ploidies))
    return People(names, reference, variants)


def _variant(
    rng: random.Random,
    contig: str,
    bases: str,
    pos: int,
    names: list[str],
    ploidies: tuple[int, ...],
) -> Variant:
    ref, alts, lengths = _alleles(rng, bases, pos)
    variant = Variant(contig, pos, ref, alts, lengths, {}, {})
    variant.id = rng.choice([".", f"rs{rng.randint(1, 10**6)}"])
    # An allele needs a carrier to stay; the others are here to be dropped.
    for name in names:
        ploidy = rng.choice(ploidies)
        alleles: list[int | None] = [
            rng.choice([None, 0, 0, *range(1, len(alts) + 1)]) for _ in range(ploidy)
        ]
        mark = rng.choice("/|")
        variant.genotypes[name] = (mark, alleles)
        variant.values[name] = _values(rng, len(alts), ploidy)
    return variant


def _alleles(
    rng: random.Random, bases: str, pos: int
) -> tuple[str, list[str], list[str]]:
    ref = bases[pos - 1]
    other = rng.choice([base for base in "ACGT" if base != ref])
    kind = rng.randrange(9)
    if kind == 0:
        size = rng.randint(1, 12)
        return bases[pos - 1 : pos + size], [ref], ["."]
    if kind == 1:
        return ref, [ref + "".join(rng.choices("ACGT", k=rng.randint(1, 8)))], ["."]
    if kind == 2:
        longer = bases[pos - 1 : pos + 5]
        return longer, [ref, other + longer[1:], longer + "T"], ["."] * 3
    if kind == 3:
        return ref, [other, "*"], ["."] * 2
    if kind == 4:
        size = rng.randint(20, 300)
        return ref, ["<DEL>"], [str(-size)]
    if kind == 5:
        return ref, ["<DUP:TANDEM>", other], [str(rng.randint(20, 300)), "."]
    if kind == 6:
        return ref, [f"{ref}[21:{rng.randint(1, 3000)}[", "<INS>"], [".", "57"]
    if kind == 7:
        return ref, [f"]20:{rng.randint(1, 3000)}]{ref}"], ["."]
    return ref, [other], ["."]


def _values(rng: random.Random, alts: int, ploidy: int) -> dict[str, object]:
    def number() -> str:
        return str(rng.randint(0, 99))

    values: dict[str, object] = {
        "AD": [number() for _ in range(alts + 1)],
        "DP": number(),
        "GQ": rng.choice([number(), "."]),
        "PL": {slot: number() for slot in slots(alts, ploidy)},
        # Of nobody's: bcftools knows no carrier but by genotypes.
        "DS": [f"0.{rng.randint(0, 4)}{number()}" for _ in range(alts)],
        "FT": rng.choice(["PASS", "."]),
    }
    for key in rng.sample(list(values), rng.randint(0, 3)):
        del values[key]
    return values


def slots(alts: int, ploidy: int) -> list[tuple[int, ...]]:
    """List genotypes in the order of VCF, by the recursive rule."""
    if ploidy == 0:
        return [()]
    return [
        (*rest, last) for last in range(alts + 1) for rest in slots(last, ploidy - 1)
    ]


HEADER = [
    "##fileformat=VCFv4.2",
    '##FILTER=<ID=PASS,Description="All filters passed">',
    '##ALT=<ID=DEL,Description="Deletion">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="End">',
    '##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="Length">',
    '##INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type">',
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="Count">',
    '##INFO=<ID=AN,Number=1,Type=Integer,Description="Called">',
    '##INFO=<ID=AF,Number=A,Type=Float,Description="Frequency">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##INFO=<ID=NS,Number=1,Type=Integer,Description="Samples">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Depths">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Quality">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Likelihoods">',
    '##FORMAT=<ID=DS,Number=A,Type=Float,Description="Dosage">',
    '##FORMAT=<ID=FT,Number=1,Type=String,Description="Filter">',
    '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">',
    '##FORMAT=<ID=UNLISTED,Number=1,Type=String,Description="Not on any list">',
]


def written(
    group: People, *, strangers: int = 0, rng: random.Random | None = None
) -> str:
    """Return VCF text of the included donors, with strangers among them if asked."""
    rng = rng or random.Random(0)
    others = [f"{STRANGER}{rng.randrange(10**6)}x{n}" for n in range(strangers)]
    columns = [*group.names, *others]
    if strangers:
        rng.shuffle(columns)
    header = list(HEADER)
    header += [
        f"##contig=<ID={contig},length={len(bases)}>"
        for contig, bases in group.reference.items()
    ]
    for name in others:
        header.append(f"##SAMPLE=<ID={name},Description=secret-{rng.random()}>")
        header.append(f"##PEDIGREE=<Child={name},Mother={rng.choice(others)}>")
        header.append(f'##CommandLine="call --file /home/{name}.bam"')
    lines = []
    for variant in group.variants:
        lines.append(_with_strangers(rng, group, variant, others))
    if strangers:
        for _ in range(rng.randint(0, 10)):
            lines.append(_private(rng, group, others))
    order = list(group.reference)
    lines.sort(key=lambda item: (order.index(item.contig), item.pos))
    rows = [_row(rng, item, columns, others) for item in lines]
    names = "\t".join(
        [
            *["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"],
            *columns,
        ]
    )
    return "\n".join([*header, names, *rows]) + "\n"


def _with_strangers(
    rng: random.Random, group: People, variant: Variant, others: list[str]
) -> Variant:
    """Return the record as a joint caller writes it once strangers stand in it too."""
    joint = dataclasses.replace(variant, alts=list(variant.alts))
    if not others:
        return joint
    bases = group.reference[variant.contig]
    suffix, prefix = "", ""
    if rng.random() < 0.5:
        after = variant.pos - 1 + len(variant.ref)
        suffix = bases[after : after + rng.randint(1, 15)]
    # Where all alleles end alike, a base further left is another way to tell the same
    # variant, and without the reference no one can know which way came first.
    is_movable = all(
        alt.isalpha() and alt[-1] != variant.ref[-1] for alt in variant.alts
    )
    if is_movable and rng.random() < 0.3:
        prefix = bases[variant.pos - 1 - rng.randint(1, 9) : variant.pos - 1]
    joint.pos -= len(prefix)
    joint.ref = prefix + variant.ref + suffix
    joint.alts = [
        prefix + alt + suffix
        if alt.isalpha()
        else alt + suffix
        if alt.startswith("]")
        else alt
        for alt in variant.alts
    ]
    added = _strangers_alleles(rng, joint.ref)
    # Allele numbers of the included move when strangers' alleles stand among theirs.
    tags = [*range(1, len(joint.alts) + 1), *(-n - 1 for n in range(len(added)))]
    rng.shuffle(tags)
    own = iter(sorted(tag for tag in tags if tag > 0))
    tags = [next(own) if tag > 0 else tag for tag in tags]
    moved = {tag: place for place, tag in enumerate(tags, 1) if tag > 0} | {0: 0}
    alts = [joint.alts[tag - 1] if tag > 0 else added[-tag - 1][0] for tag in tags]
    joint.lengths = [
        variant.lengths[tag - 1] if tag > 0 else added[-tag - 1][1] for tag in tags
    ]
    joint.alts = alts
    joint.genotypes = {
        name: (marks, [None if n is None else moved[n] for n in alleles])
        for name, (marks, alleles) in variant.genotypes.items()
    }
    joint.values = {
        name: _moved(rng, values, moved, len(alts), len(variant.genotypes[name][1]))
        for name, values in variant.values.items()
    }
    for name in others:
        ploidy = rng.choice([1, 2])
        joint.genotypes[name] = (
            rng.choice("/|"),
            [rng.randrange(len(alts) + 1) for _ in range(ploidy)],
        )
        joint.values[name] = _values(rng, len(alts), ploidy) | {
            "UNLISTED": "a",
            "PS": "7",
        }
    return joint


def _strangers_alleles(rng: random.Random, ref: str) -> list[tuple[str, str]]:
    choices = [
        (ref + SECRET_BASES, "."),
        ("<DUP>", "777"),
        ("<DEL>", "-888"),
        ("<NON_REF>", "."),
    ]
    if len(ref) > 1:
        choices.append((ref[0], "."))
    return rng.sample(choices, rng.randint(0, len(choices)))


def _moved(
    rng: random.Random,
    values: dict[str, object],
    moved: dict[int, int],
    alts: int,
    ploidy: int,
) -> dict[str, object]:
    def number() -> str:
        return str(rng.randint(0, 99))

    result: dict[str, object] = dict(values)
    if isinstance(old := values.get("AD"), list):
        by_new = {moved[n]: item for n, item in enumerate(old) if n in moved}
        result["AD"] = [by_new.get(n, number()) for n in range(alts + 1)]
    if isinstance(old := values.get("DS"), list):
        by_new = {moved[n]: item for n, item in enumerate(old, 1) if n in moved}
        result["DS"] = [by_new.get(n, "0.1" + number()) for n in range(1, alts + 1)]
    if isinstance(old := values.get("PL"), dict):
        by_slot = {
            tuple(sorted(moved[n] for n in slot)): item for slot, item in old.items()
        }
        result["PL"] = {
            slot: by_slot.get(slot, number()) for slot in slots(alts, ploidy)
        }
    return result


def _private(rng: random.Random, group: People, others: list[str]) -> Variant:
    """Make a site that only strangers carry."""
    contig = rng.choice(list(group.reference))
    bases = group.reference[contig]
    pos = rng.randrange(1, REFERENCE_BASES - 100)
    ref = bases[pos - 1 : pos - 1 + rng.choice([1, 1, 60])]
    variant = Variant(contig, pos, ref, [ref + SECRET_BASES], ["."], {}, {})
    for name in group.names:
        alleles: list[int | None] = [rng.choice([0, None]), 0]
        variant.genotypes[name] = ("/", alleles)
        variant.values[name] = {"DP": "3"}
    for name in others:
        variant.genotypes[name] = ("/", [1, 1])
        variant.values[name] = {"DP": "4", "UNLISTED": "b"}
    return variant


def _row(
    rng: random.Random, variant: Variant, columns: list[str], others: list[str]
) -> str:
    keys = ["AD", "DP", "GQ", "PL", "DS", "FT"]
    identifier = variant.id
    if others:
        keys += ["PS", "UNLISTED"]
        rng.shuffle(keys)
        identifier = rng.choice([variant.id, f"{variant.id};private{rng.random()}"])
    keys = ["GT", *keys]
    counts = ",".join(str(rng.randint(0, 99)) for _ in variant.alts)
    info = [f"AC={counts}", f"DP={rng.randint(0, 10**6)}"]
    info += [f"AN={rng.randint(0, 999)}", f"NS={rng.randint(0, 999)}"]
    if set(variant.lengths) != {"."}:
        info.append(f"SVLEN={','.join(variant.lengths)}")
        # An insertion's length is no span of the reference.
        sizes = [
            abs(int(length))
            for alt, length in zip(variant.alts, variant.lengths, strict=True)
            if length != "." and alt != "<INS>"
        ]
        info.append(f"END={variant.pos + max(sizes, default=0)}")
        info.append(f"SVTYPE={rng.choice(['DEL', 'CNV']) if others else 'DEL'}")
    rng.shuffle(info)
    fixed = [
        variant.contig,
        str(variant.pos),
        identifier,
        variant.ref,
        ",".join(variant.alts),
        str(rng.randint(1, 99)),
        rng.choice(["PASS", "."]),
        ";".join(info),
        ":".join(keys),
    ]
    return "\t".join([*fixed, *(_cell(variant, name, keys) for name in columns)])


def _cell(variant: Variant, name: str, keys: list[str]) -> str:
    marks, alleles = variant.genotypes[name]
    values = variant.values[name]
    parts = [marks.join("." if n is None else str(n) for n in alleles)]
    for key in keys[1:]:
        value = values.get(key, ".")
        if isinstance(value, dict):
            value = [value[slot] for slot in slots(len(variant.alts), len(alleles))]
        parts.append(",".join(value) if isinstance(value, list) else str(value))
    return ":".join(parts)
