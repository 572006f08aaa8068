"""Rule by rule: what a release may hold of a record."""

import gzip
from typing import Any

import pytest

from genomics.errors import BuildFailed
from genomics.fields import FieldDefinition
from tests.genomics.consistency import check_self_consistent
from tests.genomics.release import ANN_AND_CID, EVERYONE, Release, cut, source


def rows(release: Release) -> list[str]:
    check_self_consistent(release.text)
    return [" ".join(columns) for columns in release.records]


def one(record: str, samples: dict[str, str] = ANN_AND_CID, **options: Any) -> str:
    (row,) = rows(cut(source(record), samples, **options))
    return row


def test_quality_filter_and_info_of_the_cohort_go() -> None:
    row = one(
        "20 9 rs1 A C 50 q10 AC=9;DP=5000;AF=0.1;NS=700;culprit=FS GT 0/1 0/0 1|1"
    )
    assert row == "20 9 . A C . . AC=3;AF=0.75;AN=4;NS=2 GT 0/1 1|1"


@pytest.mark.parametrize(
    "identifier", ["rs12", "rs12;COSM5", "COSM5;rs12", "NA12878_var7", "."]
)
def test_no_id_of_an_upload_stays(identifier: str) -> None:
    record = f"20 9 {identifier} A C . . . GT 0/1 0/0 1/1"
    assert one(record).split()[2] == "."


def test_a_filter_stays_where_it_does_not_depend_on_the_cohort() -> None:
    records = [
        f"20 {n} . A C . {f} . GT 0/1 0/0 0/0"
        for n, f in enumerate(("PASS", "q9;lc"), 5)
    ]
    release = cut(source(*records), ANN_AND_CID, filter_is_cohort_independent=True)
    check_self_consistent(release.text)
    assert [columns[6] for columns in release.records] == ["PASS", "q9;lc"]
    assert [line for line in release.header if "FILTER=" in line] == [
        '##FILTER=<ID=lc,Description="Declared independent of the cohort">',
        '##FILTER=<ID=q9,Description="Declared independent of the cohort">',
    ]


def test_fields_come_in_one_order_and_unlisted_ones_go() -> None:
    row = one("20 9 . A C . . . XX:PL:GT:DP:AD x:1,2,3:0/1:7:3,4 . y:4,5,6:0|0:.:5,0")
    assert row.split()[8:] == ["GT:AD:DP:PL", "0/1:3,4:7:1,2,3", "0|0:5,0:.:4,5,6"]


def test_a_steward_adds_fields_with_definitions_of_their_own() -> None:
    header = '##FORMAT=<ID=GD,Number=1,Type=Float,Description="As Ben told it">'
    keep = FieldDefinition(id="GD", number="1", type="Float", description='Gene "dose"')
    record = "20 9 . A C . . CSQ=c,d;HM;AA=G GT:GD 0/1:0.9 1/1:2 0/0:."
    info = (
        FieldDefinition(id="HM", number="0", type="Flag", description="HapMap"),
        FieldDefinition(id="AA", number="1", type="String", description="Ancestor"),
    )
    release = cut(
        source(record, header=header), ANN_AND_CID, format_keep=(keep,), info_keep=info
    )
    assert rows(release) == [
        "20 9 . A C . . AC=1;AF=0.25;AN=4;NS=2;AA=G;HM GT:GD 0/1:0.9 0/0:."
    ]
    definition = '##FORMAT=<ID=GD,Number=1,Type=Float,Description="Gene \\"dose\\"">'
    assert definition in release.header
    assert "Ben" not in release.text


def test_a_standard_field_keeps_its_cardinality_whatever_anyone_says() -> None:
    # ADF counts alleles, even if the steward's list and the header say otherwise.
    keep = FieldDefinition(id="ADF", number=".", type="String", description="x")
    header = '##FORMAT=<ID=ADF,Number=1,Type=String,Description="x">'
    record = "20 9 . A C,G . . . GT:ADF 0/2:1,2,3 1/1:4,5,6 0/0:7,8,9"
    release = cut(source(record, header=header), ANN_AND_CID, format_keep=(keep,))
    assert release.records[0][9:] == ["0/1:1,3", "0/0:7,9"]


@pytest.mark.parametrize(
    ("genotype", "value", "kept"),
    [
        ("0/2", "1,2,3,4,5,6", "1,4,6"),  # 00 01 11 02 12 22 -> 00 02 22
        ("2|2", "1,2,3,4,5,6", "1,4,6"),
        ("2", "1,2,3", "1,3"),  # haploid
        ("0/0/2", "0,1,2,3,4,5,6,7,8,9", "0,4,7,9"),  # triploid: 000 002 022 222
        (".", "1,2,3,4,5,6", "1,4,6"),  # missing, of whichever ploidy
        (".", "1,2,3", "1,3"),
        ("./2", "1,2,3,4,5,6", "1,4,6"),  # half a call
        ("0/2", "1,2,3", "."),  # wrong length
        ("0/2", "1,2,3,4,5,6,7", "."),
        ("0/2", "1,2,3,4,5,x", "."),  # no number
        ("0/2", ".,.,.,.,.,.", "."),
        ("0/2", ".,2,3,.,5,.", "."),
    ],
)
def test_values_by_genotype_lose_the_alleles_that_went(
    genotype: str, value: str, kept: str
) -> None:
    record = (
        f"20 9 . A C,G . . . GT:PL {genotype}:{value} 1/1:0,0,0,0,0,0 0/2:9,9,9,8,9,7"
    )
    release = cut(source(record), ANN_AND_CID)
    check_self_consistent(release.text)
    assert release.records[0][9].split(":")[1] == kept
    assert release.records[0][10] == "0/1:9,8,7"


@pytest.mark.timeout(20)
def test_a_long_list_that_ends_in_nonsense_takes_no_longer_than_another() -> None:
    alts = ",".join("C" * n for n in range(2, 62))
    value = ",".join(["1234567890"] * 1890 + ["12x"])  # 61 alleles, diploid
    row = one(f"20 9 . A {alts} . . . GT:PL:GL 0/2:{value}:{value} 0/0 0/0")
    assert row.split()[8] == "GT"


def test_values_by_allele_lose_the_alleles_that_went() -> None:
    row = one(
        "20 9 . A C,G,T . . . GT:AD:DS 0/3:1,2,3,4:.1,.2,.3 1/2 3/3:5,6,7,8:.,.,2"
    )
    assert row.split()[4] == "T"
    assert row.split()[9:] == ["0/1:1,4:.3", "1/1:5,8:2"]


def test_local_alleles_are_renumbered_with_their_values() -> None:
    # The example of VCF 4.5: 2/4 with LAA 2,4 of G>A,C,T,<*>.
    row = one(
        "20 9 . G A,C,T,<*> . . . GT:LAA:LAD:LPL"
        " 2/4:2,4:20,30,10:90,80,0,100,110,120"
        " 1/3:1,3:1,2,3:1,2,3,4,5,6"
        " 0/2:2,3:4,5,6:1,2,3,4,5,6"
    )
    assert row.split()[4] == "C,<*>"
    assert row.split()[8:] == [
        "GT:LAA:LAD:LPL",
        "1/2:1,2:20,30,10:90,80,0,100,110,120",
        "0/1:1:4,5:1,2,3",
    ]


@pytest.mark.parametrize("laa", ["3", "1,1", "0", "x", "1,"])
def test_values_of_senseless_local_alleles_become_missing(laa: str) -> None:
    row = one(f"20 9 . G A,C . . . GT:LAA:LAD 0/1:{laa}:1,2 0/0 0/1:1:3,4")
    assert row.split()[9:] == ["0/1:.:.", "0/1:1:3,4"]


def test_an_empty_list_of_local_alleles_leaves_the_reference_local() -> None:
    row = one("20 9 . G A . . . GT:LAA:LAD:LPL 0/0::30:0 0/0 0/1:1:3,4:1,0,2")
    assert row.split()[9:] == ["0/0:.:30:0", "0/1:1:3,4:1,0,2"]


def test_a_quality_with_a_fraction_is_declared_as_such() -> None:
    release = cut(source("20 9 . A C . . . GT:GQ 0/1:46.99 1/1:3 0/0:5"), ANN_AND_CID)
    assert any(
        line.startswith("##FORMAT=<ID=GQ,Number=1,Type=Float")
        for line in release.header
    )
    release = cut(source("20 9 . A C . . . GT:GQ 0/1:46 1/1:3.5 0/0:5"), ANN_AND_CID)
    assert any(
        line.startswith("##FORMAT=<ID=GQ,Number=1,Type=Integer")
        for line in release.header
    )


@pytest.mark.parametrize(
    "genotype", ["0|1", "1|0", "./1", "1", "1|.", "0/0/1", "0/1|1", "1/1"]
)
def test_genotypes_keep_phase_ploidy_and_missing_halves(genotype: str) -> None:
    release = cut(source(f"20 9 . A C . . . GT {genotype} 0/0 0|0"), ANN_AND_CID)
    assert release.records[0][9] == genotype
    assert release.header[0] == "##fileformat=VCFv4.3"


def test_trailing_values_may_be_left_out() -> None:
    row = one("20 9 . A C . . . GT:AD:DP 0/1 1/1:1,2:3 0/0:4,5")
    assert row.split()[8:] == ["GT:AD", "0/1:.", "0/0:4,5"]


def test_a_called_star_counts_as_carried() -> None:
    row = one("20 9 . A C,* . . . GT 0/2 1/1 0/0")
    assert row == "20 9 . A * . . AC=1;AF=0.25;AN=4;NS=2 GT 0/1 0/0"


def test_star_and_symbolic_alleles_do_not_hold_on_to_padding() -> None:
    ref = "ACGTACGT"
    row = one(f"20 9 . {ref} A,*,<DEL> . . SVLEN=.,.,-40 GT 0/2 1/1 3/3")
    assert row.split()[:5] == ["20", "9", ".", "A", "*,<DEL>"]
    assert "END=49;SVTYPE=DEL;SVLEN=.,-40" in row


def test_breakends_keep_their_place_and_lose_padding() -> None:
    row = one("20 9 . GCC G,G[21:80[,]21:70]TCC . . . GT 2/3 1/1 0/0")
    assert row.split()[:5] == ["20", "9", ".", "G", "G[21:80[,]21:70]T"]


def test_structural_fields_tell_of_kept_alleles_only() -> None:
    record = (
        "20 9 . A <CN0>,<CN2> . . END=900;SVTYPE=CNV;SVLEN=-500,891;CIPOS=-5,5;"
        "HOMLEN=4,7;MATEID=ben_1 GT 0/1 2/2 0/0"
    )
    assert one(record).split()[7] == (
        "AC=1;AF=0.25;AN=4;NS=2;END=509;SVTYPE=DEL;SVLEN=-500;HOMLEN=4"
    )
    assert "SVTYPE" not in one(record, EVERYONE)  # two types, so none for the record


def test_end_without_lengths_speaks_for_all_alleles() -> None:
    row = one("20 9 . A <DEL> . . END=900;SVTYPE=DEL GT 0/1 0/0 0/0")
    assert "END=900;SVTYPE=DEL" in row


def test_sites_without_genotypes_tell_of_no_carrier() -> None:
    text = source("20 9 . A C . . . DP 3 4 5", "20 10 . A . . . . GT 0/0 ./. 0/0")
    release = cut(text, EVERYONE)
    assert release.records == []
    assert release.result.records_in == 2
    assert release.header[-1].endswith("FORMAT\tA0\tB0\tC0")


def test_columns_are_sorted_by_output_name() -> None:
    release = cut(
        source("20 9 . A C . . . GT 0/1 1/1 ./1"),
        {"Ann": "Z9", "Ben": "B1", "Cid": "M5"},
    )
    assert release.header[-1].split("\t")[9:] == ["B1", "M5", "Z9"]
    assert release.records[0][9:] == ["1/1", "./1", "0/1"]


def test_contig_lines_follow_the_build_and_the_records() -> None:
    header = "##contig=<ID=chr1,length=7>\n##contig=<ID=chr2,length=5,md5=secret>"
    records = [
        f"{c} 9 . A C . . . GT {g} 1/1 0/0"
        for c, g in (("chr1", "0/0"), ("chr2", "0/1"), ("decoy", "1/1"))
    ]
    release = cut(
        source(*records, header=header), ANN_AND_CID, contig_lengths={"2": 11, "1": 12}
    )
    assert [line for line in release.header if "contig" in line] == [
        "##contig=<ID=chr2,length=11>",
        "##contig=<ID=decoy>",
    ]
    release = cut(source(records[1]), ANN_AND_CID, build="GRCh38")
    assert release.header[1:3] == [
        "##reference=GRCh38",
        "##contig=<ID=chr2,length=242193529,assembly=GRCh38>",
    ]


def test_a_contig_too_long_for_tabix_is_indexed_by_csi() -> None:
    text = source("20 9 . A C . . . GT 0/1 0/0 0/0")
    for length, ending, magic in (
        (2**29, "tbi", b"TBI\1"),
        (2**29 + 1, "csi", b"CSI\1"),
    ):
        release = cut(text, ANN_AND_CID, contig_lengths={"20": length})
        assert release.result.files[1].name == f"GMR000001.vcf.gz.{ending}.c4gh"
        assert gzip.decompress(release.index)[:4] == magic


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ("20 9 . A C . . . GT 0/2 0/0 0/0", "genotype"),
        ("20 9 . A C . . . GT het 0/0 0/0", "genotype"),
        ("20 9 . A C . . . GT 0/1 0/0", "columns"),
        ("20 9 . A C . . . GT 0/1 0/0 0/0 0/0", "columns"),
        ("20 9 . A C . . . GT:DP 0/1:1:2 0/0 0/0", "values"),
        ("20 x . A C . . . GT 0/1 0/0 0/0", "position"),
    ],
)
def test_an_unsound_record_stops_the_build_and_names_its_line(
    record: str, code: str
) -> None:
    with pytest.raises(BuildFailed) as caught:
        cut(source("20 5 . A C . . . GT 0/1 0/0 0/0", record), ANN_AND_CID)
    assert (caught.value.code, caught.value.line) == (code, 4)
    assert "het" not in str(caught.value)


@pytest.mark.parametrize("places", [("20 9", "20 8"), ("20 9", "21 1", "20 10")])
def test_an_unsorted_store_stops_the_build(places: tuple[str, ...]) -> None:
    records = [f"{place} . A C . . . GT 0/1 0/0 0/0" for place in places]
    with pytest.raises(BuildFailed) as caught:
        cut(source(*records), ANN_AND_CID)
    assert caught.value.code == "order"


def test_a_sample_that_is_not_there_is_counted_and_not_named() -> None:
    with pytest.raises(BuildFailed, match="2 are not there") as caught:
        cut(
            source("20 9 . A C . . . GT 0/1 0/0 0/0"),
            ANN_AND_CID | {"Dora": "D0", "Eve": "E0"},
        )
    assert "Dora" not in str(caught.value)
    assert caught.value.code == "samples"
