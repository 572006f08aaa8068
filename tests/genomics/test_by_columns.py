"""What the columns once gave otherwise than the text, or not at all.

`cut` makes every release both ways and compares them.
"""

import gzip
import struct
from pathlib import Path
from unittest import mock

from genomics import by_columns
from genomics.columnar import file
from genomics.job import SubsetJob
from genomics.windows import WIDTH
from tests.genomics.release import ANN_AND_CID, PUBLIC, cut, source, write_columns


def test_a_record_that_trimming_moves_into_the_next_window_is_kept() -> None:
    # Ben's deletion gone, REF begins three bases later, behind the border.
    at = WIDTH - 1
    ref = "CAAT"
    row = f"20 {at} . {ref} C,{ref[:-1]}G . . . GT 0/2 1/1 0/0"
    (record,) = cut(source(row), ANN_AND_CID).records
    assert record[:5] == ["20", str(at + 3), ".", "T", "G"]


def test_columns_of_an_older_kind_are_left_for_the_text(tmp_path: Path) -> None:
    path = tmp_path / "store.vcf.gz"
    path.write_bytes(gzip.compress(source("20 5 . A C . . . GT 0/1 1/1 0/0").encode()))
    with mock.patch.object(file, "VERSION", 4):
        digest = write_columns(path)
    job = SubsetJob(
        source=path,
        samples=tuple(ANN_AND_CID.items()),
        recipient_public_key=PUBLIC,
        output_dir=tmp_path,
        name="GMR000001",
        columns_sha256=digest,
    )
    assert by_columns.open_columns(job) is None


def test_a_record_with_ten_alternate_alleles_is_cut() -> None:
    alts = ",".join("C" * size for size in range(1, 11))
    row = f"20 5 . A {alts} . . . GT 0/9 1/1 3/0"
    (record,) = cut(source(row), ANN_AND_CID).records
    assert record[4] == f"{'C' * 3},{'C' * 9}"
    assert record[9:] == ["0/2", "1/0"]


def test_a_sample_may_have_any_printable_name() -> None:
    text = source("20 5 . A C . . . GT 0/1 1/1 0/0", names=("Zoë", "名前", "Cid"))
    # As it is read: the helper writes Latin-1.
    text = text.encode().decode("latin-1")
    release = cut(text, {"名前": "B0", "Zoë": "A0"})
    assert release.records[0][9:] == ["0/1", "1/1"]
    spans = (("20", 0, 50),)
    withheld = cut(
        text, {"名前": "B0", "Zoë": "A0"}, build="GRCh38", withheld={"Zoë": spans}
    )
    assert withheld.records[0][9:] == ["./.", "1/1"]


def test_a_telomere_lies_in_the_first_window_of_the_index() -> None:
    rows = ["20 0 . A C . . . GT 0/1 0/0 1/1", "20 90000 . A C . . . GT 0/1 0/0 1/1"]
    index = gzip.decompress(cut(source(*rows), ANN_AND_CID).index)
    # Behind the last window stands nothing but the number of unplaced records.
    windows = struct.unpack("<6Q", index[-56:-8])
    assert windows[0] < windows[-1] == windows[1]


def test_records_that_differ_in_their_cells_alone_stand_in_the_order_of_those() -> None:
    cells = ["0/1 0/0 1/1", "1/1 0/0 0/1", "0/1 0/0 1/1"]
    for form, value in (("GT", ""), ("GT:DP", ":7")):
        rows = [f"20 5 . A C . . . {form} {each}{value}" for each in cells]
        found = cut(source(*rows), ANN_AND_CID).records
        genotypes = [[cell[:3] for cell in record[9:]] for record in found]
        assert genotypes == [["0/1", "1/1"], ["0/1", "1/1"], ["1/1", "0/1"]]
