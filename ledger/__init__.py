"""Tamper-evident log of what happened: entries, commitments, checkpoints."""
