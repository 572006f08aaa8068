"""A whole Gemmule on one machine, with its cast: for trying it and for proving it."""
