"""Database migrations of `gemmule.catalog`."""
