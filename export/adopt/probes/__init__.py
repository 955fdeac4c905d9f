"""Probes of an adopted file before it is trusted: pictures with known depth, and what its graph reads."""
