"""Parity: the drift of an exported file from its network in torch."""
