"""Planes of a scene from its depth, cameras, and places for rectangles on planes."""
