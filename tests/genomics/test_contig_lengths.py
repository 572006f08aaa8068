"""Which stated lengths of contigs are believed: placeholders prove no build."""

from pathlib import Path

import pytest

from genomics.builds import LENGTHS
from genomics.errors import IntakeRefused
from tests.genomics.test_contig_names import REPAIR, row, upload
from tests.genomics.uploads import take_in


@pytest.mark.parametrize("length", [0, 2**31 - 1, 2**29, 2**31, 2**32 - 1])
@pytest.mark.parametrize("build", ["GRCh38", "GRCh37", None])
def test_placeholder_is_no_length(
    tmp_path: Path, length: int, build: str | None
) -> None:
    data = upload(row("17", 5), contigs=(f"17,length={length}",))
    result = take_in(tmp_path, data, build=build)
    assert result.contigs == (("17", None, 1),)
    assert any(REPAIR in text and "line 2" in text for text in result.warnings)
    assert any("nothing proves its build" in text for text in result.warnings)


def test_length_of_a_part_of_x_is_no_length_of_x(tmp_path: Path) -> None:
    # Its own length, or where it ends: 2,781,479 on GRCh38.
    contigs = ("X,length=156040895", "XY,length=2781479")
    data = upload(row("X", 5_000_000), row("XY", 20_000), contigs=contigs)
    result = take_in(tmp_path, data, build="GRCh38")
    assert result.contigs == (("X", 156_040_895, 2),)


@pytest.mark.parametrize("build", ["GRCh38", None])
def test_last_position_and_one_is_no_length(tmp_path: Path, build: str | None) -> None:
    rows = (row("17", 5), row("17", 900), row("23", 7))
    # A contig without records is what its neighbours are.
    contigs = ("17,length=901", "23,length=8", "9,length=1234")
    result = take_in(tmp_path, upload(*rows, contigs=contigs), build=build)
    if build:
        assert result.contigs == (("17", None, 2), ("X", None, 1), ("9", None, 0))
    else:
        assert result.contigs[0] == ("17", None, 2)
    assert any("proves its build" in text for text in result.warnings)


@pytest.mark.parametrize(
    ("contigs", "header", "is_taken"),
    [
        (("17,length=902",), (), False),
        (("17,length=902",), ("##source=PLINKv1.90",), True),  # cut afterwards
        (("17,length=902",), ("##source=PLINKv2.00",), False),  # it keeps real ones
        (("17,length=901", "X,length=154259566"), (), True),
        # T2T-CHM13: no record explains a length.
        (("1,length=248387328",), (), False),
        (("9,length=150617247",), (), False),
        (("17,length=81195210",), (), False),  # GRCh37
    ],
)
def test_real_length_of_another_assembly_names_both_and_the_repair(
    tmp_path: Path, contigs: tuple[str, ...], header: tuple[str, ...], is_taken: bool
) -> None:
    data = upload(row("17", 5), row("17", 900), contigs=contigs, header=header)
    if is_taken:
        assert take_in(tmp_path, data, build="GRCh38").records == 2
        return
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, data, build="GRCh38")
    error = refused.value
    name, _, length = contigs[0].partition(",length=")
    assert (error.code, error.line) == ("build-mismatch", 2)
    for part in (f"length of {name},", length, REPAIR):
        assert part in error.message
    assert str(LENGTHS["GRCh38"][name]) in error.message
