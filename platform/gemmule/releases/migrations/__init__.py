"""Database migrations of `gemmule.releases`."""
