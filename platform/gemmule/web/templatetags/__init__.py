"""Template tags, a subject per module."""
