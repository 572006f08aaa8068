"""The column store: a call set laid out so that a cut reads and writes little.

It is derived from the canonical store and says nothing else; what it cannot say well
it leaves to `genomics.subset`, record by record.
"""
