"""Procedural rooms and streets with exact planar depth, rendered in torch."""
