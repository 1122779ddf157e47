"""Faults that are planted on purpose, to see which of them the tests notice: `make mutation`."""
