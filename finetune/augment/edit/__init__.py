"""Edits of a frame: mirrors, art and negatives, each with its true depth."""
