"""Checkpoints: any weights file, read safely to named tensors and told what it is."""
