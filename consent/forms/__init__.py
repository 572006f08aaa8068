"""Consent forms: what a donor reads, and the rule that each answer turns into."""
