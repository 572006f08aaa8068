"""From an approved request to bytes that can be proved, and withdrawn."""
