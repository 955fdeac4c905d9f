"""Runs of the benchmark and of tuning: what is asked, on which images, step by step."""
