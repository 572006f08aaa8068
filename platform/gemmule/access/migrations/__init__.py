"""Database migrations of `gemmule.access`."""
