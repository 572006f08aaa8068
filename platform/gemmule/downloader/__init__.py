"""Fetch a whole release to this machine, whatever happens on the way. No Django."""
