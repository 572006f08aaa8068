"""Read the names of the samples off a VCF that passes by, compressed and in pieces.

Only its beginning is looked at; nothing of a genotype is kept.
"""

import zlib

from gemmule.verifier.errors import PlaintextDiffers

# A header of 200,000 samples under their ten letters has a fiftieth of this.
_MAX_HEADER_BYTES = 64 * 1024 * 1024
_FIXED = 9  # CHROM POS ID REF ALT QUAL FILTER INFO FORMAT
_GZIP = 16 + zlib.MAX_WBITS


class Columns:
    """Takes a file of variants piece by piece; `names` are its samples, at the end."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] | None = None
        self._inflating = zlib.decompressobj(_GZIP)
        self._text = bytearray()
        self._searched = 0

    def take(self, plain: bytes, /) -> None:
        """Take the next piece; raise PlaintextDiffers when it is not of a VCF."""
        while plain and self.names is None:
            if self._inflating.eof:
                # BGZF is one gzip member after the other.
                self._inflating = zlib.decompressobj(_GZIP)
            try:
                self._text += self._inflating.decompress(plain, _MAX_HEADER_BYTES)
            except zlib.error as error:
                raise PlaintextDiffers("what is inside is not a BGZF file") from error
            plain = self._inflating.unused_data
            self._look()

    def _look(self) -> None:
        while self.names is None:
            end = self._text.find(b"\n", self._searched)
            if end < 0:
                if len(self._text) > _MAX_HEADER_BYTES:
                    raise PlaintextDiffers("what is inside has no line of columns")
                return
            line = bytes(self._text[self._searched : end])
            self._searched = end + 1
            if not line.startswith(b"#"):
                raise PlaintextDiffers("what is inside is not a VCF")
            if line.startswith(b"#CHROM\t"):
                names = line.decode("utf-8", "replace").split("\t")[_FIXED:]
                self.names = tuple(names)
                self._text.clear()
