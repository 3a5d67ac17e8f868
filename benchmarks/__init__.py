"""Measurements and chaos: what is too slow or too wild for the tests. Nothing here ships with the package."""
