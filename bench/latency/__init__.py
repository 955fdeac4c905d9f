"""Latency: times of subjects taken in turns, at a fixed rate, and in throughput."""
