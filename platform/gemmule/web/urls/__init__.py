"""Addresses of the pages, by audience."""
