"""Schema history of notices."""
