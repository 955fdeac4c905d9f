"""Runs: images, folders, videos and cameras in, depth files out."""
