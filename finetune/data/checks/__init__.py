"""Checks of data sets: each pair is read, and the good pairs become a manifest."""
