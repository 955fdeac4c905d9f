"""Inference on a GPU without torch: the driver, depthrt's kernels, and the pipeline around a network."""
