"""Make the accessions by which people cite datasets, projects, requests, releases.

Random rather than counted: an accession says nothing about how many there are,
and two processes never contend for the next one.
"""

import secrets

# Crockford's base 32: no I, L, O or U, so that it survives being read aloud.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_accession(prefix: str) -> str:
    """Return `prefix` and seven random characters (35 bits), such as GMD7K2Q9XA."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(7))
