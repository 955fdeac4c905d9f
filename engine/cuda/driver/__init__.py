"""The CUDA driver through pycuda: contexts, memory, streams, graphs, and arrays of other libraries."""
