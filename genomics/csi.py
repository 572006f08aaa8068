"""Index a VCF whose contigs are longer than a tabix index reaches, by htslib."""

from pathlib import Path

import pysam

from genomics.parts import Joined


def write_index(variants: Joined) -> bytes:
    """Return the CSI index of a BGZF-compressed VCF."""
    path = Path("variants.vcf.gz")
    index = path.with_name(f"{path.name}.csi")
    try:
        with path.open("xb") as file:
            file.writelines(variants)
        pysam.tabix_index(str(path), preset="vcf", csi=True, force=True)
        return index.read_bytes()
    finally:
        path.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
