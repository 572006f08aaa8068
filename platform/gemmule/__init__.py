"""Gemmule: who asks, who decides, when it runs and how it is shown."""
