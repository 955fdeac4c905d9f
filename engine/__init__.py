"""The runtime: model files and images in, depth out. Never torch."""
