"""Rays: cameras, forms, and where rays meet them."""
