"""Prints of the verbs for robots."""
