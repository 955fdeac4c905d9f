"""Checkpoints: any weights file becomes named tensors, with its family, kind and licence."""
