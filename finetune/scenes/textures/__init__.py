"""Textures: patterns, pictures and materials of surfaces."""
