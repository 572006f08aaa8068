"""Datasets, their files, and which sample is which donor."""
