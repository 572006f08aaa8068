"""Commands of the web."""
