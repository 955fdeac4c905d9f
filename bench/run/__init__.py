"""Runs of the benchmark and of tuning: requests, images and stages."""
