"""Whole numbers with a fraction, as callers write them (freebayes 557, longshot 47)."""

from pathlib import Path

import pytest

from genomics.errors import IntakeRefused
from tests.genomics.meaning import released, told, vcf
from tests.genomics.uploads import take_in


def test_a_fraction_in_an_integer_is_refused_and_in_a_float_released(
    tmp_path: Path,
) -> None:
    row = "chr17 9 . A G . . . GT:{} 0/1:74.1878 0/0:12 1/1:1.58411e+07"
    with pytest.raises(IntakeRefused) as refused:
        take_in(tmp_path, vcf("4.2", row.format("DP")))
    assert (refused.value.code, refused.value.column) == ("format-value", 10)
    (tmp_path / "float").mkdir()
    release = released(tmp_path / "float", vcf("4.2", row.format("GQ")))
    assert told(release)[0][3] == ["0/1:74.1878", "1/1:1.58411e+07"]
    assert any("ID=GQ,Number=1,Type=Float" in line for line in release.header)


def test_a_fraction_in_an_undeclared_integer_is_released_as_float(
    tmp_path: Path,
) -> None:
    upload = vcf("4.2", "chr17 9 . A G . . . GT:GQ 0/1:74.18 0/0:12 1/1:9")
    lines = [line for line in upload.splitlines(True) if b"ID=GQ" not in line]
    release = released(tmp_path, b"".join(lines))
    assert told(release)[0][3] == ["0/1:74.18", "1/1:9"]
    assert any("ID=GQ,Number=1,Type=Float" in line for line in release.header)
