"""Pytest plugin: find the browser that e2e tests drive, and install it when asked."""
