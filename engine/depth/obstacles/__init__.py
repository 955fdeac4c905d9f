"""Obstacles: what stands on the flat floor under a robot's camera."""
