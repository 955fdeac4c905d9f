"""Drift: how far one subject's depth is from another's, and where in the graph it begins."""
