"""Hold one case against every oracle there is.

The cut by columns, whole or in parts, must give the bytes of the cut by text; what they
hold must be what the plain rules leave (`expected`) and, of genotypes, what bcftools
leaves; the index must find every record.
"""

import gzip
import re
import tempfile
from collections import Counter
from pathlib import Path
from unittest import mock

import pysam

from genomics.columnar import file
from tests.genomics import expected, genotypes
from tests.genomics.bcftools import bcftools_genotypes
from tests.genomics.consistency import check_self_consistent
from tests.genomics.generated import Case
from tests.genomics.release import Release, cut_upload


def check(case: Case) -> Release:
    """Take the case in, cut it both ways, and hold the release against the others."""
    with tempfile.TemporaryDirectory() as folder:
        with mock.patch.object(file, "SITES", case.block_sites):
            release = cut_upload(
                Path(folder),
                case.upload,
                parts=case.parts,
                intake_build=case.intake_build,
                **case.job,
            )
        told = expected.Expectation(case.text, case.job)
        text = gzip.decompress(release.variants).decode()
        assert expected.told(text) == told.records
        assert release.result.records_out == told.records.total()
        assert release.result.genotypes_withheld == told.withheld
        assert release.result.records_withheld == told.closed
        check_self_consistent(release.text)
        check_index(release, Path(folder))
    check_genotypes(case, release)
    return release


def check_index(release: Release, folder: Path) -> None:
    """Assert that the index finds every record where it stands, and nothing else."""
    path = folder / "release.vcf.gz"
    path.write_bytes(release.variants)
    suffix = Path(release.result.files[1].name).suffixes[-2]
    index = folder / f"release.vcf.gz{suffix}"
    index.write_bytes(release.index)
    if not release.records:
        return
    lines = Counter("\t".join(record) for record in release.records)
    with pysam.TabixFile(str(path), index=str(index), encoding="latin-1") as tabix:
        found = Counter(
            line for contig in tabix.contigs for line in tabix.fetch(contig)
        )
        assert found == lines
        for contig, pos, _, ref, *_ in release.records:
            end = int(pos) + len(ref) - 1
            # What stands at 0, before the first base, no place of a query reaches.
            for place in {int(pos), end} - {0}:
                here = tabix.fetch(contig, place - 1, place)
                assert any(row.split("\t")[1] == pos for row in here)


def check_genotypes(case: Case, release: Release) -> None:
    """Assert that bcftools leaves the same genotypes, where it can do the same job."""
    if case.job["regions"] or case.job["withheld"] or case.job["excluded_regions"]:
        return
    pairs = sorted(case.job["samples"], key=lambda pair: pair[1])
    names = [source for source, _ in pairs]
    theirs = bcftools_genotypes(genotypes.alone(case.text, names), names)
    # Marks before the first allele and lists of sets unphase some genotypes.
    is_plain = not re.search(r"\t[/|]|:PSL\b|LGT", case.text)
    assert genotypes.of_records(theirs, with_phase=is_plain) == genotypes.of_records(
        release.text, with_phase=is_plain
    )
