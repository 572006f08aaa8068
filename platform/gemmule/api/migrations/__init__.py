"""Database migrations of `gemmule.api`."""
