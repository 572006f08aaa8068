"""How far a record reaches: every statement counts, for withholding and for finding.

`cut` makes every release by the store's text and by its columns.
"""

from pathlib import Path
from typing import Any

import pysam
import pytest

from genomics.errors import IntakeRefused
from genomics.extent import SourceSite
from tests.genomics.release import ANN_AND_CID, Release, cut, source
from tests.genomics.uploads import take_in

CASES = Path("tests/vectors/cases")
BRCA1 = ("17", 43044294, 43125483)
P1_AND_P3 = {"P1": "R0", "P3": "R2"}


def case(name: str, **options: Any) -> Release:
    text = (CASES / name).read_text()
    return cut(text, P1_AND_P3, build="GRCh38", **options)


def cells(release: Release) -> dict[str, list[str]]:
    return {record[1]: record[9:] for record in release.records}


def info(release: Release) -> list[dict[str, str]]:
    return [
        dict(entry.partition("=")[::2] for entry in record[7].split(";"))
        for record in release.records
    ]


def assert_in_brca1(name: str, places: list[str]) -> None:
    """Assert that P1 is masked in these records, that they are found, and closed."""
    masked = cells(case(name, withheld={"P1": (BRCA1,)}))
    assert {place: masked[place][0] for place in places} == dict.fromkeys(places, "./.")
    assert [record[1] for record in case(name, regions=(BRCA1,)).records] == places
    closed = case(name, excluded_regions=(BRCA1,))
    assert not {record[1] for record in closed.records} & set(places)
    assert closed.result.records_withheld == len(places)


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("10-gatksv-chr2-end2/end2.vcf", ["1000000", "2000000"]),
        ("10-gatksv-chr2-end2/pos2.vcf", ["1000000"]),
        (
            "12-svlen-placeholder-against-end/svlen_minus1.vcf",
            [str(43000000 + n) for n in range(4)],
        ),
        ("27-end-on-another-chromosome/end_mate.vcf", ["1000000", "50000000"]),
        ("28-cn-alleles-one-svlen/cn.vcf", ["43000000"]),
        ("38-deletion-in-breakend-notation/del_bnd.vcf", ["43000000", "43200000"]),
        ("38-deletion-in-breakend-notation/del_symbolic.vcf", ["43000000"]),
    ],
)
def test_a_case_that_reaches_into_a_gene_is_masked_found_and_closed(
    name: str, places: list[str]
) -> None:
    assert_in_brca1(name, places)


def test_the_second_position_is_never_looked_for_on_the_wrong_contig() -> None:
    name = "10-gatksv-chr2-end2/end2.vcf"
    for wrong in (("17", 999_990, 1_000_010), ("5", 43_099_990, 43_100_010)):
        assert case(name, regions=(wrong,)).records == []
        assert cells(case(name, withheld={"P1": (wrong,)}))["1000000"][0] == "0/1"


def test_where_length_and_end_differ_a_release_of_an_old_file_states_end() -> None:
    release = case("12-svlen-placeholder-against-end/svlen_minus1.vcf")
    found = info(release)
    assert [each["END"] for each in found] == [str(43200000 + n) for n in range(4)]
    # Lengths that did not fit are made to, as VCF 4.3 means them; INV has none there.
    lengths = [each.get("SVLEN") for each in found]
    assert lengths == ["-200000", "-200000", None, "200000"]


def test_an_end_on_the_mates_contig_is_no_span() -> None:
    name = "27-end-on-another-chromosome/end_mate.vcf"
    between = ("5", 19_999_990, 20_000_010)
    before = ("5", 59_999_960, 59_999_970)
    assert case(name, regions=(between, before)).records == []
    kept = cells(case(name, withheld={"P1": (between, before)}))
    assert {row[0] for row in kept.values()} == {"0/1"}
    assert all("END" not in each for each in info(case(name)))


def test_a_release_with_such_ends_can_be_indexed(tmp_path: Path) -> None:
    release = case("27-end-on-another-chromosome/end_mate.vcf")
    path = tmp_path / "release.vcf.gz"
    path.write_bytes(release.variants)
    pysam.tabix_index(str(path), preset="vcf", force=True)
    with pysam.TabixFile(str(path)) as tabix:
        assert len(list(tabix.fetch("chr5"))) == 3


def test_repeat_alleles_reach_to_end_and_are_of_no_type() -> None:
    name = "13-str-alleles-svtype/str.vcf"
    text = (CASES / name).read_text()
    for samples in (P1_AND_P3, {"P3": "R2"}):
        (found,) = info(cut(text, samples, build="GRCh38"))
        assert found["END"] == "3074933"
        assert "SVTYPE" not in found
    masked = case(name, withheld={"P3": (("4", 3074900, 3074910),)})
    assert cells(masked) == {"3074876": ["0/1", "./."]}


def test_genotypes_of_repeat_alleles_are_right() -> None:
    text = (CASES / "13-str-alleles-svtype/str.vcf").read_text()
    (record,) = cut(text, P1_AND_P3, build="GRCh38").records
    assert (record[4], record[9:]) == ("<STR20>,<STR80>", ["0/1", "0/2"])
    (record,) = cut(text, {"P3": "R2"}, build="GRCh38").records
    assert (record[4], record[9:]) == ("<STR80>", ["0/1"])


def test_segments_of_a_copy_number_caller_are_taken(tmp_path: Path) -> None:
    path = CASES / "28-cn-alleles-one-svlen/gcnv.vcf"
    warnings = take_in(tmp_path, path, build="GRCh38").warnings
    assert any("FORMAT GT is not Number=1,Type=String" in line for line in warnings)
    samples = {"P1": "R0", "P2": "R1", "P3": "R2"}
    (record,) = cut(path.read_text(), samples, build="GRCh38").records
    assert [cell.partition(":")[0] for cell in record[9:]] == ["1", "0", "2"]
    assert "END=43200000" in record[7]
    masked = cut(path.read_text(), samples, build="GRCh38", withheld={"P3": (BRCA1,)})
    assert masked.records[0][4] == "<DEL>"


def test_hla_contigs_are_taken_and_a_name_with_a_blank_is_refused(
    tmp_path: Path,
) -> None:
    folder = CASES / "21-hla-contigs"
    contigs = {
        name: records
        for name, _, records in take_in(tmp_path, folder / "hla.vcf").contigs
    }
    assert contigs["HLA-DRB1*15:01:01:01"] == 2
    lines = (folder / "hla_blank.vcf").read_text().splitlines()
    (at,) = [
        number
        for number, line in enumerate(lines, start=1)
        if line.startswith("##contig=<ID=HLA")
    ]
    with pytest.raises(IntakeRefused) as caught:
        take_in(tmp_path, folder / "hla_blank.vcf")
    assert caught.value.line == at


def test_copy_numbers_take_their_type_from_what_the_source_says() -> None:
    text = (CASES / "28-cn-alleles-one-svlen/cn.vcf").read_text()
    types = {}
    for alone in ("P1", "P2", "P3"):
        (found,) = info(cut(text, {alone: "R0"}))
        assert found["END"] == "43200000"
        types[alone] = found.get("SVTYPE")
    assert types == {"P1": "DEL", "P2": "DUP", "P3": None}
    without = text.replace("SVTYPE=CNV;", "")
    assert all("SVTYPE" not in each for each in info(cut(without, {"P1": "R0"})))


def test_a_breakend_to_an_hla_contig_masks_who_withholds_anything() -> None:
    name = "21-hla-contigs/hla.vcf"
    masked = case(name, withheld={"P1": (("13", 5, 6),)})
    # What only P1 carries on the HLA contig is gone.
    assert [record[9] for record in masked.records] == ["0/1", "./.", "./."]
    assert masked.records[1][4] == "N[HLA-DRB1*15:01:01:01:300["
    whole = case(name, regions=(("HLA-DRB1*15:01:01:01", 299, 300),))
    assert [record[1] for record in whole.records] == ["43140000", "300"]


def test_no_id_tells_of_an_allele_that_went() -> None:
    texts = [
        (CASES / f"37-first-rs-number-of-a-lost-allele/{name}").read_text()
        for name in ("with_p2.vcf", "without_p2.vcf")
    ]
    # The mirrored order of the alleles as well.
    mirrored = texts[0].replace("rs111;rs222\tA\tC,T", "rs222;rs111\tA\tT,C")
    mirrored = mirrored.replace("0/2\t0/1\t2/2", "0/1\t0/2\t1/1")
    releases = [cut(text, P1_AND_P3, build="GRCh38") for text in (*texts, mirrored)]
    assert len({release.variants for release in releases}) == 1
    assert releases[0].records[0][:5] == ["chr17", "43130000", ".", "A", "T"]


# A record at 20:1000, what its INFO says, and the first and last base it touches.
REACHES = [
    ("<DEL>", "END=2000", 1000, 2000),
    ("<DEL>", "END=2000;SVLEN=-3000", 1000, 4000),
    ("<DEL>", "END=2000;SVLEN=-1", 1000, 2000),
    ("<dup:tandem>", "SVLEN=500", 1000, 1500),
    ("<CN3>", "SVLEN=500", 1000, 1500),
    ("<INS>", "SVLEN=500", 1000, 1000),
    ("<INS>", "END=900;SVLEN=500", 1000, 1000),
    ("<DEL>", "END=2000;CIPOS=-50,60;CIEND=-70,80", 950, 2080),
    ("<DEL>", "END=2000;CIPOS95=-5,6;CIEND95=-7,8", 995, 2008),
    ("<DEL>", "SVLEN=1000;CILEN=-10,90", 1000, 2090),
    ("<INS>", "CIPOS=-50,60", 950, 1060),
    ("A[20:3000[", "SVTYPE=BND", 1000, 3000),
    ("A]20:3000]", "SVTYPE=BND", 1000, 3000),
    ("]20:500]A", "SVTYPE=BND", 500, 1000),
    ("[20:500[A", "SVTYPE=BND", 500, 1000),
    ("]chr20:500]A", "CIPOS=-5,9;CIEND=-10,7", 490, 1009),
    ("A.", "SVTYPE=BND;CIPOS=-9,0", 991, 1000),
    ("<BND>", "CHR2=20;END2=3000;END=1000", 1000, 3000),
    ("<TRA>", "CHR2=chr20;END=3000", 1000, 3000),
    ("<INV>", "CHR2=20;POS2=700;END=2000", 700, 2000),
    ("<CPX>", "END=1200;CPX_INTERVALS=DEL_20:400-500", 1000, 1200),
    ("A[21:5000[", "END=5001", 1000, 1000),
    ("A[21:5000[", "CHR2=21;END=1001", 1000, 1001),
    ("C", "END=2000", 1000, 2000),
    ("C", "CIPOS=-50,60", 950, 1060),
    ("C", "SVTYPE=DUP;SVLEN=300", 1000, 1300),
    ("ACCC", "SVTYPE=INS;SVLEN=300", 1000, 1000),
]


@pytest.mark.parametrize(("alt", "said", "first", "last"), REACHES)
def test_a_record_is_found_and_withheld_by_its_widest_statement(
    alt: str, said: str, first: int, last: int
) -> None:
    text = source(f"20 1000 . A {alt} . . {said} GT 0/1 0/0 0/1")

    def is_found(base: int) -> bool:
        span = (("20", base - 1, base),)
        masked = cut(text, ANN_AND_CID, withheld={"Ann": span}, build="GRCh38")
        found = bool(cut(text, ANN_AND_CID, regions=span).records)
        closed = not cut(text, ANN_AND_CID, excluded_regions=span).records
        assert found == closed == (masked.records[0][9] == "./.")
        return found

    assert [is_found(base) for base in (first - 1, first, last, last + 1)] == [
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("alt", "said", "span"),
    [
        ("<INS>", "SOURCE=INV_chr21:100-200", ("21", 99, 100)),
        ("<CPX>", "CPX_INTERVALS=DEL_chr1:10-20,INV_chr22:20-30", ("22", 29, 30)),
        ("A.", "NOTE=seen_at|21:300-200(+)", ("21", 199, 200)),
        ("<INS>", "SOURCE=DUP_HLA-A*01:01:01:01:7-9", ("HLA-A*01:01:01:01", 8, 9)),
        ("<DUP>", "SOURCE=21_KI1v1_random:7-9", ("21_KI1v1_random", 6, 7)),
        ("A[21:5000[", "END=5001", ("21", 5000, 5001)),
        ("A[21:5000[", "CHR2=21;END=4990", ("21", 4989, 4990)),
        ("<BND>", "CHR2=21", ("21", 5000, 5001)),
        ("<BND>", "CHR2=21;END=700", ("21", 699, 700)),
        ("C", "SVTYPE=BND;CHR2=21;END2=700", ("21", 699, 700)),
    ],
)
def test_another_place_that_a_record_names_counts(
    alt: str, said: str, span: tuple[str, int, int]
) -> None:
    header = "##contig=<ID=HLA-A*01:01:01:01>\n##contig=<ID=21_KI1v1_random>"
    text = source(f"20 1000 . A {alt} . . {said} GT 0/1 0/0 0/1", header=header)
    assert cut(text, ANN_AND_CID, regions=(span,)).records
    assert not cut(text, ANN_AND_CID, excluded_regions=(span,)).records
    masked = cut(text, ANN_AND_CID, withheld={"Ann": (span,)}, build="GRCh38")
    assert masked.records[0][9] == "./."


@pytest.mark.parametrize("name", ["chr99_y9", "Un_1", "dDUP_chr99"])
def test_a_place_that_nobody_knows_is_kept_back(name: str) -> None:
    text = source(f"20 1000 . A <INS> . . SOURCE={name}:1-2 GT 0/1 0/0 0/1")
    away = (("13", 5, 6),)
    masked = cut(text, ANN_AND_CID, withheld={"Ann": away}, build="GRCh38")
    assert masked.records[0][9:] == ["./.", "0/1"]
    closed = cut(text, ANN_AND_CID, excluded_regions=away, build="GRCh38")
    assert closed.records == []


def test_what_annotations_of_small_variants_name_is_no_place_of_theirs() -> None:
    text = source("20 1000 . A C . . NEAR=chr21:100-200 GT 0/1 0/0 0/1")
    assert cut(text, ANN_AND_CID, regions=(("21", 99, 200),)).records == []


@pytest.mark.parametrize(
    "said",
    [
        "END=1500;SVLEN=-20,500",
        "SVLEN=-20,500",
        "SVLEN=-20,20;CIEND=0,0,0,500",  # two for each ALT
    ],
)
def test_values_of_an_allele_that_went_do_not_count(said: str) -> None:
    text = source(f"20 1000 . A <DEL>,<DUP> . . {said} GT 0/1 0/2 0/0")
    region = (("20", 1399, 1400),)
    assert cut(text, ANN_AND_CID, regions=region).records == []
    assert cut(text, {"Ben": "B0"}, regions=region).records


def test_a_placeholder_beside_the_end_of_another_allele_reaches_as_far() -> None:
    # Nobody can tell that the deletion is shorter than END says.
    text = source("20 1000 . A <DEL>,<DUP> . . END=1500;SVLEN=-1,500 GT 0/1 0/2 0/0")
    (found,) = info(cut(text, ANN_AND_CID, regions=(("20", 1399, 1400),)))
    assert found["END"] == "1500"


def test_a_record_that_reaches_far_is_found_from_any_window() -> None:
    far = 1 << 22
    text = source(
        f"20 1000 . A A[20:{far}[ . . . GT 0/1 0/0 0/0",
        f"20 {far} . C ]20:1000]C . . . GT 0/1 0/0 0/0",
    )
    middle = (("20", 1 << 21, (1 << 21) + 1),)
    assert len(cut(text, ANN_AND_CID, regions=middle).records) == 2


@pytest.mark.timeout(20)
@pytest.mark.parametrize("value", ["a:" * 500_000, "DEL_" * 200_000 + "a:1-2"])
def test_a_long_value_takes_no_longer_than_others(value: str) -> None:
    text = source(f"20 1000 . A <INS> . . NOTE={value} GT 0/1 0/0 0/1")
    assert len(cut(text, ANN_AND_CID, regions=(("20", 999, 1000),)).records) == 1


def test_positions_at_the_ends_of_what_an_index_holds_are_taken() -> None:
    record = SourceSite(
        line=1,
        contig="20",
        pos=5,
        ref="A",
        alts=("<DEL>",),
        info={"END": "99999999999", "CIPOS": "-50,x"},
        version=(4, 2),
    )
    assert record.reduce([1]).loci == (("20", 0, 2**31 - 1),)
