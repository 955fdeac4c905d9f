"""Drift of a subject's depth from the reference's, and the layer where it begins."""
