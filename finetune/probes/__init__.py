"""Probes: scenes with exact depth, each with a figure for one known failure of depth networks."""
