"""Parity: an exported file against its network in torch."""
