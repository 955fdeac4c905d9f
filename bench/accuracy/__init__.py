"""Accuracy of depth against measured depth."""
