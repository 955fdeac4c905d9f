"""Latency, drift and accuracy, measured."""
