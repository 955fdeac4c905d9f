"""Accuracy: how far depth is from measured depth."""
