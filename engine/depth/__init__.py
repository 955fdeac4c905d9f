"""Depth: its values with their provenance, coloured, written and read."""
