"""The CUDA kernels that resize images and depth, compiled for known architectures."""
