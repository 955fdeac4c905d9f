"""Depth in, bodies and headers of answers out."""
