"""Scenes with exact depth, data sets, and training."""
