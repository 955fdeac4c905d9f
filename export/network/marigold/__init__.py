"""Marigold: a latent diffusion model that answers depth; its torch network and its ONNX graph."""
