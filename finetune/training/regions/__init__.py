"""Losses of regions: planes inside flat regions, the starting network outside them."""
