"""Depth files that keep their format and every untouched value when some pixels get other depth."""
