"""The pure mathematics of the log: no Django, no clock, no files of its own."""
