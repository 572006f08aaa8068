"""Rows held against what the ledger says of them, a module for each kind of row."""
