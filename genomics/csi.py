"""Index a VCF whose contigs are longer than a tabix index reaches, by htslib."""

from pathlib import Path

import pysam

from genomics.errors import BuildFailed
from genomics.parts import Joined


def write_index(variants: Joined) -> bytes:
    """Return the CSI index of a BGZF-compressed VCF.

    Raises BuildFailed for positions that no index holds.
    """
    path = Path("variants.vcf.gz")
    index = path.with_name(f"{path.name}.csi")
    try:
        with path.open("xb") as file:
            file.writelines(variants)
        try:
            pysam.tabix_index(str(path), preset="vcf", csi=True, force=True)
        except OSError as error:
            raise BuildFailed("index", "expected positions an index holds") from error
        return index.read_bytes()
    finally:
        path.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
