"""Rays: cameras, solids, and the points where rays hit them."""
